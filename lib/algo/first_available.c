/*
 * First available: the first member in order of addition that may be used. An in-flight limit refuses a member in the core,
 * and the next one is named; so those at the end stay idle, and can be switched off, while the first suffice.
 * Source: HAProxy's `balance first`.
 */
#include "algo/table.h"

static size_t size_first_available(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)shape;
	(void)rules;
	return 0;
}

/* The cursor is the place behind the last one that was named. */
static uint32_t pick_first_available(void *state, const lb_tier *tier, lb_pick *pick)
{
	uint64_t place = pick->attempt == 0 ? 0 : pick->cursor;

	(void)state;
	while (place < tier->n && lb_pick_refused(pick, lb_tier_slot(tier, (uint32_t)place)))
		place++;
	pick->cursor = place + 1;
	return place < tier->n ? lb_tier_slot(tier, (uint32_t)place) : LB_NO_SLOT;
}

const lb_algo lb_algo_first_available = {
    .name = "first_available",
    .traits = LB_ALGO_ORDERED,
    .size = size_first_available,
    .pick = pick_first_available,
};
