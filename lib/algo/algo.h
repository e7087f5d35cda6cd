/*
 * Algorithm: given the candidates, which one? An algorithm is one row of functions over bytes of state that the selector
 * keeps for it in the pool's block. It knows nothing of breakers, limits or health: the core checks what it picked and, if
 * that may not be used, asks again with `attempt` + 1 and the slot on the list of refused ones.
 *
 * How to add one: lib/README.md.
 */
#ifndef LB_ALGO_ALGO_H
#define LB_ALGO_ALGO_H

#include "base/random.h"
#include "core/load.h"
#include "core/record.h"

#include <lbcore/selector.h>

#define LB_TIERS_MAX 16u /* 8 priorities of healthy endpoints, then 8 of degraded ones */
#define LB_NO_SLOT UINT32_MAX
#define LB_REFUSED_MAX 12u /* tried ones and those refused in this call */

/* One candidate of a view. */
typedef struct lb_member {
	lb_atomic32 slot;
	lb_atomic32 order; /* rises with the order of addition */
} lb_member;

/* Candidates that are equally welcome: one tier of a view. Ordered by addition. */
typedef struct lb_tier {
	const lb_member *members; /* of this tier */
	uint32_t first, n;        /* where they stand in the view's array, and how many */
	uint32_t number;          /* 0..LB_TIERS_MAX-1: names the tier from one view to the next */
	uint32_t buffer;          /* 0 or 1: the half of double-buffered tables that belongs to the view */
} lb_tier;

/* What algorithms are told about their surroundings, once. */
typedef struct lb_algo_shape {
	uint32_t slots; /* slot numbers are below this */
	uint32_t lanes; /* lane 0 included */
} lb_algo_shape;

/* What control sees when it publishes. */
typedef struct lb_algo_view {
	const lb_algo_shape *shape;
	const lb_atomic32 *weights; /* by slot */
	const lb_tier *tiers;
	uint32_t tiers_n;
} lb_algo_view;

/* What a pick may go by. */
typedef struct lb_pick {
	const lb_algo_shape *shape;
	const lb_atomic32 *weights; /* by slot */
	const lb_load *loads;       /* by slot: the lane's */
	const lb_record *records;   /* by slot: the lane's */
	const lb_decay *decay;
	lb_random random;
	lb_time now;
	uint64_t key;
	uint32_t lane;
	bool shared; /* lane 0: other threads pick there, too */
	bool random_start;
	uint32_t attempt;
	uint32_t refused_n;
	uint16_t refused[LB_REFUSED_MAX];
} lb_pick;

typedef struct lb_algo {
	const char *name;
	/* Bytes of state; zeroed before the first build. */
	size_t (*size)(const lb_algo_shape *shape);
	/* Makes tables for a view that is about to be published, in the half that its tiers name. NULL = has none. */
	void (*build)(void *state, const lb_algo_view *view);
	/* Returns a slot of the tier, or LB_NO_SLOT if it finds none that was not refused. A bounded number of steps. */
	uint32_t (*pick)(void *state, const lb_tier *tier, lb_pick *pick);
} lb_algo;

/* The row of an algorithm, NULL for a value that is none. */
const lb_algo *lb_algo_row(lb_algorithm algorithm);

/* The largest state that any algorithm asks for. */
size_t lb_algo_size_max(const lb_algo_shape *shape);

static inline bool lb_pick_refused(const lb_pick *pick, uint32_t slot)
{
	for (uint32_t i = 0; i < pick->refused_n; i++)
		if (pick->refused[i] == slot)
			return true;
	return false;
}

static inline uint32_t lb_pick_random(const lb_pick *pick)
{
	return (uint32_t)(lb_random_next(&pick->random) >> 32);
}

/* A slot of the tier at random, all alike; one that was not refused, if three draws find one. */
static inline uint32_t lb_pick_any(const lb_tier *tier, const lb_pick *pick)
{
	uint32_t slot = LB_NO_SLOT;

	for (uint32_t draws = 0; draws < 3; draws++) {
		slot = lb_get(&tier->members[lb_below(lb_pick_random(pick), tier->n)].slot);
		if (!lb_pick_refused(pick, slot))
			return slot;
	}
	return LB_NO_SLOT;
}

#endif
