/*
 * The writers' lock: one at a time, waited for by spinning with growing pauses. It is a lease: a holder that was not
 * seen to release it for LB_LEASE on the host's clock is taken for dead and its lock taken over. So everything that
 * is written under it must be valid at every step.
 */
#ifndef LB_BASE_LEASE_H
#define LB_BASE_LEASE_H

#include "base/atomic.h"
#include "base/env.h"

#define LB_LEASE (10 * LB_SECONDS)

typedef struct lb_lease {
	lb_atomic32 holder; /* 0 = free, else the number of this holding */
	lb_atomic32 last;   /* numbers the holdings */
} lb_lease;

/* Returns the number of this holding, for lb_lease_end; writes the time at which it was got. */
uint32_t lb_lease_begin(lb_lease *lease, const lb_env *env, lb_time *now);

/* Gives the lock back, unless another has taken it over. */
void lb_lease_end(lb_lease *lease, uint32_t holding);

#endif
