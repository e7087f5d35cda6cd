/*
 * Ramps: slow start of the pool's endpoints. Who was not usable when the last view was made and is now, or whose breaker
 * closed since then, begins with a part of its weight. From the weights and the ramps come the weights that algorithms see.
 */
#ifndef LB_POOL_RAMPS_H
#define LB_POOL_RAMPS_H

#include "pool/pool.h"

/*
 * Under control, before a view is made: begins the ramps that are due and works out all weights of now. Returns whether one
 * changed.
 */
bool lb_ramps_follow(lb_pool *pool, lb_time now);

/* When a running ramp shall be looked at again, LB_NEVER if none runs: a hundredth of the window on. */
lb_time lb_ramps_next(const lb_pool *pool, lb_time now);

/* The weight of a slot as people see it: in units of the configured one, at least 1 if that is. */
uint32_t lb_ramps_weight(const lb_pool *pool, uint32_t slot);

#endif
