/*
 * View: the published list of candidates. The endpoints that may be used, tier by tier in the order in which tiers serve
 * (healthy and unknown ones by priority, then degraded ones by priority), each in order of addition; behind them all other
 * living ones.
 *
 * It is a hint: who reads it checks the gates. Two halves; control fills the one that is not published, has the
 * selectors' tables built into their same half, and publishes both with one release store of the sequence. A reader that
 * is overtaken by the next publication may read a mixture of its view and one that is being made: still slot numbers.
 */
#ifndef LB_POOL_VIEW_H
#define LB_POOL_VIEW_H

#include "pool/pool.h"

/* Makes a view of the slots as they are and publishes it. Under control. */
void lb_view_publish(lb_pool *pool);

/* The same, but only if the published one differs from what the slots say. For ticks. Returns whether it did. */
bool lb_view_refresh(lb_pool *pool);

/* A view as a reader holds it during one call. */
typedef struct lb_view_hold {
	const lb_view *view;
	const lb_member *members;
	uint32_t sequence;
} lb_view_hold;

/* Acquire: everything of the view was written before its sequence. */
static inline lb_view_hold lb_view_hold_now(const lb_pool *pool)
{
	uint32_t sequence = lb_get_acquire(&pool->header->view);
	uint32_t half = sequence & 1;

	return (lb_view_hold){
	    .view = &pool->views[half],
	    .members = &pool->members[(size_t)half * pool->shape.slots],
	    .sequence = sequence,
	};
}

/* Is there a newer one? Then the one that is held may be stale, and its half may be overwritten already. */
static inline bool lb_view_overtaken(const lb_pool *pool, const lb_view_hold *hold)
{
	return lb_get_acquire(&pool->header->view) != hold->sequence;
}

/* The `place`-th tier to serve; n = 0 if there is none. Bounds hold even for a mixture of two views. */
static inline lb_tier lb_view_tier_at(const lb_pool *pool, const lb_view_hold *hold, uint32_t place)
{
	const lb_view_tier *kept = &hold->view->tiers[place];
	uint32_t slots = pool->shape.slots;
	uint32_t first = lb_get(&kept->first);
	uint32_t n = lb_get(&kept->n);

	if (first >= slots)
		first = n = 0;
	if (n > slots - first)
		n = slots - first;
	return (lb_tier){
	    .members = hold->members + first,
	    .first = first,
	    .n = n,
	    .number = lb_get(&kept->number) & (LB_GROUPS_MAX - 1),
	    .buffer = hold->sequence & 1,
	};
}

/* The reasons that count for this view: in panic neither health nor breakers are asked. */
static inline uint32_t lb_view_shut(const lb_view_hold *hold)
{
	return lb_get(&hold->view->panic) != 0 ? LB_GATES_CLOSED & ~(uint32_t)(LB_WHY_HEALTH | LB_WHY_BREAKER)
					       : LB_GATES_CLOSED;
}

#endif
