/* The questions that a candidate is asked, and taking it. See choice.h. */
#include "select/choice.h"

#include "base/wide.h"
#include "pool/trial.h"

static bool tried(const lb_ticket *ticket, lb_endpoint endpoint)
{
	for (uint32_t i = 0; i < ticket->attempts; i++)
		if (ticket->tried[i] == endpoint)
			return true;
	return false;
}

/* Does the slot stand in a zone that the request has been to? Nowhere is no zone. */
static bool in_tried_zone(const lb_choice *choice, uint32_t number)
{
	const lb_pool *pool = choice->pool;
	uint32_t zone = lb_get(&pool->slots[number].zone);

	for (uint32_t i = 0; zone != 0 && i < choice->ticket->attempts; i++) {
		uint32_t slot = lb_pool_slot(pool, choice->ticket->tried[i], true);
		if (slot != LB_NO_SLOT && lb_get(&pool->slots[slot].zone) == zone)
			return true;
	}
	return false;
}

/*
 * In slow start a part of an endpoint's keys is served by their next choices: always the same ones, fewer and fewer. Which ones
 * has nothing to do with their places in a table: those may come of lb_mix64(key).
 */
static bool lacks_key(const lb_choice *choice, uint32_t number)
{
	uint32_t ramp = lb_get(&choice->pool->ramps[number]);

	return ramp != 0 && (uint32_t)(lb_mix64(~choice->pick->key) >> 32) >= ramp;
}

/*
 * The bound: ceil(c x (m + 1) x weight / all weights), for m in flight in the tier, by the weights that the tables go by. Who became
 * unusable since the view was published has no part in it: else the others together could not take all. Source: Mirrokni,
 * Thorup, Zadimoghaddam, Consistent Hashing with Bounded Loads (2016).
 */
void lb_choice_bind(lb_choice *choice, const lb_tier *tier)
{
	const lb_pool *pool = choice->pool;
	uint64_t open = 0, weights = 0;

	choice->bound = 0;
	if (choice->selector->bound_percent == 0)
		return;
	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		if (slot >= pool->shape.slots || (lb_get(&pool->slots[slot].gates) & choice->shut) != 0)
			continue;
		open += lb_load_seen(&choice->lane->loads[slot]);
		weights += lb_get(&pool->weights_keyed[slot]);
	}
	choice->bound = open + 1;
	choice->bound_weights = weights;
}

/* Has it as many in flight as the bound before it is rounded up? In a zone without weight everybody has. */
static bool above_bound(const lb_choice *choice, uint32_t number)
{
	if (choice->bound == 0 || choice->bound_weights == 0)
		return false;
	uint32_t load = lb_load_seen(&choice->lane->loads[number]);
	lb_wide taken = lb_wide_product(choice->bound_weights * 100, load);
	lb_wide due = lb_wide_product(choice->bound * choice->selector->bound_percent,
				      lb_get(&choice->pool->weights_keyed[number]));

	/* a weight of 0 has a gate of its own */
	return lb_get(&choice->pool->weights[number]) != 0 && !lb_wide_less(taken, due);
}

static uint32_t soft_vetoes(const lb_choice *choice, uint32_t number)
{
	uint32_t why = 0;

	if ((choice->vetoes & LB_WHY_ZONE) != 0 && in_tried_zone(choice, number))
		why |= LB_WHY_ZONE;
	if ((choice->vetoes & LB_WHY_BOUND) != 0 && above_bound(choice, number))
		why |= LB_WHY_BOUND;
	if ((choice->vetoes & LB_WHY_RAMP) != 0 && lacks_key(choice, number))
		why |= LB_WHY_RAMP;
	return why;
}

uint32_t lb_choice_why(const lb_choice *choice, uint32_t number, uint32_t shut)
{
	const lb_pool *pool = choice->pool;
	const lb_slot *slot = &pool->slots[number];
	uint32_t why = lb_get_acquire(&slot->gates) & shut;
	uint32_t limit = lb_get(&slot->inflight_max);

	if (number == choice->skip || tried(choice->ticket, lb_pool_id_of(pool, number)))
		why |= LB_WHY_TRIED;
	if (limit != 0 && lb_pool_inflight(pool, number) >= limit)
		why |= LB_WHY_FULL;
	return choice->vetoes == 0 ? why : why | soft_vetoes(choice, number);
}

