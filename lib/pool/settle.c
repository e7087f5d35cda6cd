/* What happens when a request ends. See settle.h. */
#include "pool/settle.h"

#include "base/span.h"
#include "pool/chain.h"
#include "pool/events.h"
#include "pool/trial.h"

/*
 * Tells the circuit of a verdict. One of an older epoch counts for nothing, in the window neither. `moved_on`: the window
 * slid, so the rate may be another one without any failure.
 */
static int tell_circuit(lb_pool *pool, const lb_lane *lane, const lb_entry *entry, bool failed, bool moved_on,
			lb_time now)
{
	uint32_t number = lb_endpoint_slot(entry->endpoint);
	lb_circuit *circuit = &pool->slots[number].circuit;
	lb_pass pass = {.epoch = entry->epoch, .cell = entry->cell};
	bool counts = pass.cell == 0 && lb_circuit_current(circuit, pass);
	uint32_t calls = 0;
	lb_turn turn;

	if (!counts)
		lb_tally_skip(&lane->records[number].tally, lane->shared);
	else if (failed)
		lb_window_fail(&circuit->window, pool->breaker.bucket, now);
	if (counts && (failed || moved_on || lb_circuit_armed(circuit)))
		calls = lb_pool_window_calls(pool, number, now);
	int left = lb_circuit_leave(circuit, lb_pool_cells(pool, number), &pool->breaker, now, pass, failed,
				    calls, (uint32_t)lb_mix64(now ^ lb_get64(&lane->head->stream)), &turn);
	lb_pool_turned(pool, number, &turn, now);
	return left;
}

/* The part of settling that is not "a success while all is well". */
static void judge(lb_pool *pool, const lb_lane *lane, const lb_entry *entry, uint32_t outcome, bool moved_on,
		  lb_time now)
{
	uint32_t number = lb_endpoint_slot(entry->endpoint);
	lb_pass pass = {.epoch = entry->epoch, .cell = entry->cell};
	bool verdict = outcome == LB_SUCCESS || lb_outcome_fails(outcome);
	int left = LB_OK;

	if (pool->has_breaker && verdict)
		left = tell_circuit(pool, lane, entry, outcome != LB_SUCCESS, moved_on, now);
	else if (pool->has_breaker)
		lb_circuit_cancel(&pool->slots[number].circuit, lb_pool_cells(pool, number), &pool->breaker,
				  now, pass);
	bool trial = pass.cell != 0 || lb_get(&pool->slots[number].stand_in) != 0;
	if (!trial)
		return;
	if (verdict && left == LB_OK)
		lb_chains_checked(pool, number, outcome == LB_SUCCESS, now);
	/* it came back: there is room for the next one */
	lb_trials_from(pool, now);
}

void lb_pool_settle(lb_pool *pool, const lb_lane *lane, lb_entry entry, uint32_t outcome, lb_span latency,
		    lb_time now)
{
	uint32_t number = lb_endpoint_slot(entry.endpoint);
	lb_slot *slot = &pool->slots[number];
	lb_record *record = &lane->records[number];
	bool moved_on = pool->has_breaker && lb_tally_due(&record->tally, pool->breaker.bucket, now);

	latency = lb_min64(latency, LB_SAMPLE_MAX);
	if (moved_on)
		lb_tally_turn(&record->tally, &slot->circuit.window, pool->breaker.bucket, now,
			      lb_record_calls(record), lane->shared);
	if (lb_get(&pool->header->peaks) != 0)
		lb_record_add_peak(record, &pool->decay, outcome, latency, pool->failure_latency, now);
	lb_settle_figures(pool, lane, &entry, outcome, latency, now);
	if (moved_on || !lb_is_quiet(slot, &entry, outcome))
		judge(pool, lane, &entry, outcome, moved_on, now);
	lb_settle_recent(lane, &entry, outcome, latency, now);
	lb_settle_end(lane, number);
}

lb_time lb_pool_sweep(lb_pool *pool, const lb_lane *lane, uint32_t steps, bool all, lb_time now)
{
	lb_sweep sweep = {
	    .now = now, .all = all, .steps = steps, .at = lb_get(&lane->head->swept), .next = LB_NEVER};
	uint32_t outcome = all ? (uint32_t)LB_CANCELLED : (uint32_t)LB_OUTCOME_FORGOTTEN;

	while (lb_ledger_sweep(&lane->ledger, &sweep)) {
		const lb_entry *entry = &sweep.entry;
		if (!lb_ledger_close(&lane->ledger, sweep.row, sweep.word))
			continue;
		if (!all)
			lb_events_note(pool, LB_EVENT_FORGOTTEN, lb_endpoint_slot(entry->endpoint), 0, 0,
				       LB_NO_ENDPOINT, now);
		lb_pool_settle(pool, lane, *entry, outcome, lb_time_since(now, entry->started), now);
	}
	lb_put(&lane->head->swept, sweep.at);
	return sweep.next;
}

lb_time lb_pool_find_overdue(const lb_lane *lane, lb_time now)
{
	lb_sweep sweep = {.now = now, .steps = lane->ledger.n, .next = LB_NEVER};

	if (lb_ledger_sweep(&lane->ledger, &sweep))
		lb_put(&lane->head->overdue, 1);
	return sweep.next;
}
