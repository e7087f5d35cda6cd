/* Random: a draw by weight. */
#include "algo/alias.h"
#include "algo/table.h"

static uint32_t pick_random(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_alias *alias = state;
	bool uneven = lb_alias_uneven(alias, tier);

	for (uint32_t draws = 0; draws < 4; draws++) {
		uint64_t random = lb_random_next(&pick->random);
		uint32_t slot =
		    uneven ? lb_alias_draw(alias, tier, pick->shape->slots, random)
			   : lb_get(&tier->members[lb_below((uint32_t)(random >> 32), tier->n)].slot);
		if (!lb_pick_refused(pick, slot))
			return slot;
	}
	return LB_NO_SLOT;
}

const lb_algo lb_algo_random = {"random", lb_alias_size, lb_alias_build, pick_random};
