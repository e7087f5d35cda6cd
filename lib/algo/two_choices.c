/*
 * Two choices: of two (or `choices`) distinct candidates drawn by weight, the one with the fewest requests in flight for
 * its weight. Source: M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing (2001).
 *
 * In-flight counts are compared as they are, not + 1, and ties go to the first drawn: so a caller with one request at a
 * time gets the draw by weight.
 */
#include "algo/draw.h"
#include "algo/table.h"

/* Equal weights: two distinct places from one random number. */
static uint32_t pick_even(const lb_tier *tier, const lb_pick *pick)
{
	uint64_t random = lb_pick_random(pick);
	uint32_t one = lb_below((uint32_t)(random >> 32), tier->n);
	uint32_t two = lb_below((uint32_t)random, tier->n - 1);

	two += two >= one;
	return lb_less_loaded(pick->lane, lb_tier_slot(tier, one), lb_tier_slot(tier, two), false);
}

static uint32_t pick_two_choices(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_alias *alias = state;

	if (pick->refused_n > 0 || pick->rules->choices > 2)
		return lb_draw_least_loaded(alias, tier, pick);
	if (tier->n == 1)
		return lb_tier_slot(tier, 0);
	if (lb_alias_uneven(alias, tier))
		return lb_draw_less_loaded(alias, tier, pick);
	return pick_even(tier, pick);
}

const lb_algo lb_algo_two_choices = {
    .name = "two_choices", .size = lb_alias_size, .build = lb_alias_build, .pick = pick_two_choices};
