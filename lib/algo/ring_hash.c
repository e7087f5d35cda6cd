/* Ring hash: the first point that is not before the key's place; then the next other endpoints clockwise. See ring.h. */
#include "algo/ring.h"
#include "algo/ring_points.h"
#include "algo/table.h"

/* What a pick goes by: one reading of a ring, in bounds whatever it was read from. */
typedef struct lb_ring_reading {
	lb_ring_half half; /* its arrays from the ring's first element on */
	uint32_t n, bits;
} lb_ring_reading;

#define FIRST (UINT64_C(1) << 40)
#define STEP (UINT64_C(1) << 16)

/* A pick's way round the ring, as pick->cursor keeps it: {24 first, 24 steps, 16 the slot that was named last}. */
typedef struct lb_ring_walk {
	uint64_t first, steps;
	uint32_t last;
} lb_ring_walk;

static lb_ring_reading read_ring(const void *state, const lb_tier *tier)
{
	lb_ring_half half = lb_ring_half_at(state, tier->buffer);
	const lb_ring *ring = &half.rings[tier->number % LB_TIERS_MAX];
	uint32_t first = lb_get(&ring->first), n = lb_get(&ring->n);
	uint32_t index = lb_get(&ring->index), bits = lb_get(&ring->bits);
	size_t index_end = lb_ring_index_stride(lb_ring_stride(half.capacity));

	if (first > half.capacity || n > half.capacity - first || bits < 1 || bits > 30 ||
	    (size_t)index + (1u << bits) + 1 > index_end)
		n = 0;
	if (n == 0)
		first = index = 0;
	return (lb_ring_reading){.half = lb_ring_half_from(half, first, index), .n = n, .bits = bits};
}

/* The first point that is not before the hash; behind the last one the first. */
static uint32_t find(const lb_ring_reading *ring, uint64_t hash)
{
	uint32_t bucket = (uint32_t)(hash >> (ring->half.width - ring->bits));
	uint32_t low = lb_get(&ring->half.index[bucket]), high = lb_get(&ring->half.index[bucket + 1]);

	if (high > ring->n)
		high = ring->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (lb_ring_point(&ring->half, middle) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ring->n ? low : 0;
}

static lb_ring_walk resume(const lb_ring_reading *ring, const lb_pick *pick)
{
	if (pick->attempt == 0) {
		uint64_t hash = ring->half.width == 32 ? (uint32_t)pick->key : pick->key;
		return (lb_ring_walk){.first = find(ring, hash), .last = LB_NO_SLOT};
	}
	return (lb_ring_walk){
	    .first = pick->cursor / FIRST % ring->n,
	    .steps = pick->cursor % FIRST / STEP,
	    .last = (uint32_t)pick->cursor & 0xffff,
	};
}

static uint64_t cursor_of(const lb_ring_walk *walk)
{
	return walk->first * FIRST + walk->steps * STEP + (walk->last & 0xffff);
}

static uint32_t pick_ring_hash(void *state, const lb_tier *tier, lb_pick *pick)
{
	lb_ring_reading ring = read_ring(state, tier);

	if (ring.n == 0)
		return lb_rendezvous_pick(ring.half.contenders, tier, pick);
	lb_ring_walk walk = resume(&ring, pick);
	while (walk.steps < ring.n) {
		uint64_t at = walk.first + walk.steps++;
		uint32_t slot = lb_get16(&ring.half.slots[at < ring.n ? at : at - ring.n]);
		if (slot == walk.last || lb_pick_refused(pick, slot))
			continue;
		walk.last = slot;
		pick->cursor = cursor_of(&walk);
		return slot;
	}
	pick->cursor = cursor_of(&walk);
	return LB_NO_SLOT;
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
	lb_ring_reading ring = read_ring(state, tier);

	(void)shape;
	if (i < ring.n)
		*entry = (lb_algo_entry){.slot = lb_get16(&ring.half.slots[i]),
					 .point = lb_ring_point(&ring.half, i)};
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
