/*
 * Settling: what happens when a request ends, whoever ends it: the host's report, its ticket's timeout, its lane's leave.
 * The caller has closed the row; from then on exactly one thread does this.
 */
#ifndef LB_POOL_SETTLE_H
#define LB_POOL_SETTLE_H

#include "pool/pool.h"

/* Takes the outcome (lb_result or LB_OUTCOME_FORGOTTEN) of a closed row's request in. */
void lb_pool_settle(lb_pool *pool, const lb_lane *lane, lb_entry entry, uint32_t outcome, lb_span latency,
		    lb_time now);

/* A success of the present epoch, with no trial, no failures to take back and no traffic that waits for it to return. */
static inline bool lb_is_quiet(const lb_slot *slot, const lb_entry *entry, uint32_t outcome)
{
	lb_pass pass = {.epoch = entry->epoch, .cell = entry->cell};

	return outcome == LB_SUCCESS && lb_circuit_quiet(&slot->circuit, pass) &&
	       lb_get(&slot->stand_in) == 0;
}

/* What becomes of every settled request, whatever the breakers make of it: counted, averaged, remembered. */
static inline void lb_settle_figures(const lb_pool *pool, const lb_lane *lane, const lb_entry *entry,
				     uint32_t outcome, lb_span latency, lb_time now)
{
	uint32_t number = lb_endpoint_slot(entry->endpoint);
	lb_sample sample = {
	    .outcome = outcome,
	    .inflight = lb_load_seen(&lane->loads[number]),
	    .era = lb_get(&pool->header->era),
	    .shared = lane->shared,
	    .latency = latency,
	    .penalty = pool->failure_latency,
	    .now = now,
	};

	lb_record_add(&lane->records[number], &pool->decay, &sample);
}

static inline void lb_settle_recent(const lb_lane *lane, const lb_entry *entry, uint32_t outcome,
				    lb_span latency, lb_time now)
{
	lb_recent_entry recent = {
	    .at = now,
	    .endpoint = entry->endpoint,
	    .latency = latency,
	    .result = outcome == LB_OUTCOME_FORGOTTEN ? LB_CANCELLED : (lb_result)outcome,
	    .attempt = entry->attempt,
	};

	lb_recent_add(&lane->recent, &recent);
}

/*
 * The last act, with a release: while the count stands, the slot is not given to another endpoint, so all that went before
 * went to the right one. Control's acquire of the count comes before it reuses the slot.
 */
static inline void lb_settle_end(const lb_lane *lane, uint32_t slot)
{
	lb_bump(&lane->loads[slot].own, UINT32_MAX, lane->shared);
}

/* lb_pool_settle for a success while all is well, as nearly all are; false: it is not, and nothing was done. */
static inline bool lb_settle_quietly(const lb_pool *pool, const lb_lane *lane, const lb_entry *entry,
				     uint32_t outcome, lb_span latency, lb_time now)
{
	uint32_t number = lb_endpoint_slot(entry->endpoint);
	const lb_tally *tally = &lane->records[number].tally;

	if (!lb_is_quiet(&pool->slots[number], entry, outcome) || latency > LB_SAMPLE_MAX ||
	    (pool->has_breaker && lb_tally_due(tally, pool->breaker.bucket, now)))
		return false;
	if (lb_get(&pool->header->peaks) != 0)
		lb_record_add_peak(&lane->records[number], &pool->decay, LB_SUCCESS, latency, 0, now);
	lb_settle_figures(pool, lane, entry, LB_SUCCESS, latency, now);
	lb_settle_recent(lane, entry, LB_SUCCESS, latency, now);
	lb_settle_end(lane, number);
	return true;
}

/*
 * Settles as forgotten (or, if `all`, as cancelled) what a lane's next `steps` rows hold. By the lane's owner only; lane 0: by
 * anybody. Returns the earliest deadline among the rows that stay.
 */
lb_time lb_pool_sweep(lb_pool *pool, const lb_lane *lane, uint32_t steps, bool all, lb_time now);

/*
 * Looks into a lane of somebody else's for a forgotten ticket: only the owner may settle it, so it is asked to at its next
 * select. Returns the earliest deadline that is still to come.
 */
lb_time lb_pool_find_overdue(const lb_lane *lane, lb_time now);

#endif
