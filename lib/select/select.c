/*
 * lb_select: the ordinary way. A row is claimed first, so that a full ledger is known before anything moves; then the
 * algorithm is asked once among the first tier's candidates. If nothing at all stands in the way of the one that it
 * names, that is it. Everything else (retries, preferences, trials, limits, refusals) goes the careful way: choose.c.
 */
#include "base/apart.h"
#include "base/span.h"
#include "pool/events.h"
#include "pool/settle.h"
#include "select/choice.h"

/*
 * Takes a slot if its gates are open, it has no in-flight limit and its circuit is closed.
 *
 * The count goes up between two looks at the gates. Control shuts the gates first and frees the slot only when a grace
 * later the counts are 0: so either it sees our count and waits, or we see its change and take the count back.
 */
static inline bool take_plainly(const lb_pool *pool, const lb_lane *lane, uint32_t number, lb_pass *pass)
{
	const lb_slot *slot = &pool->slots[number];
	uint32_t gates = lb_get_acquire(&slot->gates);

	if ((gates & LB_GATES_CLOSED) != 0 || lb_get(&slot->inflight_max) != 0 ||
	    !lb_circuit_closed(&slot->circuit, pass))
		return false;
	lb_bump(&lane->loads[number].own, 1, lane->shared);
	if (lb_get_acquire(&slot->gates) == gates)
		return true;
	lb_count_down(lane, number);
	return false;
}

/*
 * Is there no preference, no earlier attempt, no circuit that wants a trial, no bound and no slow start that the choice has to
 * reckon with?
 */
static inline bool is_ordinary(const lb_selector *selector, const lb_pool *pool, const lb_request *request,
			       const lb_ticket *ticket, lb_time now)
{
	return ticket->attempts == 0 && request->prefer == LB_NO_ENDPOINT && selector->plain &&
	       now < lb_get64(&pool->header->trial_at);
}

/* Writes the row and the ticket of what was taken. `attempts`: those before. */
LB_WITHIN static void open_ticket(const lb_pool *pool, const lb_lane *lane, uint32_t row, lb_taken taken,
				  const lb_request *request, lb_time now, uint32_t attempts,
				  lb_ticket *ticket)
{
	const lb_slot *slot = &pool->slots[taken.slot];
	const lb_about *about = &pool->about[taken.slot];
	lb_span timeout = request->timeout != 0 ? request->timeout : pool->ticket_timeout;
	lb_entry entry = {
	    .endpoint = lb_pool_id_of(pool, taken.slot),
	    .started = now,
	    .deadline = lb_time_after(now, timeout),
	    .attempt = attempts + 1,
	    .cell = taken.pass.cell,
	    .epoch = taken.pass.epoch,
	};

	ticket->id = lb_ticket_id(lane, row, lb_ledger_open(&lane->ledger, row, &entry));
	ticket->endpoint = entry.endpoint;
	ticket->tag = lb_get64(&slot->tag);
	ticket->name = about->name;
	ticket->url = about->url;
	ticket->started = now;
	ticket->reason = taken.reason;
	ticket->tried[attempts] = entry.endpoint;
	ticket->attempts = entry.attempt;
}

/*
 * Looks after the lane. Without a row (the one whose turn it is has been open for a whole rotation: a forgotten ticket's,
 * perhaps) it looks for one. Returns the row, or LB_NO_ROW: the ledger is full.
 */
LB_APART static uint32_t attend(lb_pool *pool, const lb_lane *lane, uint32_t row, lb_time now)
{
	if (row == LB_NO_ROW)
		row = lb_ledger_search(&lane->ledger);
	if (row == LB_NO_ROW) {
		lb_pool_sweep(pool, lane, lane->ledger.n, false, now);
		row = lb_ledger_search(&lane->ledger);
	}
	lb_lane_attend(pool, lane, now);
	return row;
}

/* Counts an answer that is no endpoint. */
static int refuse(const lb_lane *lane, int error)
{
	lb_atomic64 *counter = error == LB_ENONE   ? &lane->head->none
			       : error == LB_EFULL ? &lane->head->full
						   : &lane->head->limit;

	lb_bump64(counter, 1, lane->shared);
	return error;
}

