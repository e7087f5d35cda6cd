/*
 * Building rings. The labels are hashed twice: to count how many points have the same top bits, which is the index, and to put
 * each among those. What is left is to sort a few points at a time, in place: no memory besides the ring's own.
 */
#include "algo/ring.h"
#include "algo/ring_plan.h"
#include "algo/ring_points.h"
#include "base/span.h"

#include <string.h>

#define POINTS_USUAL UINT64_C(1048576) /* of a half, where 4 x 160 for each slot were more */
#define POINTS_FEW 65536u              /* unequal weights take many, however few slots */
#define INDEX_SPARE 3u                 /* entries of a tier's index besides: the least and the end */

/* One tier's ring in the making. Until it is done, places of the tier stand where slots will. */
typedef struct lb_ring_draft {
	const lb_algo_view *view;
	const lb_tier *tier;
	lb_ring_half half; /* its arrays from this ring's first element on */
	lb_ring_plan plan;
	uint32_t n, bits, taken;
} lb_ring_draft;

/* Four times 160 points for each slot, if those are not too many; 160 in any case. */
static uint64_t usual_capacity(const lb_algo_shape *shape)
{
	uint64_t least = (uint64_t)shape->slots * LB_RING_POINTS;

	return 4 * least < POINTS_USUAL ? 4 * least : lb_max64(least, POINTS_USUAL);
}

static uint64_t capacity_of(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	uint32_t size = rules->table_size;

	switch (rules->profile) {
	case LB_HASH_KETAMA:
	case LB_HASH_LIBMEMCACHED:
		return size != 0 ? size : (uint64_t)shape->slots * LB_RING_POINTS;
	case LB_HASH_NGINX:
		return size != 0 ? size : lb_max64(usual_capacity(shape), POINTS_FEW);
	case LB_HASH_ENVOY:
		/* with equal weights the ring is less than a point of each larger than asked for */
		size = size != 0 ? size : LB_RING_ENVOY_SIZE;
		return lb_max64(lb_max64(usual_capacity(shape), POINTS_FEW), (uint64_t)size + shape->slots);
	default:
		return size != 0 ? size : usual_capacity(shape);
	}
}

static uint32_t points_of_half(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	uint64_t capacity = capacity_of(shape, rules);

	return capacity < LB_RING_POINTS_MAX ? (uint32_t)capacity : LB_RING_POINTS_MAX;
}

static uint32_t width_of(const lb_algo_rules *rules)
{
	return rules->profile == LB_HASH_LBCORE || rules->profile == LB_HASH_ENVOY ? 64 : 32;
}

/* Elements of a half's arrays, so that each array begins on a cache line; an index has 2 entries for 4 points. */
static size_t stride_of(uint32_t capacity)
{
	return ((size_t)capacity + 31) & ~(size_t)31;
}

static size_t index_stride_of(size_t stride)
{
	return stride / 2 + (size_t)LB_TIERS_MAX * INDEX_SPARE;
}

size_t lb_ring_size(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	size_t stride = stride_of(points_of_half(shape, rules));

	return sizeof(lb_ring_head) + 2 * stride * (width_of(rules) / 8 + sizeof(lb_atomic16)) +
	       2 * index_stride_of(stride) * sizeof(lb_atomic32) + shape->slots * sizeof(lb_contender);
}

static void put_point(const lb_ring_half *half, uint32_t at, uint64_t point)
{
	lb_put(&half->uppers[at], (uint32_t)(half->lowers ? point >> 32 : point));
	if (half->lowers)
		lb_put(&half->lowers[at], (uint32_t)point);
}

static uint64_t get_point(const lb_ring_half *half, uint32_t at)
{
	return lb_ring_point(half->uppers, half->lowers, at);
}

static uint32_t bucket_of(const lb_ring_draft *draft, uint64_t point)
{
	return (uint32_t)(point >> ((draft->half.lowers ? 64 : 32) - draft->bits));
}

static const char *name_of(const lb_ring_draft *draft, uint32_t place)
{
	return draft->view->name(draft->view->names, lb_tier_slot(draft->tier, place));
}

/* Our own ring is made of names alone, so names decide where points are the same; others go by the order of addition. */
static bool after(const lb_ring_draft *draft, uint32_t at, uint64_t point, uint32_t place)
{
	uint64_t other = get_point(&draft->half, at);
	uint32_t other_place = lb_get16(&draft->half.slots[at]);

	if (other != point)
		return other > point;
	if (draft->plan.profile == LB_HASH_LBCORE)
		return strcmp(name_of(draft, other_place), name_of(draft, place)) > 0;
	return other_place > place;
}

