/*
 * Least connections: the minimum of (in-flight + 1) / weight over all candidates. Exact over the lane's own counts and
 * the others' as last seen. The + 1 is the request that is to be placed (IPVS: shortest expected delay).
 */
#include "algo/least.h"
#include "algo/table.h"

static uint32_t pick_least_connections(void *state, const lb_tier *tier, lb_pick *pick)
{
	lb_scan *scan = &((lb_scan *)state)[pick->lane->number];
	uint32_t best = LB_NO_SLOT;
	uint64_t best_load = 0, best_weight = 0;

	for (uint32_t i = 0, place = lb_scan_start(scan, tier, pick); i < tier->n; i++, place++) {
		if (place == tier->n)
			place = 0;
		uint32_t slot = lb_tier_slot(tier, place);
		uint64_t load = (uint64_t)lb_load_seen(&pick->lane->loads[slot]) + 1;
		uint64_t weight = lb_get(&pick->lane->weights[slot]);
		/* load / weight < best_load / best_weight, without dividing */
		if (best != LB_NO_SLOT && load * best_weight >= best_load * weight)
			continue;
		if (pick->refused_n > 0 && lb_pick_refused(pick, slot))
			continue;
		best = place;
		best_load = load;
		best_weight = weight;
	}
	return lb_scan_end(scan, tier, pick, best);
}

const lb_algo lb_algo_least_connections = {
    .name = "least_connections", .size = lb_scan_size, .pick = pick_least_connections};