/*
 * The circuit's permit: asked for last, after every other veto. In panic the circuit is not asked either, but what becomes
 * of a call that it would not have let through tells it nothing.
 */
static bool enter_circuit(lb_choice *choice, uint32_t number)
{
	lb_pool *pool = choice->pool;
	lb_circuit *circuit = &pool->slots[number].circuit;
	lb_pass *pass = &choice->taken.pass;
	lb_time now = choice->pick->now;
	lb_turn turn;

	if (lb_circuit_closed(circuit, pass))
		return true;
	bool entered =
	    lb_circuit_enter(circuit, lb_pool_cells(pool, number), &pool->breaker, now, pass, &turn);
	lb_pool_turned(pool, number, &turn, now);
	if (entered || (choice->shut & LB_WHY_BREAKER) != 0)
		return entered;
	*pass = (lb_pass){.epoch = LB_NO_EPOCH};
	return true;
}

/*
 * Counts up. With a limit in one order with all other counts: all racers count up before they sum up, so some may be
 * refused needlessly, none gets past it.
 */
static void count_up(const lb_lane *lane, uint32_t slot, uint32_t limit)
{
	lb_atomic32 *own = &lane->loads[slot].own;

	if (limit != 0)
		lb_add(own, 1);
	else
		lb_bump(own, 1, lane->shared);
}

/* A dry choice asks the circuit without entering it. */
static bool would_enter(const lb_choice *choice, uint32_t number)
{
	const lb_pool *pool = choice->pool;
	const lb_circuit *circuit = &pool->slots[number].circuit;
	lb_time now = choice->pick->now;

	if ((choice->shut & LB_WHY_BREAKER) == 0 || !pool->has_breaker)
		return true;
	switch (lb_circuit_state(circuit, &pool->breaker, now, NULL)) {
	case LB_BREAKER_CLOSED:
		return true;
	case LB_BREAKER_HALF_OPEN:
		return lb_circuit_has_place(circuit, lb_pool_cells(pool, number), &pool->breaker, now);
	case LB_BREAKER_OPEN:
		break;
	}
	return false;
}

/*
 * Takes a slot that nothing stands in the way of, with the circuit's permit last. See take_plainly() of select.c for the two
 * looks at the gates.
 */
bool lb_choice_take(lb_choice *choice, uint32_t number, uint32_t shut)
{
	lb_pool *pool = choice->pool;
	lb_slot *slot = &pool->slots[number];
	uint32_t gates = lb_get_acquire(&slot->gates);
	uint32_t limit = lb_get(&slot->inflight_max);
	uint32_t why = lb_choice_why(choice, number, shut) | (gates & shut);

	bool open = (gates & choice->shut) == 0;
	if ((why & ~(uint32_t)LB_WHY_SOFT) == LB_WHY_FULL)
		choice->full |= open;
	if (why != 0)
		return false;
	choice->taken.slot = number;
	if (choice->pick->lane->dry)
		return would_enter(choice, number);
	count_up(choice->lane, number, limit);
	bool full = limit != 0 && lb_pool_inflight(pool, number) > limit;
	choice->full |= full && open;
	if (!full && lb_get_acquire(&slot->gates) == gates && enter_circuit(choice, number))
		return true;
	lb_count_down(choice->lane, number);
	return false;
}

void lb_choice_give_back(lb_choice *choice)
{
	lb_pool *pool = choice->pool;
	const lb_taken *taken = &choice->taken;

	if (choice->pick->lane->dry)
		return;
	lb_circuit_cancel(&pool->slots[taken->slot].circuit, lb_pool_cells(pool, taken->slot), &pool->breaker,
			  choice->pick->now, taken->pass);
	lb_count_down(choice->lane, taken->slot);
}
