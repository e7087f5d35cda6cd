/* Several distinct candidates drawn by weight. See draw.h. */
#include "algo/draw.h"

#define DRAWS_EACH 3u

uint32_t lb_draw(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick, uint32_t wanted,
		 uint32_t *slots)
{
	bool uneven = lb_alias_uneven(alias, tier);
	uint32_t n = 0;

	for (uint32_t draws = 0; n < wanted && draws < DRAWS_EACH * wanted; draws++) {
		uint32_t slot =
		    lb_alias_draw(alias, tier, pick->lane->shape->slots, uneven, lb_pick_random(pick));
		if (!lb_drawn(slots, n, slot) && !lb_pick_refused(pick, slot))
			slots[n++] = slot;
	}
	/* most of the weight was drawn or refused: deal among those that are left, the first one apart, as it wins ties */
	if (n == 0)
		n = lb_deal_more(tier, pick, slots, 0, 1);
	return n == 0 || n == wanted ? n : lb_deal_more(tier, pick, slots, n, wanted);
}

/* Another one than `slot`, all alike: when draws by weight did not find it. */
static uint32_t any_other(const lb_tier *tier, const lb_pick *pick, uint32_t slot)
{
	uint32_t place = lb_pick_place(pick, tier);

	if (lb_tier_slot(tier, place) == slot)
		place = place + 1 < tier->n ? place + 1 : 0;
	return lb_tier_slot(tier, place);
}

lb_two lb_draw_two_by_weight(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick)
{
	uint32_t below = pick->lane->shape->slots;
	uint32_t one = lb_alias_draw(alias, tier, below, true, lb_pick_random(pick));
	uint32_t two = one;

	for (uint32_t draws = 0; two == one && draws < DRAWS_EACH; draws++)
		two = lb_alias_draw(alias, tier, below, true, lb_pick_random(pick));
	return (lb_two){one, two == one ? any_other(tier, pick, one) : two};
}

uint32_t lb_draw_least_loaded(const lb_alias *alias, const lb_tier *tier, const lb_pick *pick)
{
	uint32_t drawn[LB_CHOICES_MAX];
	uint32_t n = lb_draw(alias, tier, pick, pick->rules->choices, drawn);
	bool uneven = lb_alias_uneven(alias, tier);
	uint32_t best = n == 0 ? LB_NO_SLOT : drawn[0];

	for (uint32_t i = 1; i < n; i++)
		best = lb_less_loaded(pick->lane, best, drawn[i], uneven);
	return best;
}
