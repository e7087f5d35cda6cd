/*
 * Standby: which member of a chain (the primary, place 0, and its backups) is active. A value: it is told which members may be
 * used, and says who should be active.
 *
 * Away from a member that has not been usable for hold_down: to the primary if it is usable, else to the first usable
 * backup, else nowhere. Back to the primary when it has been usable for hold_up (counted from its recovery, as VRRP counts
 * its preempt delay) and passed enough checks and trials. So a primary that flaps faster than the holds moves traffic
 * once.
 */
#ifndef LB_CORE_STANDBY_H
#define LB_CORE_STANDBY_H

#include "base/atomic.h"

#include <lbcore/failover.h>

typedef struct lb_standby_rules {
	lb_span hold_down, hold_up;
	uint32_t successes;
	bool manual_return;
} lb_standby_rules;

typedef struct lb_standby {
	lb_atomic32 word;       /* {16 bits epoch, 8 bits: 1 = forced, 8 bits: the active place} */
	lb_atomic32 passed;     /* checks and trials of the primary in a row while it stands by */
	lb_atomic64 down_since; /* the active member may not be used since then; 0 = it may */
	lb_atomic64 up_since;   /* the primary may be used again since then; 0 = it may not, or is active */
} lb_standby;

static inline uint32_t lb_standby_place(uint32_t word)
{
	return word & 0xff;
}

static inline bool lb_standby_forced(uint32_t word)
{
	return (word >> 8 & 0xff) != 0;
}

/* Starts with the primary active. */
void lb_standby_init(lb_standby *standby);

/* The word to decide by. In order, as lb_standby_switch: see lb_standby_decide. */
static inline uint32_t lb_standby_word(const lb_standby *standby)
{
	return lb_get_in_order(&standby->word);
}

/*
 * Who should be active at `now`? `usable` has bit i set if place i may be used. Read `word` first and `usable` after it, and
 * after a switch, won or lost, decide again: then whoever makes a member unusable (in order) and then decides, and whoever
 * makes that member active and then decides again, cannot both miss the other. Takes note of what it sees; writes when to ask
 * again (LB_NEVER: when something changes). Any thread.
 */
uint32_t lb_standby_decide(lb_standby *standby, const lb_standby_rules *rules, uint32_t word, uint32_t usable,
			   lb_time now, lb_time *next);

/* Ends a switch by hand: the member stays active until the rules say otherwise. */
void lb_standby_release(lb_standby *standby);

/* Makes a place active, by hand or not, if nobody switched since `word` was read. One of several threads wins. */
bool lb_standby_switch(lb_standby *standby, uint32_t word, uint32_t place, bool forced);

/* The primary passed or failed a check or a trial. */
void lb_standby_checked(lb_standby *standby, bool passed);

#endif