/* The careful way, with a row that was claimed, or LB_NO_ROW. Events may come of it. */
LB_APART static int select_carefully(lb_selector *selector, const lb_request *request, const lb_lane *lane,
				     uint32_t row, lb_pick *pick, uint32_t named, lb_ticket *ticket)
{
	lb_pool *pool = selector->pool;
	lb_taken taken = {.error = LB_ELIMIT};

	if (row != LB_NO_ROW)
		taken = lb_choose(selector, request, lane, ticket, pick, named);
	if (taken.error == LB_OK) {
		open_ticket(pool, lane, row, taken, request, pick->now, ticket->attempts, ticket);
		if (ticket->attempts > 1 && (request->flags & LB_REQUEST_HEDGE) == 0)
			lb_bump64(&lane->head->retries, 1, lane->shared);
	} else {
		if (row != LB_NO_ROW)
			lb_ledger_unclaim(&lane->ledger, row);
		refuse(lane, taken.error);
	}
	return taken.error;
}

/* Asks the algorithm once. LB_NO_SLOT: it has no answer, or there is no tier that gets all requests, whole and without panic. */
static inline uint32_t ask_once(lb_selector *selector, lb_view_hold hold, lb_pick *pick)
{
	lb_tier tier = lb_view_only(&hold);

	return tier.n > 0 ? selector->pick(selector->state, &tier, pick) : LB_NO_SLOT;
}

/*
 * On a row that was claimed, or LB_NO_ROW. Takes what the algorithm names if nothing stands in the way; else sets `stirred`:
 * events may have come of it.
 */
static inline int select_in(lb_selector *selector, lb_pool *pool, const lb_request *request,
			    const lb_lane *lane, uint32_t row, lb_time now, lb_ticket *ticket, bool *stirred)
{
	uint32_t named = LB_NO_SLOT;
	lb_pick pick;

	pick.lane = &lane->algo;
	pick.rules = &selector->rules;
	pick.now = now;
	if (selector->keyed)
		pick.key = lb_request_key(request, &pick);
	pick.attempt = 0;
	pick.refused_n = 0;
	if (row != LB_NO_ROW && is_ordinary(selector, pool, request, ticket, now)) {
		lb_view_hold hold = lb_view_hold_now(pool);
		named = ask_once(selector, hold, &pick);
		lb_taken taken = {.slot = named};
		if (named < pool->shape.slots && take_plainly(pool, lane, named, &taken.pass)) {
			taken.reason = lb_get(&hold.view->only_reason);
			open_ticket(pool, lane, row, taken, request, now, 0, ticket);
			return LB_OK;
		}
	}
	*stirred = true;
	return select_carefully(selector, request, lane, row, &pick, named, ticket);
}

int lb_select(lb_selector *selector, const lb_request *request, lb_ticket *ticket)
{
	static const lb_request ordinary = {0};

	if (!selector || !ticket || ticket->attempts > LB_TRIED_MAX)
		return LB_EINVAL;
	if (!request)
		request = &ordinary;
	lb_pool *pool = selector->pool;
	const lb_lane *lane = lb_request_lane(pool, request);
	if (!lane)
		return LB_EINVAL;
	lb_time now = request->now != 0 ? request->now : lb_env_now(&pool->env);
	if (ticket->id != 0)
		lb_report(selector, ticket, &(lb_outcome){.result = LB_FAILURE, .now = now});
	if (ticket->attempts == LB_TRIED_MAX)
		return refuse(lane, LB_ENONE);
	uint32_t row = lb_ledger_claim(&lane->ledger);
	bool stirred = row == LB_NO_ROW || lb_lane_attend_due(lane, row, now);
	if (stirred)
		row = attend(pool, lane, row, now);
	int error = select_in(selector, pool, request, lane, row, now, ticket, &stirred);
	if (stirred && lb_events_waiting(pool))
		lb_events_deliver(pool);
	return error;
}
