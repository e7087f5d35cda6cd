/*
 * What a lane knows of the other lanes' in-flight counts. Reading them all at every pick would cost a cache miss for each
 * lane and endpoint; so a lane looks at one cache line's worth of endpoints (8) for each microsecond that has
 * passed since it last looked, a few lines at the most in one select, and goes round.
 */
#include "base/span.h"
#include "select/selector.h"

#define PERIOD LB_MICROSECONDS /* for each line of counts */
#define LINES_MAX 4u           /* in one select */

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

void lb_lane_refresh(lb_pool *pool, const lb_lane *lane, lb_time now)
{
	lb_lane_head *head = lane->head;
	lb_time due = lb_get64(&head->refresh_at);
	uint32_t used = lb_get(&pool->header->slots_used);

	/* a due time that is far ahead comes of a clock that stepped back */
	if (now < due && due - now <= PERIOD)
		return;
	uint64_t lines = now < due ? LINES_MAX : (now - due) / PERIOD + 1;
	lb_put64(&head->refresh_at, lb_time_after(now, PERIOD));
	uint32_t slot = lb_get(&head->refresh_slot);
	for (uint32_t line = 0; line < lines && line < LINES_MAX; line++) {
		if (slot >= used)
			slot = 0;
		refresh_line(pool, lane, slot);
		slot += LB_LOADS_PER_LINE;
	}
	lb_put(&head->refresh_slot, slot);
}