static void copy_entry(const lb_ring_half *half, uint32_t to, uint32_t from)
{
	put_point(half, to, get_point(half, from));
	lb_put16(&half->slots[to], lb_get16(&half->slots[from]));
}

/* Shell's sort (CACM 2, 1959): for the few that there are it is an insertion; many do not make it hang. */
static void sort_points(const lb_ring_draft *draft, uint32_t first, uint32_t end)
{
	uint32_t n = end - first, gap = 1;

	while (gap < n / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (uint32_t i = first + gap; i < end; i++) {
			uint64_t point = get_point(&draft->half, i);
			uint32_t place = lb_get16(&draft->half.slots[i]), at = i;
			for (; at >= first + gap && after(draft, at - gap, point, place); at -= gap)
				copy_entry(&draft->half, at, at - gap);
			put_point(&draft->half, at, point);
			lb_put16(&draft->half.slots[at], place);
		}
	}
}

/* Hashes all labels; each point is counted, or put at its bucket's next place. */
static void hash_labels(lb_ring_draft *draft, bool put)
{
	uint32_t points_n = lb_ring_points_of_label(draft->plan.profile);
	lb_labels labels;

	lb_ring_plan_restart(&draft->plan);
	for (uint32_t place = 0; place < draft->tier->n; place++) {
		uint32_t slot = lb_tier_slot(draft->tier, place);
		uint32_t left = lb_ring_plan_next(&draft->plan, lb_get(&draft->view->weights[slot]));
		lb_labels_begin(&labels, draft->plan.profile, name_of(draft, place));
		for (; left > 0; left--) {
			uint64_t points[4];
			lb_labels_next(&labels, points);
			for (uint32_t i = 0; i < points_n; i++) {
				lb_atomic32 *bucket = &draft->half.index[bucket_of(draft, points[i])];
				uint32_t at = lb_get(bucket);
				lb_put(bucket, at + 1);
				if (!put)
					continue;
				put_point(&draft->half, at, points[i]);
				lb_put16(&draft->half.slots[at], place);
			}
		}
	}
}

/* Counts become beginnings. */
static void sum_up(const lb_ring_draft *draft)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 1u << draft->bits; i++) {
		uint32_t count = lb_get(&draft->half.index[i]);
		lb_put(&draft->half.index[i], sum);
		sum += count;
	}
}

/* nginx drops a point that is there already: the one who was added first keeps it. */
static uint32_t drop_doubles(const lb_ring_draft *draft, uint32_t to, uint32_t first, uint32_t end)
{
	bool drops = draft->plan.profile == LB_HASH_NGINX;

	for (uint32_t at = first; at < end; at++) {
		if (drops && at > first && get_point(&draft->half, at) == get_point(&draft->half, to - 1))
			continue;
		copy_entry(&draft->half, to++, at);
	}
	return to;
}

/* Sorts bucket by bucket. An index entry holds its bucket's end now, and gets its beginning. */
static void finish(lb_ring_draft *draft)
{
	uint32_t buckets = 1u << draft->bits, first = 0, to = 0;

	for (uint32_t i = 0; i < buckets; i++) {
		uint32_t end = lb_get(&draft->half.index[i]);
		sort_points(draft, first, end);
		lb_put(&draft->half.index[i], to);
		to = drop_doubles(draft, to, first, end);
		first = end;
	}
	lb_put(&draft->half.index[buckets], to);
	for (uint32_t at = 0; at < to; at++) {
		uint32_t place = lb_get16(&draft->half.slots[at]);
		lb_put16(&draft->half.slots[at], lb_tier_slot(draft->tier, place));
	}
	draft->n = to;
}

/* A bucket for 2 to 4 points. */
static uint32_t bits_for(uint32_t points)
{
	uint32_t bits = 1;

	while (UINT32_C(4) << bits <= points)
		bits++;
	return bits;
}

static void fill(lb_ring_draft *draft)
{
	draft->taken = (uint32_t)draft->plan.total * lb_ring_points_of_label(draft->plan.profile);
	draft->bits = bits_for(draft->taken);
	for (uint32_t i = 0; i <= 1u << draft->bits; i++)
		lb_put(&draft->half.index[i], 0);
	hash_labels(draft, false);
	sum_up(draft);
	hash_labels(draft, true);
	finish(draft);
}

