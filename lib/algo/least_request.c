/*
 * Least request, as Envoy's. Of equal weights: the least loaded of `choices` drawn, as two choices. Of unequal ones: earliest
 * deadline first: a member's next turn is due (in-flight + 1)^bias / weight after its last one, taken when its last one came
 * (Envoy, EdfScheduler and EdfLoadBalancerBase; Demers, Keshav, Shenker 1989 for the idea). Ties go by the order in which the
 * turns were set. Difference: newer Envoys with a bias that is configured take equal weights by deadlines, too; here they are drawn.
 *
 * Time is the scheduler's own, one clock for each lane and tier, in units of 2^-40 of a turn of weight 1, modulo 2^64: only
 * differences count. Sums of rounded costs are off by half a unit for each turn; so deadlines are compared in steps of 2^-24:
 * three turns of weight 3 end with one of weight 1 during 65,000 of them. Later such a tie may fall to either side, which moves
 * no share.
 */
#include "algo/draw.h"
#include "algo/table.h"
#include "base/block.h"
#include "base/power.h"
#include "base/span.h"

#define COST_SHIFT 40
#define COST_MAX (UINT64_C(1) << 62)
#define STEP_SHIFT 16 /* between units and steps */

/* A lane's clock for one tier. */
typedef struct lb_edf_clock {
	lb_atomic64 now;
	lb_atomic32 turns; /* set so far: the next one's number */
	lb_atomic32 started;
} lb_edf_clock;

/* A member's next turn in one lane. */
typedef struct lb_edf_turn {
	lb_atomic64 deadline;
	lb_atomic32 number;
	lb_atomic32 entry; /* the member's, see lb_edf_seat: another one = it was not here yet */
} lb_edf_turn;

/* What control knows of a slot: when it came to its tier. */
typedef struct lb_edf_seat {
	lb_atomic32 entry; /* the view since which it is there without a break */
	uint32_t seen;     /* the last view that had it in a tier; control's */
	uint32_t tier;     /* its number; control's */
} lb_edf_seat;

typedef struct lb_edf_layout {
	size_t views, seats, clocks, turns, stride;
	size_t size;
} lb_edf_layout;

/* Behind the alias tables, which come first: the number of the last view, then all this. */
static lb_edf_layout layout_of(const lb_algo_shape *shape)
{
	lb_layout lane = {0}, state = {0};
	lb_edf_layout at;

	lb_layout_add(&lane, shape->slots, sizeof(lb_edf_turn));
	at.stride = lb_layout_add(&lane, 0, 1); /* rounded up to a line */
	lb_layout_add(&state, 1, lb_alias_size(shape, NULL));
	at.views = lb_layout_add(&state, 1, sizeof(uint32_t));
	at.seats = lb_layout_add(&state, shape->slots, sizeof(lb_edf_seat));
	at.clocks = lb_layout_add(&state, shape->lanes, LB_GROUPS_MAX * sizeof(lb_edf_clock));
	at.turns = lb_layout_add(&state, shape->lanes, at.stride);
	at.size = state.size;
	return at;
}

static size_t size_least_request(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return layout_of(shape).size;
}

/* One that was away, or in another tier, comes anew: the clock went on, and nothing is owed to it. */
static void build_least_request(void *state, const lb_algo_view *view)
{
	lb_edf_layout at = layout_of(view->shape);
	lb_edf_seat *seats = lb_at(state, at.seats);
	uint32_t *views = lb_at(state, at.views);
	uint32_t last = *views;

	*views = last + 1 != 0 ? last + 1 : 1;
	for (uint32_t i = 0; i < view->tiers_n; i++) {
		const lb_tier *tier = &view->tiers[i];
		for (uint32_t place = 0; place < tier->n; place++) {
			lb_edf_seat *seat = &seats[lb_tier_slot(tier, place)];
			if (last == 0 || seat->seen != last || seat->tier != tier->number)
				lb_put(&seat->entry, *views);
			seat->seen = *views;
			seat->tier = tier->number;
		}
	}
	lb_alias_build(state, view);
}

/* One lane's scheduler of one tier. */
typedef struct lb_edf {
	const lb_tier *tier;
	const lb_pick *pick;
	const lb_edf_seat *seats;
	lb_edf_clock *clock;
	lb_edf_turn *turns; /* by slot */
	uint64_t now;
	uint32_t number; /* of the next turn that is set */
} lb_edf;

static lb_edf edf_of(void *state, const lb_tier *tier, const lb_pick *pick)
{
	const lb_algo_lane *lane = pick->lane;
	lb_edf_layout at = layout_of(lane->shape);
	lb_edf_clock *clocks = lb_at(state, at.clocks);
	lb_edf_clock *clock = &clocks[lane->number * LB_GROUPS_MAX + tier->number];

	return (lb_edf){
	    .tier = tier,
	    .pick = pick,
	    .seats = lb_at(state, at.seats),
	    .clock = clock,
	    .turns = lb_at(state, at.turns + lane->number * at.stride),
	    .now = lb_get64(&clock->now),
	    .number = lb_get(&clock->turns),
	};
}

/* In units of 2^-32. */
static uint64_t weight_of(const lb_algo_lane *lane, uint32_t slot)
{
	uint64_t weight = lb_get(&lane->weights_full[slot]);
	uint32_t ramp = lb_get(&lane->ramps[slot]);

	/* not the weights that slow start rounds to hundredths: a third has to be a third here */
	return ramp == 0 ? weight << 32 : weight * ramp;
}

