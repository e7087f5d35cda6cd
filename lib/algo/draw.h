/* Several distinct candidates drawn by weight: what the algorithms begin with that draw and compare. */
#ifndef LB_ALGO_DRAW_H
#define LB_ALGO_DRAW_H

#include "algo/alias.h"

/*
 * Draws `wanted` (1 to LB_CHOICES_MAX) distinct slots of the tier by weight, none of them refused, in the order in which
 * they were drawn. Returns how many there are: fewer when fewer are left.
 */
uint32_t lb_draw(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick, uint32_t wanted,
		 uint32_t *slots);

/*
 * Adds to the `n` slots others of the tier that were not refused, up to `wanted`, by weight; returns how many there are then.
 * One look at each member.
 */
uint32_t lb_deal_more(const lb_tier *tier, const lb_pick *pick, uint32_t *slots, uint32_t n, uint32_t wanted);

/* Is the slot one of the first n? */
static inline bool lb_drawn(const uint32_t *slots, uint32_t n, uint32_t slot)
{
	for (uint32_t i = 0; i < n; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

/* Of `choices` drawn, the one with the fewest requests in flight for its weight; LB_NO_SLOT if all were refused. */
uint32_t lb_draw_least_loaded(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick);

/* Two slots, in the order in which they were drawn. */
typedef struct lb_two {
	uint32_t one, two;
} lb_two;

/* Two distinct slots of a tier of two or more members, by unequal weights. */
lb_two lb_draw_two_by_weight(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick);

/*
 * Two distinct slots of a tier of two or more members, refused or not: quicker than lb_draw. Equal weights take one random
 * number for both. `uneven`: lb_alias_uneven().
 */
static inline lb_two lb_draw_two(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick, bool uneven)
{
	if (uneven)
		return lb_draw_two_by_weight(alias, tier, pick);
	uint64_t random = lb_pick_random(pick);
	uint32_t one = lb_below((uint32_t)(random >> 32), tier->n);
	uint32_t two = lb_below((uint32_t)random, tier->n - 1);

	two += two >= one;
	return (lb_two){lb_tier_slot(tier, one), lb_tier_slot(tier, two)};
}

/* One of the two, without a branch: which one it is cannot be foretold, and a wrong guess costs 5 ns. */
static inline uint32_t lb_either(uint32_t one, uint32_t two, bool second)
{
	return one ^ ((one ^ two) & (0u - (uint32_t)second));
}

/* The less loaded of two. */
static inline uint32_t lb_less_loaded(const lb_algo_lane *lane, uint32_t a, uint32_t b, bool uneven)
{
	uint64_t load_a = lb_load_seen(&lane->loads[a]);
	uint64_t load_b = lb_load_seen(&lane->loads[b]);

	if (uneven) {
		/* a / weight_a <= b / weight_b, without dividing */
		load_a *= lb_get(&lane->weights[b]);
		load_b *= lb_get(&lane->weights[a]);
	}
	return lb_either(a, b, load_b < load_a);
}

#endif
