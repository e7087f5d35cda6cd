/*
 * Round robin: an exact rotation per lane, in order of addition; weights are ignored.
 *
 * A lane's cursor is the *order of addition* of the endpoint that it served last, so it means the same after endpoints
 * came, went or recovered; where that endpoint stands in the present view is only a hint beside it.
 */
#include "algo/table.h"
#include "base/apart.h"

typedef struct lb_rotation {
	lb_atomic32 order;   /* of the last one served; 0 = none */
	lb_atomic32 place;   /* a hint: where it stood */
	lb_atomic32 started; /* a random start was taken */
} lb_rotation;

/* One for each tier; a lane's lie together, on cache lines of their own. */
typedef struct lb_rotations {
	_Alignas(LB_LINE) lb_rotation tiers[LB_GROUPS_MAX];
} lb_rotations;

#define RACES_MAX 8u

static size_t size_round_robin(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return shape->lanes * sizeof(lb_rotations);
}

/* The place of the first member whose order is above `order`; the first one if there is none. */
static uint32_t place_after(const lb_tier *tier, uint32_t order)
{
	uint32_t low = 0, high = tier->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (lb_get(&tier->members[middle].order) <= order)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tier->n ? low : 0;
}

static uint32_t next_place(const lb_rotation *rotation, const lb_tier *tier, uint32_t order)
{
	uint32_t place = lb_get(&rotation->place);

	if (place >= tier->n || lb_get(&tier->members[place].order) != order)
		return place_after(tier, order);
	return place + 1 < tier->n ? place + 1 : 0;
}

static void start(lb_rotation *rotation, const lb_tier *tier, const lb_pick *pick)
{
	lb_put(&rotation->started, 1);
	if (!pick->rules->random_start || lb_get(&rotation->order) != 0)
		return;
	uint32_t place = lb_pick_place(pick, tier);
	lb_put(&rotation->order, lb_get(&tier->members[place].order));
	lb_put(&rotation->place, place);
}

/* In the shared lane each turn goes to one thread: whoever moves the order. After too many races a turn is shared. */
static uint32_t take_shared_turn(lb_rotation *rotation, const lb_tier *tier)
{
	uint32_t order = lb_get(&rotation->order);
	uint32_t place = 0;

	for (uint32_t races = 0; races < RACES_MAX; races++) {
		place = next_place(rotation, tier, order);
		if (lb_cas(&rotation->order, &order, lb_get(&tier->members[place].order)))
			break;
	}
	lb_put(&rotation->place, place);
	return lb_tier_slot(tier, place);
}

/* Whose turn it is, taking none. */
static uint32_t look_at_turn(const lb_rotation *rotation, const lb_tier *tier, const lb_pick *pick)
{
	lb_rotation asked = {0};

	if (lb_get(&rotation->started) == 0 && lb_get(&rotation->order) == 0) {
		start(&asked, tier, pick);
		rotation = &asked;
	}
	return lb_tier_slot(tier, next_place(rotation, tier, lb_get(&rotation->order)));
}

static inline uint32_t take_turn(lb_rotation *rotation, const lb_tier *tier, uint32_t place)
{
	lb_put(&rotation->order, lb_get(&tier->members[place].order));
	lb_put(&rotation->place, place);
	return lb_tier_slot(tier, place);
}

/* Any turn, in any lane. */
LB_APART static uint32_t pick_any(lb_rotation *rotation, const lb_tier *tier, const lb_pick *pick)
{
	/* the turn of one that was refused is dealt to any of the others, not to its neighbour */
	if (pick->attempt > 0)
		return lb_deal_evenly(tier, pick);
	if (pick->lane->dry)
		return look_at_turn(rotation, tier, pick);
	if (lb_get(&rotation->started) == 0)
		start(rotation, tier, pick);
	if (pick->lane->shared)
		return take_shared_turn(rotation, tier);
	return take_turn(rotation, tier, next_place(rotation, tier, lb_get(&rotation->order)));
}

/* An own lane whose last one stands where it stood goes on from there. */
static uint32_t pick_round_robin(void *state, const lb_tier *tier, lb_pick *pick)
{
	lb_rotation *rotation = &((lb_rotations *)state)[pick->lane->number].tiers[tier->number];
	uint32_t place = lb_get(&rotation->place);

	if (pick->attempt > 0 || pick->lane->dry || pick->lane->shared || place >= tier->n ||
	    lb_get(&tier->members[place].order) != lb_get(&rotation->order))
		return pick_any(rotation, tier, pick);
	return take_turn(rotation, tier, place + 1 < tier->n ? place + 1 : 0);
}

const lb_algo lb_algo_round_robin = {
    .name = "round_robin", .size = size_round_robin, .pick = pick_round_robin};
