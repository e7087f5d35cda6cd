/* Rendezvous hashing. See rendezvous.h. */
#include "algo/rendezvous.h"

#include "algo/table.h"
#include "base/wide.h"

#include <string.h>

#define LOG_SHIFT 37u /* of a fixed-point logarithm */

/* A member in the contest for one key. */
typedef struct lb_bid {
	uint64_t
	    hash; /* of the key and the name: no two names have the same, but where lb_hash(name) itself collides */
	uint32_t slot, weight;
} lb_bid;

/*
 * -log2(h / 2^64) x 2^37, within 3e-5 of itself; never rises with h. The hash is 2^-zeros x (1 - y) with y up to 1/2, and
 * -log2(1 - y) = y / ln 2 x (1 + y/2 + y^2/3 + ...): the last term stands for all that follow, exactly so at y = 1/2.
 */
static uint64_t minus_log2(uint64_t h)
{
	/* scaled by 2^31 */
	static const uint64_t terms[] = {UINT64_C(3098164009), UINT64_C(1549082004), UINT64_C(1032721336),
					 UINT64_C(774541002),  UINT64_C(619632801),  UINT64_C(516360668),
					 UINT64_C(442594858),  UINT64_C(702138900)};
	uint64_t zeros = 0, sum = 0;

	if (h == 0)
		return UINT64_C(64) << LOG_SHIFT;
	for (; h >> 63 == 0; h <<= 1)
		zeros++;
	uint64_t y = 0 - h; /* scaled by 2^64 */
	for (size_t k = sizeof terms / sizeof *terms; k-- > 0;)
		sum = terms[k] + (sum * (y >> 32) >> 32);
	return (zeros << LOG_SHIFT) + (lb_below64(y, sum << 31) >> (62 - LOG_SHIFT));
}

/* Is the score of `a` higher? The score is w / -log2 h; where it is the same, the hash decides. */
static bool outbids(const lb_bid *a, const lb_bid *b)
{
	bool higher = a->hash > b->hash;

	/* the logarithm is not asked where hash and weight agree: always, if all weights are the same */
	if (higher ? a->weight >= b->weight : a->weight <= b->weight)
		return higher;
	lb_wide own = lb_wide_product(minus_log2(a->hash), b->weight);
	lb_wide other = lb_wide_product(minus_log2(b->hash), a->weight);
	return lb_wide_less(own, other) || (higher && !lb_wide_less(other, own));
}

static lb_bid bid_of(const lb_contender *contenders, uint64_t key, uint32_t slot)
{
	return (lb_bid){
	    .hash = lb_mix64(key ^ lb_get64(&contenders[slot].name)),
	    .slot = slot,
	    .weight = lb_get(&contenders[slot].weight),
	};
}

void lb_rendezvous_build_tier(lb_contender *contenders, const lb_algo_view *view, const lb_tier *tier)
{
	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		const char *name = view->name(view->names, slot);
		lb_put64(&contenders[slot].name, lb_hash(name, strlen(name), 0));
		lb_put(&contenders[slot].weight, lb_get(&view->weights[slot]));
	}
}

void lb_rendezvous_build(lb_contender *contenders, const lb_algo_view *view)
{
	for (uint32_t i = 0; i < view->tiers_n; i++)
		lb_rendezvous_build_tier(contenders, view, &view->tiers[i]);
}

uint32_t lb_rendezvous_pick(const lb_contender *contenders, const lb_tier *tier, lb_pick *pick)
{
	uint32_t slots = pick->lane->shape->slots;
	/* keys may be small numbers: mixed, they share no bits with hashes of names */
	uint64_t key = lb_mix64(pick->key + LB_RANDOM_STEP);
	bool first = pick->attempt == 0 || pick->cursor == 0 || pick->cursor > slots;
	lb_bid last = {0}, best = {.slot = LB_NO_SLOT};

	if (!first)
		last = bid_of(contenders, key, (uint32_t)pick->cursor - 1);
	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		lb_bid bid = bid_of(contenders, key, slot);
		if (best.slot != LB_NO_SLOT && !outbids(&bid, &best))
			continue;
		if ((!first && !outbids(&last, &bid)) || lb_pick_refused(pick, slot))
			continue;
		best = bid;
	}
	if (best.slot != LB_NO_SLOT)
		pick->cursor = (uint64_t)best.slot + 1;
	return best.slot;
}

static size_t size_rendezvous(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return shape->slots * sizeof(lb_contender);
}

static void build_rendezvous(void *state, const lb_algo_view *view)
{
	lb_rendezvous_build(state, view);
}

static uint32_t pick_rendezvous(void *state, const lb_tier *tier, lb_pick *pick)
{
	return lb_rendezvous_pick(state, tier, pick);
}

const lb_algo lb_algo_rendezvous = {
    .name = "rendezvous",
    .traits = LB_ALGO_KEYED | LB_ALGO_ORDERED,
    .size = size_rendezvous,
    .build = build_rendezvous,
    .pick = pick_rendezvous,
};
