/*
 * Breakers of the pool: what a transition of an endpoint's circuit means for its gate, and when selects shall look for
 * a circuit whose open time is over.
 */
#ifndef LB_POOL_TRIAL_H
#define LB_POOL_TRIAL_H

#include "pool/pool.h"

/* Lets selects look for trials from `when` on, if they would not earlier. Any thread. */
void lb_trials_from(lb_pool *pool, lb_time when);

/* A look through the circuits begins; lb_trials_from says afterwards when the next one is due. Any thread. */
void lb_trials_begin(lb_pool *pool);

/* Under control, at ticks: mends gates that lag behind their circuits, and sets when selects shall look. */
void lb_trials_review(lb_pool *pool, lb_time now);

/* Calls with a verdict in the breaker's window at `now`, over all lanes. */
uint32_t lb_pool_window_calls(const lb_pool *pool, uint32_t slot, lb_time now);

/*
 * The window of a slot's circuit was cleared: the lanes' calls so far count no more. The one thing of a lane that others
 * write; if its owner hands calls over at the same moment, some of them still count.
 */
void lb_pool_forget_calls(lb_pool *pool, uint32_t slot);

#endif
