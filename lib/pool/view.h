/*
 * View: the published list of candidates. The endpoints that may be used, tier by tier (healthy and unknown ones by priority,
 * then degraded ones by priority), each in order of addition, or zone by zone where zones divide a tier's traffic; behind
 * them all other living ones. With each tier stands which part of the traffic it gets: core/shares.h, core/zones.h.
 *
 * It is a hint: who reads it checks the gates. Two halves; control fills the one that is not published, has the
 * selectors' tables built into their same half, and publishes both with one release store of the sequence. A reader that
 * is overtaken by the next publication may read a mixture of its view and one that is being made: still slot numbers.
 */
#ifndef LB_POOL_VIEW_H
#define LB_POOL_VIEW_H

#include "pool/pool.h"

/* Makes a view of the slots as they are and publishes it. Under control. */
void lb_view_publish(lb_pool *pool, lb_time now);

/* The same, but only if the published one differs from what the slots say. For ticks. Returns whether it did. */
bool lb_view_refresh(lb_pool *pool, lb_time now);

/* A view as a reader holds it during one call. */
typedef struct lb_view_hold {
	const lb_view *view;
	const lb_member *members;
	uint32_t sequence;
} lb_view_hold;

static inline lb_view_hold lb_view_hold_at(const lb_pool *pool, uint32_t sequence)
{
	const lb_half *half = &pool->halves[sequence & 1];

	return (lb_view_hold){half->view, half->members, sequence};
}

/* Acquire: everything of the view was written before its sequence. */
static inline lb_view_hold lb_view_hold_now(const lb_pool *pool)
{
	return lb_view_hold_at(pool, lb_get_acquire(&pool->header->view));
}

/* Is there a newer one? Then the one that is held may be stale, and its half may be overwritten already. */
static inline bool lb_view_overtaken(const lb_pool *pool, const lb_view_hold *hold)
{
	return lb_get_acquire(&pool->header->view) != hold->sequence;
}

/* A piece of the view's members as a tier. Bounds hold even for a mixture of two views. */
static inline lb_tier lb_view_piece(const lb_pool *pool, const lb_view_hold *hold, uint32_t first, uint32_t n,
				    uint32_t number)
{
	uint32_t slots = pool->shape.slots;

	if (first >= slots)
		first = n = 0;
	if (n > slots - first)
		n = slots - first;
	return (lb_tier){
	    .members = hold->members + first,
	    .first = first,
	    .n = n,
	    .number = number & (LB_GROUPS_MAX - 1),
	    .buffer = hold->sequence & 1,
	};
}

/* The `place`-th tier to serve, whole; n = 0 if there is none. */
static inline lb_tier lb_view_tier_at(const lb_pool *pool, const lb_view_hold *hold, uint32_t place)
{
	const lb_view_tier *kept = &hold->view->tiers[place];

	return lb_view_piece(pool, hold, lb_get(&kept->first), lb_get(&kept->n), lb_get(&kept->number));
}

/* The tier of the ordinary way, n = 0 if there is none: however views mix, there are so many members. */
static inline lb_tier lb_view_only(const lb_view_hold *hold)
{
	return (lb_tier){
	    .members = hold->members,
	    .n = lb_get(&hold->view->only_n),
	    .number = lb_get(&hold->view->only_number),
	    .buffer = hold->sequence & 1,
	};
}

/* A zone's part of a tier that is divided. */
static inline lb_tier lb_view_group_at(const lb_pool *pool, const lb_view_hold *hold, uint32_t place,
				       uint32_t group)
{
	uint32_t at = (lb_get(&hold->view->tiers[place].groups) + group) % LB_ZONE_GROUPS_MAX;
	const lb_view_group *kept = &hold->view->groups[at];

	return lb_view_piece(pool, hold, lb_get(&kept->first), lb_get(&kept->n), LB_TIERS_MAX + at);
}

/* The reasons that count in a tier: in panic neither health nor breakers are asked. */
static inline uint32_t lb_view_shut(const lb_view_hold *hold, uint32_t place)
{
	return lb_get(&hold->view->tiers[place].panic) != LB_PANIC_NONE
		   ? LB_GATES_CLOSED & ~(uint32_t)(LB_WHY_HEALTH | LB_WHY_BREAKER)
		   : LB_GATES_CLOSED;
}

#endif
