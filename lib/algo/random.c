/* Random: a draw by weight. */
#include "algo/alias.h"
#include "algo/table.h"

static uint32_t pick_random(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_alias *alias = state;
	bool uneven = lb_alias_uneven(alias, tier);
	uint32_t slots = pick->lane->shape->slots;

	for (uint32_t draws = 0; draws < 4; draws++) {
		uint32_t slot = lb_alias_draw(alias, tier, slots, uneven, lb_pick_random(pick));
		if (!lb_pick_refused(pick, slot))
			return slot;
	}
	return lb_deal_by_weight(tier, pick);
}

const lb_algo lb_algo_random = {
    .name = "random", .size = lb_alias_size, .build = lb_alias_build, .pick = pick_random};
