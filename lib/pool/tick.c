/* Housekeeping that comes with time. */
#include "base/span.h"
#include "pool/chain.h"
#include "pool/events.h"
#include "pool/ramps.h"
#include "pool/settle.h"
#include "pool/slots.h"
#include "pool/trial.h"
#include "pool/view.h"

#define TICK_MAX LB_SECONDS

/* Open circuits whose time is over turn half open here, if no request did it before: so that it is seen and told. */
static void poll_circuits(lb_control *control)
{
	lb_pool *pool = control->pool;
	lb_turn turn;

	if (!pool->has_breaker)
		return;
	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later)) {
		lb_circuit_poll(&pool->slots[at].circuit, lb_pool_cells(pool, at), &pool->breaker,
				control->now, &turn);
		lb_pool_turned(pool, at, &turn, control->now);
	}
}

/* Settles lane 0's forgotten tickets, and asks the other lanes' owners to. Returns when the next may be forgotten. */
static lb_time sweep_lanes(lb_control *control)
{
	lb_pool *pool = control->pool;
	lb_time next = lb_pool_sweep(pool, &pool->lanes[0], pool->lanes[0].ledger.n, false, control->now);

	for (uint32_t number = 1; number < pool->lanes_n; number++)
		if (lb_get64(&pool->lanes[number].head->worker) != 0)
			next = lb_min64(next, lb_pool_find_overdue(&pool->lanes[number], control->now));
	return next;
}

lb_time lb_pool_tick(lb_pool *pool)
{
	if (!pool)
		return LB_NEVER;
	lb_control control = lb_control_begin(pool);
	lb_time next = lb_time_after(control.now, TICK_MAX);

	next = lb_min64(next, sweep_lanes(&control));
	poll_circuits(&control);
	lb_trials_review(pool, control.now);
	next = lb_min64(next, lb_chains_poll(pool, control.now));
	next = lb_min64(next, lb_slots_free(&control));
	lb_time trial = lb_get64(&pool->header->trial_at);
	if (trial > control.now)
		next = lb_min64(next, trial);
	lb_view_refresh(pool, control.now);
	next = lb_min64(next, lb_ramps_next(pool, control.now));
	lb_control_end(&control, false);
	return next;
}