/* load / weight in the clock's units, rounded to nearest; load x 2^24, weight x 2^32 below 2^53. */
static uint64_t divide(uint64_t load, uint64_t weight)
{
	const uint32_t digits = COST_SHIFT + 32 - LB_POWER_SHIFT;

	if (weight == 0 || load / weight >= COST_MAX >> digits)
		return COST_MAX;
	uint64_t quotient = load / weight, rest = load % weight;
	for (uint32_t digit = 0; digit < digits; digit += 8) {
		quotient = quotient << 8 | (rest << 8) / weight;
		rest = (rest << 8) % weight;
	}
	return quotient + (rest >= weight - rest);
}

/* What a turn that is given now costs. */
static uint64_t cost_of(const lb_pick *pick, uint32_t slot)
{
	uint64_t load = (uint64_t)lb_load_seen(&pick->lane->loads[slot]) + 1;

	return divide(lb_power((uint32_t)lb_min64(load, UINT32_MAX), pick->rules->bias_percent),
		      weight_of(pick->lane, slot));
}

static void set_turn(lb_edf *edf, uint32_t slot, uint64_t deadline)
{
	lb_edf_turn *turn = &edf->turns[slot];

	lb_put64(&turn->deadline, deadline);
	lb_put(&turn->number, edf->number++);
	lb_put(&turn->entry, lb_get(&edf->seats[slot].entry));
}

/*
 * Begins at a random turn of the cycle in which each member has as many turns as it weighs: the k-th of a member that is
 * drawn by weight. All others stand where they do then: before their first turn that is not over.
 */
static void start_at_random(lb_edf *edf)
{
	const lb_algo_lane *lane = edf->pick->lane;
	uint32_t first = lb_deal_by_weight(edf->tier, edf->pick);

	if (first == LB_NO_SLOT)
		return;
	uint64_t one = UINT64_C(1) << LB_POWER_SHIFT;
	uint64_t whole = lb_max64(weight_of(lane, first) >> 32, 1);
	uint64_t k = 1 + lb_below64(lb_pick_random(edf->pick), whole);
	uint64_t begin = k * divide(one, weight_of(lane, first));
	set_turn(edf, first, edf->now + begin);
	for (uint32_t place = 0; place < edf->tier->n; place++) {
		uint32_t slot = lb_tier_slot(edf->tier, place);
		uint64_t cost = divide(one, weight_of(lane, slot));
		if (slot != first)
			set_turn(edf, slot, edf->now + begin + cost - 1 - (begin + cost - 1) % cost);
	}
}

/* When a member is due, from now on; < 0: it is late. One that was not here yet is let in. */
static int64_t due_in(lb_edf *edf, uint32_t slot, uint32_t *number)
{
	const lb_edf_turn *turn = &edf->turns[slot];

	if (lb_get(&turn->entry) == lb_get(&edf->seats[slot].entry)) {
		*number = lb_get(&turn->number);
		return (int64_t)(lb_get64(&turn->deadline) - edf->now);
	}
	uint64_t cost = cost_of(edf->pick, slot);
	*number = edf->number;
	if (edf->pick->lane->dry)
		edf->number++;
	else
		set_turn(edf, slot, edf->now + cost);
	return (int64_t)cost;
}

/* Orders what is due, early or late, in steps, rounded to nearest. */
static uint64_t step_of(int64_t due)
{
	return ((uint64_t)due + (UINT64_C(1) << 63) + (1u << STEP_SHIFT) / 2) >> STEP_SHIFT;
}

/* The member whose deadline is the earliest of those that were not refused, and how far ahead that is. */
static uint32_t earliest(lb_edf *edf, int64_t *ahead)
{
	uint32_t best = LB_NO_SLOT, best_number = 0;
	uint64_t best_step = UINT64_MAX;

	for (uint32_t place = 0; place < edf->tier->n; place++) {
		uint32_t slot = lb_tier_slot(edf->tier, place), number;
		int64_t due = due_in(edf, slot, &number);
		uint64_t step = step_of(due);
		if (step > best_step || (step == best_step && number - best_number < INT32_MAX))
			continue;
		if (lb_pick_refused(edf->pick, slot))
			continue;
		best = slot;
		best_number = number;
		best_step = step;
		*ahead = due;
	}
	return best;
}

/*
 * The turn counts as taken although the one whose it is may be refused: then its next one comes later, and the next by
 * deadline is named. One that was passed over because the request has been there is late, and its next turn counts from the
 * one that it missed.
 */
static uint32_t pick_by_deadline(void *state, const lb_tier *tier, const lb_pick *pick)
{
	lb_edf edf = edf_of(state, tier, pick);
	int64_t ahead = 0;

	if (!pick->lane->dry && lb_get(&edf.clock->started) == 0) {
		lb_put(&edf.clock->started, 1);
		if (pick->rules->random_start)
			start_at_random(&edf);
	}
	uint32_t slot = earliest(&edf, &ahead);
	if (pick->lane->dry)
		return slot;
	if (slot != LB_NO_SLOT)
		set_turn(&edf, slot, edf.now + (uint64_t)ahead + cost_of(pick, slot));
	if (ahead > 0)
		lb_put64(&edf.clock->now, edf.now + (uint64_t)ahead);
	lb_put(&edf.clock->turns, edf.number);
	return slot;
}

static uint32_t pick_least_request(void *state, const lb_tier *tier, lb_pick *pick)
{
	return lb_alias_uneven(state, tier) ? pick_by_deadline(state, tier, pick)
					    : lb_algo_two_choices.pick(state, tier, pick);
}

const lb_algo lb_algo_least_request = {
    .name = "least_request",
    .size = size_least_request,
    .build = build_least_request,
    .pick = pick_least_request,
};
