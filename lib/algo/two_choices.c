/*
 * Two choices: of two distinct candidates drawn by weight, the one with fewer requests in flight for its weight.
 * Source: M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing (2001).
 *
 * In-flight counts are compared as they are, not + 1, and ties go to the first drawn: so a caller with one request at a
 * time gets the draw by weight.
 */
#include "algo/alias.h"
#include "algo/table.h"

#define REDRAWS 3u

/* The less loaded of two, without a branch: which one it is cannot be foretold, and a wrong guess costs 5 ns. */
static inline uint32_t less_loaded(const lb_algo_lane *lane, uint32_t a, uint32_t b, bool uneven)
{
	uint64_t load_a = lb_load_seen(&lane->loads[a]);
	uint64_t load_b = lb_load_seen(&lane->loads[b]);

	if (uneven) {
		/* a / weight_a <= b / weight_b, without dividing */
		load_a *= lb_get(&lane->weights[b]);
		load_b *= lb_get(&lane->weights[a]);
	}
	return b ^ ((a ^ b) & (0u - (uint32_t)(load_a <= load_b)));
}

/* Equal weights: two distinct places from one random number. */
static uint32_t pick_even(const lb_tier *tier, const lb_pick *pick)
{
	uint64_t random = lb_pick_random(pick);
	uint32_t one = lb_below((uint32_t)(random >> 32), tier->n);
	uint32_t two = lb_below((uint32_t)random, tier->n - 1);

	two += two >= one;
	return less_loaded(pick->lane, lb_tier_slot(tier, one), lb_tier_slot(tier, two), false);
}

/* Another one than `slot`, all alike: when draws by weight did not find it. */
static uint32_t any_other(const lb_tier *tier, const lb_pick *pick, uint32_t slot)
{
	uint32_t place = lb_pick_place(pick, tier);

	if (lb_tier_slot(tier, place) == slot)
		place = place + 1 < tier->n ? place + 1 : 0;
	return lb_tier_slot(tier, place);
}

static uint32_t pick_uneven(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick)
{
	uint32_t slots = pick->lane->shape->slots;
	uint32_t a = lb_alias_draw(alias, tier, slots, true, lb_pick_random(pick));
	uint32_t b = a;

	for (uint32_t draws = 0; b == a && draws < REDRAWS; draws++)
		b = lb_alias_draw(alias, tier, slots, true, lb_pick_random(pick));
	if (b == a)
		b = any_other(tier, pick, a);
	return less_loaded(pick->lane, a, b, true);
}

/* Draws found one at the most: most of the weight was refused. So the two are dealt among those that are left. */
static uint32_t deal_two(const lb_tier *tier, const lb_pick *pick, uint32_t found, bool uneven)
{
	uint32_t other = LB_NO_SLOT;

	if (found == LB_NO_SLOT)
		found = lb_deal_by_weight(tier, pick);
	for (uint32_t draws = 0; (other == LB_NO_SLOT || other == found) && draws < REDRAWS; draws++)
		other = lb_deal_by_weight(tier, pick);
	if (found == LB_NO_SLOT || other == LB_NO_SLOT)
		return found;
	return less_loaded(pick->lane, found, other, uneven);
}

/* After a refusal: the same among those that were not refused. */
static uint32_t pick_again(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick, bool uneven)
{
	uint32_t slots = pick->lane->shape->slots;
	uint32_t found = LB_NO_SLOT;

	for (uint32_t draws = 0; draws < 2 * REDRAWS; draws++) {
		uint32_t slot = lb_alias_draw(alias, tier, slots, uneven, lb_pick_random(pick));
		if (slot == found || lb_pick_refused(pick, slot))
			continue;
		if (found != LB_NO_SLOT)
			return less_loaded(pick->lane, found, slot, uneven);
		found = slot;
	}
	return deal_two(tier, pick, found, uneven);
}

static uint32_t pick_two_choices(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_alias *alias = state;
	bool uneven = lb_alias_uneven(alias, tier);

	if (pick->refused_n > 0)
		return pick_again(alias, tier, pick, uneven);
	if (tier->n == 1)
		return lb_tier_slot(tier, 0);
	return uneven ? pick_uneven(alias, tier, pick) : pick_even(tier, pick);
}

const lb_algo lb_algo_two_choices = {
    .name = "two_choices", .size = lb_alias_size, .build = lb_alias_build, .pick = pick_two_choices};
