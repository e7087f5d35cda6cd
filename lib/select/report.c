/* lb_report: the order of answers. */
#include "base/span.h"
#include "pool/events.h"
#include "pool/settle.h"
#include "select/selector.h"

/* The lane that the ticket's row lies in; NULL for an id that is none of this pool's. */
static const lb_lane *lane_of(const lb_pool *pool, uint64_t id)
{
	uint32_t lane = (uint32_t)(id >> 52) & 63;

	return id >> 58 == (pool->nonce & 63) && lane < pool->lanes_n ? &pool->lanes[lane] : NULL;
}

int lb_ticket_settle(lb_pool *pool, lb_ticket *ticket, lb_result result, lb_span latency, lb_time now)
{
	const lb_lane *lane = lane_of(pool, ticket->id);
	uint32_t row = (uint32_t)(ticket->id >> 32) & (LB_TICKETS_MAX - 1);
	uint32_t word = (uint32_t)ticket->id;
	lb_entry entry;

	if (!lane || !lb_ledger_read(&lane->ledger, row, word, &entry))
		return LB_ESTALE;
	if (ticket->endpoint != entry.endpoint)
		return LB_ESTALE;
	if (!lb_ledger_close(&lane->ledger, row, word))
		return LB_ESTALE;
	ticket->id = 0;
	if (latency == 0)
		latency = lb_time_since(now, entry.started);
	lb_pool_settle(pool, lane, &entry, (uint32_t)result, latency, now);
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
	int error = lb_ticket_settle(pool, ticket, outcome->result, outcome->latency, now);
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
