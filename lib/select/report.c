/* lb_report: the order of answers. */
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

static inline int settle(lb_pool *pool, lb_ticket *ticket, lb_result result, lb_span latency, lb_time now)
{
	const lb_lane *lane = lb_ticket_lane(pool, ticket->id);
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
	/* nearly always the only one */
	ticket->tried[0] = LB_NO_ENDPOINT;
	for (uint32_t i = 1; i < ticket->attempts && i < LB_TRIED_MAX; i++)
		ticket->tried[i] = LB_NO_ENDPOINT;
	ticket->attempts = 0;
}

int lb_report(lb_selector *selector, lb_ticket *ticket, const lb_outcome *outcome)
{
	if (!selector || !ticket || !outcome || (unsigned)outcome->result > LB_LOCAL)
		return LB_EINVAL;
	lb_pool *pool = selector->pool;
	lb_result result = outcome->result;
	lb_time now = outcome->now != 0 ? outcome->now : lb_env_now(&pool->env);
	int error = settle(pool, ticket, result, outcome->latency, now);
	if (error == LB_OK && (result == LB_SUCCESS || result == LB_CANCELLED))
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
