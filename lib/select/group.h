/*
 * Which group of a view a request goes to: the tier by the priorities' shares of the traffic, and in a tier that is
 * divided, the zone by its share. Random, or for an algorithm that goes by keys, by the key: the same for all callers.
 *
 * Source: Envoy's choosePriority and tryChooseLocalLocalityHosts. Difference: where rounding leaves no zone any capacity, one of
 * those that have endpoints is drawn; Envoy draws one of all and may find nobody there.
 */
#ifndef LB_SELECT_GROUP_H
#define LB_SELECT_GROUP_H

#include "pool/view.h"
#include "select/selector.h"

#define LB_WHOLE_TIER UINT32_MAX

/* Where a request shall go: a tier of the view, or one zone of it. */
typedef struct lb_group {
	uint32_t place; /* of the tier; LB_TIERS_MAX = there is none */
	uint32_t zone;  /* which of the tier's groups; LB_WHOLE_TIER = it is not divided */
} lb_group;

/* The tier at a place, or one of its zones. */
lb_group lb_group_of(const lb_selector *selector, const lb_view_hold *hold, uint32_t place,
		     const lb_pick *pick);

/* The group that a request shall go to first, where view->only does not say it. */
lb_group lb_group_first(const lb_selector *selector, const lb_view_hold *hold, const lb_pick *pick);

/* What the algorithm is asked about. */
static inline lb_tier lb_group_tier(const lb_pool *pool, const lb_view_hold *hold, lb_group group)
{
	return group.zone == LB_WHOLE_TIER ? lb_view_tier_at(pool, hold, group.place)
					   : lb_view_group_at(pool, hold, group.place, group.zone);
}

/* How a candidate of the group comes to be chosen. */
static inline uint32_t lb_group_reason(const lb_view_hold *hold, lb_group group)
{
	const lb_view_tier *tier = &hold->view->tiers[group.place];
	bool away = group.zone != LB_WHOLE_TIER && lb_get(&tier->divided) == LB_DIVIDED_NEARBY &&
		    group.zone != lb_get(&tier->own);

	return away ? LB_BY_SPILL : lb_get(&tier->reason);
}

#endif
