/*
 * What a lane does now and then, by the way of a select.
 *
 * It looks at the other lanes' in-flight counts. Reading them all at every pick would cost a cache miss for each lane and
 * endpoint; so a lane looks at one cache line's worth of endpoints (8) for each microsecond that has passed since it last
 * looked, a few lines at the most in one select, and goes round. And its owner settles its own forgotten tickets, which
 * nobody else may: a row for each microsecond, a few at the most in one select, all of them when a tick saw one.
 */
#include "base/span.h"
#include "pool/settle.h"
#include "select/selector.h"

#define LINES_MAX 4u   /* of counts, in one select */
#define SWEEP_ROWS 16u /* likewise */

static void refresh_line(const lb_pool *pool, const lb_lane *lane, uint32_t first)
{
	uint32_t end =
	    first + LB_LOADS_PER_LINE < pool->shape.slots ? first + LB_LOADS_PER_LINE : pool->shape.slots;
	uint32_t sums[LB_LOADS_PER_LINE] = {0};

	for (uint32_t number = 0; number < pool->lanes_n; number++) {
		const lb_lane *other = &pool->lanes[number];
		if (number == lane->number || (number > 0 && lb_get64(&other->head->worker) == 0))
			continue;
		for (uint32_t slot = first; slot < end; slot++)
			sums[slot - first] += lb_get(&other->loads[slot].own);
	}
	for (uint32_t slot = first; slot < end; slot++)
		lb_put(&lane->loads[slot].others, sums[slot - first]);
}

static void refresh(const lb_pool *pool, const lb_lane *lane, uint64_t lines)
{
	uint32_t used = lb_get(&pool->header->slots_used);
	uint32_t slot = lb_get(&lane->head->refresh_slot);

	for (uint32_t line = 0; line < lines && line < LINES_MAX; line++) {
		if (slot >= used)
			slot = 0;
		refresh_line(pool, lane, slot);
		slot += LB_LOADS_PER_LINE;
	}
	lb_put(&lane->head->refresh_slot, slot);
}

static void sweep(lb_pool *pool, const lb_lane *lane, uint32_t rows, lb_time now)
{
	bool overdue = lb_get(&lane->head->overdue) != 0;

	if (overdue)
		lb_put(&lane->head->overdue, 0);
	lb_pool_sweep(pool, lane, overdue ? lane->ledger.n : rows, false, now);
}

void lb_lane_attend(lb_pool *pool, const lb_lane *lane, lb_time now)
{
	lb_time due = lb_get64(&lane->head->attend_at);
	bool stands =
	    due == lb_time_after(now, LB_ATTEND_PERIOD); /* the clock: then requests count, not time */
	uint64_t periods = now < due ? 1 : (now - due) / LB_ATTEND_PERIOD + 1;

	if (now < due && due - now < LB_ATTEND_PERIOD)
		return;
	lb_put64(&lane->head->attend_at, lb_time_after(now, LB_ATTEND_PERIOD));
	if (lb_get(&pool->header->lanes_joined) != 0)
		refresh(pool, lane, periods);
	if (!lane->shared)
		sweep(pool, lane, stands ? SWEEP_ROWS : (uint32_t)lb_min64(periods, SWEEP_ROWS), now);
}
