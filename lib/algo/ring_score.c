/* Picks by score. See ring_score.h. */
#include "algo/ring_score.h"

/* -log2 of x / 2^32 in 2^-16ths, for x from 1, by repeated squaring (Knuth, TAOCP 1, 1.2.2, exercise 25). */
static uint64_t depth_of(uint64_t x)
{
	uint64_t depth = 0;

	for (; x < UINT64_C(1) << 31; x <<= 1)
		depth += 65536;
	for (uint64_t part = 32768; part > 0; part >>= 1) {
		x = x * x >> 31;
		if (x >= UINT64_C(1) << 32)
			x >>= 1;
		else
			depth += part;
	}
	return depth;
}

/* Less is better: the depth of a random number over the weight; in the low bits more of the hash, to tell equals apart. */
static uint64_t score_of(uint64_t name, uint64_t key, uint32_t weight)
{
	uint64_t hash = lb_mix64(lb_mix64(name ^ key) + name);
	uint64_t depth = depth_of((hash >> 32) + 1);

	return ((depth << 20) / (weight > 0 ? weight : 1)) << 22 | (hash & 0x3fffff);
}

uint32_t lb_ring_pick_by_score(const lb_atomic64 *names, const lb_tier *tier, lb_pick *pick)
{
	const lb_algo_lane *lane = pick->lane;
	uint64_t last = pick->attempt > 0 ? pick->cursor : 0, best = UINT64_MAX;
	uint32_t found = LB_NO_SLOT;

	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		if (slot >= lane->shape->slots || lb_pick_refused(pick, slot))
			continue;
		uint64_t score = score_of(lb_get64(&names[slot]), pick->key, lb_get(&lane->weights[slot]));
		if (score >= best || (pick->attempt > 0 && score <= last))
			continue;
		best = score;
		found = slot;
	}
	pick->cursor = best;
	return found;
}
