/* The tier and the zone that a request goes to. See group.h. */
#include "select/group.h"

/* The place of a tier by its share of the traffic; LB_TIERS_MAX if there is none. */
static uint32_t place_by_share(const lb_selector *selector, const lb_view_hold *hold, const lb_pick *pick)
{
	const lb_view *view = hold->view;
	uint32_t tiers = lb_get(&view->tiers_n);

	if (tiers == 0 || tiers > LB_TIERS_MAX)
		return LB_TIERS_MAX;
	/* Envoy's choosePriority, hash % 100 + 1 <= cumulative: healthy ones of all priorities first, as tiers stand */
	uint32_t mark = (uint32_t)((selector->keyed ? pick->key : lb_pick_random(pick)) % 100) + 1;
	for (uint32_t place = 0; place < tiers; place++)
		if (mark <= lb_get(&view->tiers[place].until))
			return place;
	return 0;
}

/* The first group whose cumulative part is above `mark`; the last is the whole. */
static uint32_t find(const lb_view *view, uint32_t first, uint32_t n, uint32_t mark)
{
	uint32_t group = 0;

	while (group + 1 < n && mark >= lb_get(&view->groups[(first + group) % LB_ZONE_GROUPS_MAX].until))
		group++;
	return group;
}

/* Our zone as far as it may keep its traffic, else one with capacity left, else any: see core/zones.h. */
static uint32_t nearby(const lb_view *view, const lb_view_tier *tier, const lb_pick *pick)
{
	uint32_t first = lb_get(&tier->groups), n = lb_get(&tier->groups_n), own = lb_get(&tier->own);
	uint32_t local = lb_get(&tier->local);

	if (local >= LB_ZONE_ROUTES || (local > 0 && lb_pick_random(pick) % LB_ZONE_ROUTES < local))
		return own < n ? own : 0;
	uint32_t left = lb_get(&view->groups[(first + n - 1) % LB_ZONE_GROUPS_MAX].until);
	uint64_t random = lb_pick_random(pick);
	if (left == 0)
		return (uint32_t)(random % n);
	return find(view, first, n, (uint32_t)(random % left));
}

/* Which zone of a tier that is divided. */
static uint32_t zone_of(const lb_view_hold *hold, uint32_t place, const lb_pick *pick)
{
	const lb_view *view = hold->view;
	const lb_view_tier *tier = &view->tiers[place];
	uint32_t n = lb_get(&tier->groups_n);

	if (n == 0)
		return 0;
	if (lb_get(&tier->divided) == LB_DIVIDED_NEARBY)
		return nearby(view, tier, pick);
	return find(view, lb_get(&tier->groups), n, (uint32_t)(lb_pick_random(pick) % LB_ZONE_PARTS));
}

lb_group lb_group_of(const lb_selector *selector, const lb_view_hold *hold, uint32_t place,
		     const lb_pick *pick)
{
	if (lb_get(&hold->view->tiers[place].groups_n) == 0 || selector->keyed)
		return (lb_group){place, LB_WHOLE_TIER};
	return (lb_group){place, zone_of(hold, place, pick)};
}

lb_group lb_group_first(const lb_selector *selector, const lb_view_hold *hold, const lb_pick *pick)
{
	uint32_t place = lb_get(&hold->view->only);

	if (place >= LB_TIERS_MAX)
		place = place_by_share(selector, hold, pick);
	if (place >= LB_TIERS_MAX)
		return (lb_group){LB_TIERS_MAX, LB_WHOLE_TIER};
	return lb_group_of(selector, hold, place, pick);
}
