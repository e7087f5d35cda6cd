/*
 * A sliding time window over calls and failures, cheap for those who succeed.
 *
 * Time is cut into buckets of window / LB_WINDOW_BUCKETS. A writer (a lane, or the lone breaker) counts its calls in a
 * running total that it keeps anyway; its *tally* remembers what that total was when the bucket began. So a call
 * costs one comparison, and only once per bucket does the writer hand its calls over to the shared *window*. Failures,
 * being rare, go into the window at once. Calls in the window = the window's buckets + each writer's calls since its
 * bucket began.
 *
 * A bucket's word holds {8 bits: low bits of the bucket's number, 24 bits: count}. Adding to a word whose number is
 * another one starts it anew, in one compare-and-swap: nobody ever has to clear a bucket. After so long a silence that
 * the 8 bits could lie (over 245 buckets), whoever comes first clears the ring.
 */
#ifndef LB_CORE_WINDOW_H
#define LB_CORE_WINDOW_H

#include "base/atomic.h"
#include "base/span.h"

#define LB_WINDOW_BUCKETS 10u

typedef struct lb_window {
	lb_atomic32 newest; /* the newest bucket's number, low 32 bits */
	lb_atomic32 turned; /* the bucket to which the shared writers' tally was turned: one of them wins */
	lb_atomic32 calls[LB_WINDOW_BUCKETS];
	lb_atomic32 failures[LB_WINDOW_BUCKETS];
} lb_window;

typedef struct lb_tally {
	lb_atomic64 begun; /* 1 + when the bucket that is being counted began; 0 = none yet */
	lb_atomic32 base;  /* the writer's running total of calls when that bucket began, modulo 2^32 */
	lb_atomic32 spare; /* fills the struct up; its owner may keep a word of its own here */
} lb_tally;

/* Is it time for lb_tally_turn? `bucket` = the length of a bucket. True also when the clock stepped back. */
static inline bool lb_tally_due(const lb_tally *tally, lb_span bucket, lb_time now)
{
	uint64_t begun = lb_get64(&tally->begun);

	return now + 1 - begun >= bucket || begun == 0;
}

/* A call that is in the writer's total is none of this window's. */
static inline void lb_tally_skip(lb_tally *tally, bool shared)
{
	lb_bump(&tally->base, 1, shared);
}

/*
 * Hands the calls of the writer's past bucket over to the window and begins a new bucket. `total` is the writer's
 * running total before the call that is being counted. If `shared`, several threads write this tally: one of them wins.
 */
void lb_tally_turn(lb_tally *tally, lb_window *window, lb_span bucket, lb_time now, uint64_t total,
		   bool shared);

/* The writer's calls that the window does not hold yet and that are not older than the window. */
uint32_t lb_tally_calls(const lb_tally *tally, lb_span bucket, lb_time now, uint64_t total);

/* Counts a failure. */
void lb_window_fail(lb_window *window, lb_span bucket, lb_time now);

/* What the window holds at `now`. */
uint32_t lb_window_calls(const lb_window *window, lb_span bucket, lb_time now);
uint32_t lb_window_failures(const lb_window *window, lb_span bucket, lb_time now);

/* Forgets everything; racing adds may survive. Tallies are restarted by their writers: see lb_tally_restart. */
void lb_window_clear(lb_window *window);

/* Forgets a tally's open bucket: the writer's calls so far count no more. */
void lb_tally_restart(lb_tally *tally, uint64_t total);

#endif
