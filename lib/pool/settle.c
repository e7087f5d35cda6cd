/* What happens when a request ends. See settle.h. */
#include "pool/settle.h"

#include "base/span.h"
#include "pool/chain.h"
#include "pool/events.h"
#include "pool/trial.h"

/* The part of a verdict that is not "a success while all is well". */
static void judge(lb_pool *pool, const lb_lane *lane, const lb_entry *entry, bool failed, lb_time now)
{
	uint32_t slot = lb_endpoint_slot(entry->endpoint);
	lb_circuit *circuit = &pool->circuits[slot];
	lb_pass pass = {.epoch = entry->epoch, .cell = entry->cell};
	uint32_t calls = 0;
	lb_turn turn;

	if (failed)
		lb_window_fail(&circuit->window, pool->breaker.bucket, now);
	if (failed || lb_circuit_armed(circuit))
		calls = lb_pool_window_calls(pool, slot, now);
	int left = lb_circuit_leave(circuit, lb_pool_cells(pool, slot), &pool->breaker, now, pass, failed,
				    calls, (uint32_t)lb_mix64(now ^ lb_get64(&lane->head->stream)), &turn);
	lb_pool_turned(pool, slot, &turn, now);
	if (entry->cell == 0 || left != LB_OK)
		return;
	/* a trial came back: there is room for the next one */
	lb_trials_from(pool, now);
	lb_chains_checked(pool, slot, !failed, now);
}

static void tell_circuit(lb_pool *pool, const lb_lane *lane, const lb_entry *entry, uint32_t outcome,
			 lb_time now)
{
	uint32_t slot = lb_endpoint_slot(entry->endpoint);
	lb_circuit *circuit = &pool->circuits[slot];
	lb_pass pass = {.epoch = entry->epoch, .cell = entry->cell};

	if (outcome == LB_SUCCESS && lb_circuit_quiet(circuit, pass))
		return;
	if (outcome == LB_SUCCESS || lb_outcome_fails(outcome)) {
		judge(pool, lane, entry, outcome != LB_SUCCESS, now);
		return;
	}
	if (pass.cell == 0)
		return;
	lb_circuit_cancel(circuit, lb_pool_cells(pool, slot), pass);
	lb_trials_from(pool, now);
}

void lb_pool_settle(lb_pool *pool, const lb_lane *lane, const lb_entry *entry, uint32_t outcome,
		    lb_span latency, lb_time now)
{
	uint32_t slot = lb_endpoint_slot(entry->endpoint);
	lb_record *record = &lane->records[slot];
	lb_load *load = &lane->loads[slot];
	lb_sample sample = {
	    .outcome = outcome,
	    .inflight = lb_load_seen(load),
	    .era = lb_get(&pool->header->era),
	    .shared = lane->shared,
	    .latency = latency,
	    .penalty = pool->failure_latency,
	    .now = now,
	};
	lb_recent_entry recent = {
	    .at = now,
	    .endpoint = entry->endpoint,
	    .latency = latency,
	    .result = outcome == LB_OUTCOME_FORGOTTEN ? LB_CANCELLED : (lb_result)outcome,
	    .attempt = entry->attempt,
	};

	if (pool->has_breaker && lb_tally_due(&record->tally, pool->breaker.bucket, now))
		lb_tally_turn(&record->tally, &pool->circuits[slot].window, pool->breaker.bucket, now,
			      lb_record_calls(record), lane->shared);
	lb_record_add(record, &pool->decay, &sample);
	if (pool->has_breaker)
		tell_circuit(pool, lane, entry, outcome, now);
	lb_recent_add(&lane->recent, &recent);
	/*
	 * Last, with a release: while the count stands, the slot is not given to another endpoint, so all of the above
	 * went to the right one. Control's acquire of the count comes before it reuses the slot.
	 */
	lb_bump(&load->own, UINT32_MAX, lane->shared);
}

void lb_pool_sweep(lb_pool *pool, const lb_lane *lane, uint32_t steps, bool all, lb_time now)
{
	uint32_t at = lb_get(&lane->head->swept);
	uint32_t row, word;
	lb_entry entry;

	while ((row = lb_ledger_sweep(&lane->ledger, &at, &steps, now, all, &word, &entry)) != LB_NO_ROW) {
		if (!lb_ledger_close(&lane->ledger, row, word))
			continue;
		uint32_t outcome = all ? (uint32_t)LB_CANCELLED : (uint32_t)LB_OUTCOME_FORGOTTEN;
		if (!all)
			lb_events_note(pool, LB_EVENT_FORGOTTEN, lb_endpoint_slot(entry.endpoint), 0, 0,
				       LB_NO_ENDPOINT, now);
		lb_pool_settle(pool, lane, &entry, outcome, lb_time_since(now, entry.started), now);
	}
	lb_put(&lane->head->swept, at);
}
