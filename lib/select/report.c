/* lb_report: the order of answers. */
#include "base/span.h"
#include "pool/events.h"
#include "pool/settle.h"
#include "select/selector.h"

/* The lane that the ticket's row lies in; NULL for an id that is none of this pool's. */
static inline const lb_lane *lane_of(const lb_pool *pool, uint64_t id)
{
	uint32_t lane = (uint32_t)(id >> 52) & 63;

	return id >> 58 == (pool->nonce & 63) && lane < pool->lanes_n ? &pool->lanes[lane] : NULL;
}

/* Closes the ticket's row, and reads it; LB_ESTALE if it is not open under the ticket's id and endpoint. */
static inline int close_row(const lb_lane *lane, const lb_ticket *ticket, lb_entry *entry)
{
	uint32_t row = (uint32_t)(ticket->id >> 32) & (LB_TICKETS_MAX - 1);
	uint32_t word = (uint32_t)ticket->id;

	if (!lane || !lb_ledger_read(&lane->ledger, row, word, entry) ||
	    ticket->endpoint != entry->endpoint || !lb_ledger_close(&lane->ledger, row, word))
		return LB_ESTALE;
	return LB_OK;
}

static inline int settle(lb_pool *pool, lb_ticket *ticket, lb_result result, lb_span latency, lb_time now)
{
	const lb_lane *lane = lane_of(pool, ticket->id);
	lb_entry entry;

	if (close_row(lane, ticket, &entry) != LB_OK)
		return LB_ESTALE;
	ticket->id = 0;
	if (latency == 0)
		latency = lb_time_since(now, entry.started);
	lb_pool_settle_report(pool, lane, &entry, (uint32_t)result, latency, now);
	return LB_OK;
}

/* The ticket is ready for another request. */
static void forget_tries(lb_ticket *ticket)
{
	for (uint32_t i = 0; i < ticket->attempts && i < LB_TRIED_MAX; i++)
		ticket->tried[i] = LB_NO_ENDPOINT;
	ticket->attempts = 0;
}

int lb_report(lb_selector *selector, lb_ticket *ticket, const lb_outcome *outcome)
{
	if (!selector || !ticket || !outcome || (unsigned)outcome->result > LB_LOCAL)
		return LB_EINVAL;
	lb_pool *pool = selector->pool;
	lb_time now = outcome->now != 0 ? outcome->now : lb_env_now(&pool->env);
	int error = settle(pool, ticket, outcome->result, outcome->latency, now);
	if (error == LB_OK && (outcome->result == LB_SUCCESS || outcome->result == LB_CANCELLED))
		forget_tries(ticket);
	if (lb_events_waiting(pool))
		lb_events_deliver(pool);
	return error;
}

int lb_report_result(lb_selector *selector, lb_ticket *ticket, lb_result result)
{
	lb_outcome outcome = {.result = result};

	return lb_report(selector, ticket, &outcome);
}
