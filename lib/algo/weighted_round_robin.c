/*
 * Weighted round robin: nginx's smooth sequence (ngx_http_upstream_round_robin.c, 2012), exactly, per lane. The sequence
 * of one cycle is written down when a view is published, so a pick is one look into a table.
 *
 * Where a cycle (the sum of the weights over their greatest common divisor) does not fit, turns are dealt by a golden-ratio
 * walk: the k-th goes to the member in whose part of the cumulated weights the k-th multiple of the golden ratio falls. Shares
 * are exact in the long run, and every member is reached. After k turns one is within 2 + 0.62 ln k of its due (11 at a million;
 * tests see 5): twice the star discrepancy of the golden ratio, L. Ramshaw 1981.
 */
#include "algo/table.h"
#include "algo/turns.h"
#include "base/block.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
#define RACES_MAX 8u

/* A lane's place in a tier's sequence. */
typedef struct lb_turn_cursor {
	lb_atomic32 at;      /* the next turn */
	lb_atomic32 started; /* a random start was taken */
	lb_atomic64 phase;   /* of the walk */
} lb_turn_cursor;

typedef struct lb_turn_cursors {
	_Alignas(LB_LINE) lb_turn_cursor tiers[LB_GROUPS_MAX];
} lb_turn_cursors;

static size_t cursors_size(const lb_algo_shape *shape)
{
	return shape->lanes * sizeof(lb_turn_cursors);
}

static size_t size_weighted_round_robin(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return cursors_size(shape) + lb_turn_tables_size(shape);
}

static void build_weighted_round_robin(void *state, const lb_algo_view *view)
{
	lb_turn_tables tables = lb_turn_tables_at(lb_at(state, cursors_size(view->shape)), view->shape);

	lb_turn_tables_build(&tables, view);
}

/* The turn at the cursor, which moves on. In the shared lane, after too many races, a turn is shared. */
static uint32_t take_turn(lb_turn_cursor *cursor, uint32_t cycle, const lb_pick *pick)
{
	uint32_t at = lb_get(&cursor->at);
	bool shared = pick->lane->shared;

	if (pick->lane->dry)
		return at < cycle ? at : 0;
	for (uint32_t races = 0; races < RACES_MAX; races++) {
		uint32_t turn = at < cycle ? at : 0;
		if (!shared) {
			lb_put(&cursor->at, turn + 1);
			return turn;
		}
		if (lb_cas(&cursor->at, &at, turn + 1))
			return turn;
	}
	return at < cycle ? at : 0;
}

/* The member in whose part of the cumulated weights `phase` falls. */
static uint32_t slot_of_phase(void *memory, const lb_algo_shape *shape, const lb_tier *tier,
			      const lb_turns *turns, uint64_t phase)
{
	lb_turn_tables tables = lb_turn_tables_at(memory, shape);
	const lb_atomic64 *summed = &tables.summed[(size_t)tier->buffer * shape->slots + tier->first];
	uint64_t mark = lb_below64(phase, lb_get64(&turns->weight));
	uint32_t low = 0, high = tier->n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (lb_get64(&summed[middle]) <= mark)
			low = middle + 1;
		else
			high = middle;
	}
	return lb_tier_slot(tier, low);
}

/* The turn of one that was refused goes to any turn at random: to the others by their weights. */
static uint32_t deal(void *memory, const lb_tier *tier, const lb_turns *turns, const lb_pick *pick)
{
	const lb_algo_shape *shape = pick->lane->shape;
	uint32_t cycle = lb_get(&turns->cycle);

	for (uint32_t draws = 0; draws < 4; draws++) {
		uint64_t random = lb_pick_random(pick);
		uint32_t slot =
		    cycle > 0 ? lb_turn_slot(memory, shape, turns, lb_below((uint32_t)(random >> 32), cycle))
			      : slot_of_phase(memory, shape, tier, turns, random);
		if (!lb_pick_refused(pick, slot))
			return slot;
	}
	return lb_deal_by_weight(tier, pick);
}

static void start(lb_turn_cursor *cursor, uint32_t cycle, const lb_pick *pick)
{
	uint64_t random = pick->rules->random_start ? lb_pick_random(pick) : 0;

	lb_put(&cursor->started, 1);
	lb_put64(&cursor->phase, random);
	if (cycle > 0 && pick->rules->random_start)
		lb_put(&cursor->at, lb_below((uint32_t)(random >> 32), cycle));
}

static uint32_t pick_weighted_round_robin(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_algo_lane *lane = pick->lane;
	void *memory = lb_at(state, cursors_size(lane->shape));
	lb_turn_cursor *cursor = &((lb_turn_cursors *)state)[lane->number].tiers[tier->number];
	const lb_turns *turns = lb_turns_of(memory, tier);
	uint32_t cycle = lb_get(&turns->cycle);

	if (pick->attempt > 0)
		return deal(memory, tier, turns, pick);
	lb_turn_cursor asked = {0};
	if (lb_get(&cursor->started) == 0) {
		cursor = pick->lane->dry ? &asked : cursor;
		start(cursor, cycle, pick);
	}
	if (cycle > 0)
		return lb_turn_slot(memory, lane->shape, turns, take_turn(cursor, cycle, pick));
	uint64_t phase = lb_get64(&cursor->phase);
	if (!pick->lane->dry)
		lb_bump64(&cursor->phase, GOLDEN, lane->shared);
	return slot_of_phase(memory, lane->shape, tier, turns, phase);
}

/* One cycle of the tier's sequence; 0 entries where it did not fit. */
static uint32_t table_weighted_round_robin(const void *state, const lb_algo_shape *shape, const lb_tier *tier,
					   uint32_t i, lb_algo_entry *entry)
{
	const void *memory = (const lb_turn_cursors *)state + shape->lanes;
	const lb_turns *turns = lb_turns_of(memory, tier);
	uint32_t cycle = lb_get(&turns->cycle);

	if (i < cycle)
		*entry = (lb_algo_entry){.slot = lb_turn_slot(memory, shape, turns, i)};
	return cycle;
}

const lb_algo lb_algo_weighted_round_robin = {
    .name = "weighted_round_robin",
    .size = size_weighted_round_robin,
    .build = build_weighted_round_robin,
    .pick = pick_weighted_round_robin,
    .table = table_weighted_round_robin,
};
