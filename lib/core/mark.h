/*
 * Marks: which number a cell of a ring holds. Numbers are given by one counter, a number belongs in the cell `number modulo
 * the ring`; any thread writes, any thread reads, nobody waits. So a writer that sleeps may be lapped: its cell is wanted by
 * the next lap's number, or has it already. One of the two is given up then; never do two write the same cell, and never
 * does an old number come to stand over a newer one.
 *
 * Fields of the cell are written with releases and read with acquires between the looks at the mark: whoever sees one field
 * of another number sees, looking again, that another number was begun (as in core/recent.c).
 */
#ifndef LB_CORE_MARK_H
#define LB_CORE_MARK_H

#include "base/atomic.h"

typedef struct lb_mark {
	lb_atomic32 begun;   /* the newest number that was ever begun to be written here */
	lb_atomic32 done;    /* the newest that is written out; in order, see lb_mark_look */
	lb_atomic32 dropped; /* the last that was given up; in order */
} lb_mark;

typedef enum lb_mark_state {
	LB_MARK_COMING, /* not written out yet: its writer will come by */
	LB_MARK_WHOLE,  /* to be read now; then ask lb_mark_same */
	LB_MARK_GONE    /* given up, or overwritten by a newer one */
} lb_mark_state;

static inline bool lb_mark_newer(uint32_t number, uint32_t than)
{
	return number - than - 1 < INT32_MAX;
}

/*
 * Claims the cell for a number that this thread was given; lb_mark_end follows. False: the number is given up, for an older
 * one is still being written here, or a newer one was begun.
 */
static inline bool lb_mark_begin(lb_mark *mark, uint32_t number)
{
	uint32_t begun = lb_get_acquire(&mark->begun);

	/* acquire: what the last writer wrote comes before what we write */
	if (lb_mark_newer(number, begun) && lb_get_acquire(&mark->done) == begun &&
	    lb_cas(&mark->begun, &begun, number))
		return true;
	/* if an older number's writer overwrites this, readers wait for us until the ring is lapped: no harm */
	lb_put_in_order(&mark->dropped, number);
	return false;
}

static inline void lb_mark_end(lb_mark *mark, uint32_t number)
{
	lb_put_in_order(&mark->done, number);
}

/*
 * How does a number stand? In order, as end is and the giving up: of two writers that end and then look for each other's
 * number, one at least finds it.
 */
static inline lb_mark_state lb_mark_look(const lb_mark *mark, uint32_t number)
{
	if (lb_get_in_order(&mark->done) == number)
		return LB_MARK_WHOLE;
	if (lb_get_in_order(&mark->dropped) == number || lb_mark_newer(lb_get_acquire(&mark->begun), number))
		return LB_MARK_GONE;
	return LB_MARK_COMING;
}

/* After the cell was read: was it the number's all the while? */
static inline bool lb_mark_same(const lb_mark *mark, uint32_t number)
{
	return lb_get(&mark->begun) == number;
}

#endif
