/*
 * Two choices: of two (or `choices`) distinct candidates drawn by weight, the one with the fewest requests in flight for
 * its weight. Source: M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing (2001).
 *
 * In-flight counts are compared as they are, not + 1, and ties go to the first drawn: so a caller with one request at a
 * time gets the draw by weight.
 */
#include "algo/draw.h"
#include "algo/table.h"

static uint32_t pick_two_choices(void *state, const lb_tier *tier, lb_pick *pick)
{
	if (pick->refused_n > 0 || pick->rules->choices > 2)
		return lb_draw_least_loaded(state, tier, pick);
	if (tier->n == 1)
		return lb_tier_slot(tier, 0);
	bool uneven = lb_alias_uneven(state, tier);
	lb_two drawn = lb_draw_two(state, tier, pick, uneven);
	return lb_less_loaded(pick->lane, drawn.one, drawn.two, uneven);
}

const lb_algo lb_algo_two_choices = {
    .name = "two_choices", .size = lb_alias_size, .build = lb_alias_build, .pick = pick_two_choices};
