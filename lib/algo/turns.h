/*
 * Turns: the tables of weighted round robin, one for each tier of a view, in two halves.
 *
 * cycle > 0: the smooth sequence of one cycle, as slots. cycle = 0: it would not fit, and the members' cumulated weights
 * stand in for it.
 */
#ifndef LB_ALGO_TURNS_H
#define LB_ALGO_TURNS_H

#include "algo/algo.h"

typedef struct lb_turns {
	lb_atomic32 cycle;
	lb_atomic32 offset; /* of its first cell in the half */
	lb_atomic64 weight; /* the sum of the weights */
} lb_turns;

/* Where the tables lie in an algorithm's state. */
typedef struct lb_turn_tables {
	lb_turns *turns;     /* 2 x LB_TIERS_MAX */
	lb_atomic16 *cells;  /* 2 x cells_n */
	lb_atomic64 *summed; /* 2 x slots: a member's weight and those of all before it in its tier */
	uint32_t cells_n;    /* of one half */
	uint64_t *keys;      /* control's: slots */
	void *classes;       /* control's */
} lb_turn_tables;

size_t lb_turn_tables_size(const lb_algo_shape *shape);

/* Finds the tables in memory that is aligned to a cache line. */
lb_turn_tables lb_turn_tables_at(void *memory, const lb_algo_shape *shape);

/* Writes the tables of a view that is about to be published. */
void lb_turn_tables_build(const lb_turn_tables *tables, const lb_algo_view *view);

#endif