/* What a ring is made of, in 64 bits that are not 0. A slot's order is new when it gets a new name. */
static uint64_t print_of(const lb_algo_view *view, uint32_t place, uint32_t first, uint32_t room)
{
	const lb_tier *tier = &view->tiers[place];
	uint64_t print = lb_mix64((uint64_t)first << 32 | room) ^ ((uint64_t)place << 32 | tier->n);

	for (uint32_t i = 0; i < tier->n; i++) {
		uint32_t slot = lb_tier_slot(tier, i);
		uint32_t weight = lb_get(&view->weights[slot]);
		print = lb_mix64(print ^ ((uint64_t)lb_get(&tier->members[i].order) << 32 | slot)) + weight;
	}
	return lb_mix64(print) | 1;
}

/* Where the tier at `place` has its index, behind those of the points before it. */
static uint32_t index_at(uint32_t first, uint32_t place)
{
	return first / 2 + place * INDEX_SPARE;
}

static void build_ring(lb_ring_draft *draft, lb_ring *ring, uint32_t first, uint32_t place)
{
	uint32_t index = index_at(first, place);
	bool fits = draft->tier->n <= draft->plan.room;

	lb_put(&ring->n, 0);
	lb_put(&ring->first, first);
	lb_put(&ring->index, index);
	draft->half = lb_ring_half_from(draft->half, first, index);
	if (fits)
		fill(draft);
	else
		lb_rendezvous_build_tier(draft->half.contenders, draft->view, draft->tier);
	lb_put(&ring->taken, draft->taken);
	lb_put(&ring->bits, draft->bits);
	lb_put(&ring->n, draft->n);
}

/* Makes a tier's ring unless it is there already. Returns how many points of the half are its own. */
static uint32_t build_tier(lb_ring_half half, const lb_algo_view *view, uint32_t place, uint32_t first,
			   uint32_t room)
{
	const lb_tier *tier = &view->tiers[place];
	lb_ring *ring = &half.rings[tier->number % LB_TIERS_MAX];
	uint64_t print = print_of(view, place, first, room);

	if (lb_get64(&ring->print) == print)
		return lb_get(&ring->taken);
	lb_put64(&ring->print, 0);
	lb_ring_draft draft = {.view = view, .tier = tier, .half = half};
	draft.plan = lb_ring_plan_of(view, tier, room, half.capacity / view->shape->slots);
	build_ring(&draft, ring, first, place);
	lb_put64(&ring->print, print);
	return draft.taken;
}

/* Rings that the view does not have are overwritten by those that it has. */
static void forget_others(const lb_ring_half *half, const lb_algo_view *view)
{
	uint32_t listed = 0;

	for (uint32_t i = 0; i < view->tiers_n; i++)
		listed |= 1u << view->tiers[i].number % LB_TIERS_MAX;
	for (uint32_t number = 0; number < LB_TIERS_MAX; number++)
		if ((listed >> number & 1) == 0)
			lb_put64(&half->rings[number].print, 0);
}

/* Where the arrays lie that lb_ring_size made room for. */
static void lay_out(lb_ring_head *head, uint32_t capacity, uint32_t width)
{
	size_t stride = stride_of(capacity), index_stride = index_stride_of(stride);
	lb_atomic32 *uppers = (lb_atomic32 *)(head + 1), *lowers = uppers + 2 * stride;
	lb_atomic32 *index = width == 64 ? lowers + 2 * stride : lowers;
	lb_atomic16 *slots = (lb_atomic16 *)(index + 2 * index_stride);

	for (uint32_t half = 0; half < 2; half++)
		head->halves[half] = (lb_ring_half){
		    .rings = head->rings[half],
		    .uppers = uppers + half * stride,
		    .lowers = width == 64 ? lowers + half * stride : NULL,
		    .index = index + half * index_stride,
		    .index_size = index_stride,
		    .slots = slots + half * stride,
		    .contenders = lb_at(slots, 2 * stride * sizeof *slots),
		    .capacity = capacity,
		};
}

void lb_ring_build(void *state, const lb_algo_view *view)
{
	lb_ring_head *head = state;
	uint32_t first = 0, later = 0;

	if (view->tiers_n == 0)
		return;
	if (head->halves[0].capacity == 0)
		lay_out(head, points_of_half(view->shape, view->rules), width_of(view->rules));
	lb_ring_half half = head->halves[view->tiers[0].buffer];
	forget_others(&half, view);
	for (uint32_t i = 0; i < view->tiers_n; i++)
		later += view->tiers[i].n;
	for (uint32_t i = 0; i < view->tiers_n; i++) {
		if (view->tiers[i].n == 0)
			continue;
		/* a tier that comes later has a share for each of its members for certain */
		later -= view->tiers[i].n;
		uint32_t kept = half.capacity / view->shape->slots * later;
		first += build_tier(half, view, i, first, half.capacity - first - kept);
	}
}
