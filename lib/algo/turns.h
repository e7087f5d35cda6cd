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
	lb_atomic32 offset; /* of its first cell */
	lb_atomic64 weight; /* the sum of the weights */
} lb_turns;

/* Where the tables lie in an algorithm's state: the turns first, the cells right behind them. */
typedef struct lb_turn_tables {
	lb_turns *turns;     /* 2 x LB_GROUPS_MAX */
	lb_atomic16 *cells;  /* 2 x cells_n */
	lb_atomic64 *summed; /* 2 x slots: a member's weight and those of all before it in its tier */
	uint32_t cells_n;    /* of one half */
	uint64_t *keys;      /* control's: slots */
	void *classes;       /* control's */
} lb_turn_tables;

#define LB_TURN_CELLS 8u        /* for each slot */
#define LB_TURN_CELLS_MIN 4096u /* for a half, however few slots */

static inline uint32_t lb_turn_half(const lb_algo_shape *shape)
{
	uint32_t cells = shape->slots * LB_TURN_CELLS;

	return cells < LB_TURN_CELLS_MIN ? LB_TURN_CELLS_MIN : cells;
}

size_t lb_turn_tables_size(const lb_algo_shape *shape);

/* Finds the tables in memory that is aligned to a cache line. */
lb_turn_tables lb_turn_tables_at(void *memory, const lb_algo_shape *shape);

/* Writes the tables of a view that is about to be published. */
void lb_turn_tables_build(const lb_turn_tables *tables, const lb_algo_view *view);

/* A tier's turns, in the tables at `memory`. */
static inline const lb_turns *lb_turns_of(const void *memory, const lb_tier *tier)
{
	return (const lb_turns *)memory + tier->buffer * LB_GROUPS_MAX + tier->number;
}

/* The slot whose turn it is. A mixture of two views may point behind the cells: any turn will do then, the gates decide. */
static inline uint32_t lb_turn_slot(const void *memory, const lb_algo_shape *shape, const lb_turns *turns,
				    uint32_t turn)
{
	const lb_atomic16 *cells = (const lb_atomic16 *)((const lb_turns *)memory + 2 * LB_GROUPS_MAX);
	uint32_t cell = lb_get(&turns->offset) + turn;

	return lb_get16(&cells[cell < 2 * lb_turn_half(shape) ? cell : 0]);
}

#endif
