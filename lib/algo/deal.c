/*
 * Dealing the turns of those that were refused. Reservoir sampling (Vitter 1985, of one): one look at each member, each
 * of the eligible equally likely, or by its weight, whatever stands between them.
 */
#include "algo/draw.h"

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

/*
 * Sampling by weight without replacement, in one look at each member: a reservoir of k, in which a member replaces any
 * with the chance k x weight / the weight so far (M.-T. Chao 1982; certain where that is above 1).
 */
uint32_t lb_deal_more(const lb_tier *tier, const lb_pick *pick, uint32_t *slots, uint32_t n, uint32_t wanted)
{
	uint32_t k = wanted - n, seen = 0;
	uint64_t total = 0;

	for (uint32_t place = 0; place < tier->n && k > 0; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		if (lb_pick_refused(pick, slot) || lb_drawn(slots, n, slot))
			continue;
		uint32_t weight = lb_get(&pick->lane->weights[slot]);
		total += weight;
		if (seen < k)
			slots[n + seen++] = slot;
		else if (lb_below64(lb_pick_random(pick), total) < (uint64_t)k * weight)
			slots[n + lb_below((uint32_t)(lb_pick_random(pick) >> 32), k)] = slot;
	}
	return n + seen;
}

uint32_t lb_deal_by_weight(const lb_tier *tier, const lb_pick *pick)
{
	uint32_t slot;

	return lb_deal_more(tier, pick, &slot, 0, 1) == 1 ? slot : LB_NO_SLOT;
}
