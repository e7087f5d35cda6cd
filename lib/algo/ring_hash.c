/* Ring hash: the first point that is not before the key's place; then the next other endpoints clockwise. See ring.h. */
#include "algo/ring.h"
#include "algo/ring_points.h"
#include "algo/table.h"
#include "base/apart.h"

/* What a pick goes by: one reading of a ring, in bounds whatever it was read from. */
typedef struct lb_ring_reading {
	const lb_atomic32 *uppers, *lowers; /* from the ring's first element on, as are the others */
	const lb_atomic32 *index;
	const lb_atomic16 *slots;
	uint32_t n, bits; /* n = 0: there is none */
} lb_ring_reading;

#define FIRST (UINT64_C(1) << 40)
#define STEP (UINT64_C(1) << 16)
#define NEAR 6u /* points that are looked at without a branch */

/* A pick's way round the ring, as pick->cursor keeps it: {24 first, 24 steps, 16 the slot that was named last}. */
typedef struct lb_ring_walk {
	uint64_t first, steps;
	uint32_t last;
} lb_ring_walk;

static const lb_ring_half *half_of(const void *state, const lb_tier *tier)
{
	return &((const lb_ring_head *)state)->halves[tier->buffer];
}

static inline lb_ring_reading read_ring(const lb_ring_half *half, const lb_tier *tier)
{
	const lb_ring *ring = &half->rings[tier->number % LB_TIERS_MAX];
	uint32_t first = lb_get(&ring->first), n = lb_get(&ring->n);
	uint32_t index = lb_get(&ring->index), bits = lb_get(&ring->bits);

	if (first > half->capacity || n > half->capacity - first || bits < 1 || bits > 30 ||
	    (size_t)index + (1u << bits) + 1 > half->index_size)
		first = n = index = 0;
	lb_ring_half from = lb_ring_half_from(*half, first, index);
	return (lb_ring_reading){from.uppers, from.lowers, from.index, from.slots, n, bits};
}

/* The first of the points from `low` to `high` that is not before the hash; `high` if there is none. */
LB_APART static uint32_t search(lb_ring_reading ring, uint64_t hash, uint32_t low, uint32_t high)
{
	if (high > ring.n)
		high = ring.n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (lb_ring_point(ring.uppers, ring.lowers, middle) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many of the NEAR points from here on have less in their upper bits. */
static inline uint32_t count_less(const lb_atomic32 *uppers, uint32_t upper)
{
	return (uint32_t)((lb_get(&uppers[0]) < upper) + (lb_get(&uppers[1]) < upper) +
			  (lb_get(&uppers[2]) < upper) + (lb_get(&uppers[3]) < upper) +
			  (lb_get(&uppers[4]) < upper) + (lb_get(&uppers[5]) < upper));
}

/*
 * The first point that is not before the key's hash; behind the last one the first. A bucket has 2 to 4 points: to count a few
 * from its beginning on, even those of the next, costs less than to guess where to stop.
 */
LB_WITHIN static uint32_t find(lb_ring_reading ring, uint64_t key)
{
	uint64_t hash = ring.lowers ? key : (uint32_t)key;
	uint32_t upper = (uint32_t)(ring.lowers ? key >> 32 : key);
	uint32_t bucket = upper >> (32 - ring.bits);
	uint32_t at = lb_get(&ring.index[bucket]);

	if (ring.n <= NEAR || at >= ring.n - NEAR) {
		at = search(ring, hash, 0, ring.n);
	} else {
		/* whose line comes while the points are compared */
		lb_get16(&ring.slots[at]);
		uint32_t n = count_less(ring.uppers + at, upper);
		at += n;
		if (n == NEAR || lb_get(&ring.uppers[at]) == upper)
			at = search(ring, hash, at, lb_get(&ring.index[bucket + 1]));
	}
	return at < ring.n ? at : 0;
}

static uint64_t cursor_of(const lb_ring_walk *walk)
{
	return walk->first * FIRST + walk->steps * STEP + (walk->last & 0xffff);
}

/* Goes on clockwise to the next other slot that was not refused. */
static uint32_t walk_on(const lb_ring_reading *ring, lb_pick *pick, lb_ring_walk walk)
{
	while (walk.steps < ring->n) {
		uint64_t at = walk.first + walk.steps++;
		uint32_t slot = lb_get16(&ring->slots[at < ring->n ? at : at - ring->n]);
		if (slot == walk.last || lb_pick_refused(pick, slot))
			continue;
		walk.last = slot;
		pick->cursor = cursor_of(&walk);
		return slot;
	}
	pick->cursor = cursor_of(&walk);
	return LB_NO_SLOT;
}

/* Where the walk stands before this answer. */
static lb_ring_walk resume(const lb_ring_reading *ring, const lb_pick *pick)
{
	if (pick->attempt > 0 && !lb_pick_follows_usual(pick))
		return (lb_ring_walk){
		    .first = pick->cursor / FIRST % ring->n,
		    .steps = pick->cursor % FIRST / STEP,
		    .last = (uint32_t)pick->cursor & 0xffff,
		};
	lb_ring_walk walk = {.first = find(*ring, pick->key), .last = LB_NO_SLOT};
	if (pick->attempt > 0) {
		walk.steps = 1;
		walk.last = lb_get16(&ring->slots[walk.first]);
	}
	return walk;
}

/* Any answer but the usual. */
LB_APART static uint32_t pick_other(const lb_ring_half *half, const lb_tier *tier, lb_pick *pick)
{
	lb_ring_reading ring = read_ring(half, tier);

	if (ring.n == 0)
		return lb_rendezvous_pick(half->contenders, tier, pick);
	return walk_on(&ring, pick, resume(&ring, pick));
}

static uint32_t pick_ring_hash(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_ring_half *half = half_of(state, tier);
	lb_ring_reading ring = read_ring(half, tier);

	if (ring.n == 0 || pick->attempt > 0 || pick->refused_n > 0)
		return pick_other(half, tier, pick);
	return lb_get16(&ring.slots[find(ring, pick->key)]);
}

static bool accepts_ring_hash(const lb_algo_rules *rules)
{
	return rules->profile != LB_HASH_NGINX_IP && rules->table_size <= LB_RING_POINTS_MAX;
}

static uint64_t hash_ring_hash(const lb_algo_rules *rules, const void *key, size_t length)
{
	return lb_ring_hash_key(rules->profile, key, length);
}

/* The points in order. */
static uint32_t table_ring_hash(const void *state, const lb_algo_shape *shape, const lb_tier *tier,
				uint32_t i, lb_algo_entry *entry)
{
	lb_ring_reading ring = read_ring(half_of(state, tier), tier);

	(void)shape;
	if (i < ring.n)
		*entry = (lb_algo_entry){.slot = lb_get16(&ring.slots[i]),
					 .point = lb_ring_point(ring.uppers, ring.lowers, i)};
	return ring.n;
}

const lb_algo lb_algo_ring_hash = {
    .name = "ring_hash",
    .traits = LB_ALGO_KEYED | LB_ALGO_ORDERED,
    .accepts = accepts_ring_hash,
    .size = lb_ring_size,
    .build = lb_ring_build,
    .pick = pick_ring_hash,
    .hash = hash_ring_hash,
    .table = table_ring_hash,
};
