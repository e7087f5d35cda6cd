/*
 * Dealing the turns of those that were refused. Reservoir sampling (Vitter 1985, of one): one look at each member, each
 * of the eligible equally likely, or by its weight, whatever stands between them.
 */
#include "algo/algo.h"

#define DRAWS_MAX 8u /* before all members are looked at: most are eligible, so a draw or two will do */

uint32_t lb_deal_evenly(const lb_tier *tier, const lb_pick *pick)
{
	uint32_t chosen = LB_NO_SLOT, seen = 0;

	for (uint32_t draws = 0; draws < DRAWS_MAX; draws++) {
		uint32_t slot = lb_tier_slot(tier, lb_pick_place(pick, tier));
		if (!lb_pick_refused(pick, slot))
			return slot;
	}
	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		if (lb_pick_refused(pick, slot))
			continue;
		if (lb_below((uint32_t)(lb_pick_random(pick) >> 32), ++seen) == 0)
			chosen = slot;
	}
	return chosen;
}

uint32_t lb_deal_by_weight(const lb_tier *tier, const lb_pick *pick)
{
	uint32_t chosen = LB_NO_SLOT;
	uint64_t total = 0;

	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		if (lb_pick_refused(pick, slot))
			continue;
		uint32_t weight = lb_get(&pick->lane->weights[slot]);
		total += weight;
		if (lb_below64(lb_pick_random(pick), total) < weight)
			chosen = slot;
	}
	return chosen;
}
