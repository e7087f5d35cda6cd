/* lb_report: the order of answers. */
#include "base/apart.h"
#include "base/span.h"
#include "pool/events.h"
#include "pool/settle.h"
#include "select/selector.h"

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

/* The ticket is ready for another request. */
static inline void forget_tries(lb_ticket *ticket)
{
	/* nearly always the only one */
	ticket->tried[0] = LB_NO_ENDPOINT;
	for (uint32_t i = 1; i < ticket->attempts && i < LB_TRIED_MAX; i++)
		ticket->tried[i] = LB_NO_ENDPOINT;
	ticket->attempts = 0;
}

/* Whatever is not a success while all is well. Events may come of it. */
LB_APART static int settle_aloud(lb_pool *pool, const lb_lane *lane, lb_entry entry, lb_result result,
				 lb_span latency, lb_time now, lb_ticket *ticket)
{
	lb_pool_settle(pool, lane, entry, (uint32_t)result, latency, now);
	if (result == LB_SUCCESS || result == LB_CANCELLED)
		forget_tries(ticket);
	if (lb_events_waiting(pool))
		lb_events_deliver(pool);
	return LB_OK;
}

int lb_report(lb_selector *selector, lb_ticket *ticket, const lb_outcome *outcome)
{
	lb_entry entry;

	if (!selector || !ticket || !outcome || (unsigned)outcome->result > LB_LOCAL)
		return LB_EINVAL;
	lb_pool *pool = selector->pool;
	lb_time now = outcome->now != 0 ? outcome->now : lb_env_now(&pool->env);
	const lb_lane *lane = lb_ticket_lane(pool, ticket->id);
	if (close_row(lane, ticket, &entry) != LB_OK)
		return LB_ESTALE;
	ticket->id = 0;
	lb_span latency = outcome->latency != 0 ? outcome->latency : lb_time_since(now, entry.started);
	if (!lb_settle_quietly(pool, lane, &entry, (uint32_t)outcome->result, latency, now))
		return settle_aloud(pool, lane, entry, outcome->result, latency, now, ticket);
	forget_tries(ticket);
	return LB_OK;
}

int lb_report_result(lb_selector *selector, lb_ticket *ticket, lb_result result)
{
	lb_outcome outcome = {.result = result};

	return lb_report(selector, ticket, &outcome);
}
