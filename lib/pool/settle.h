/*
 * Settling: what happens when a request ends, whoever ends it: the host's report, its ticket's timeout, its lane's leave.
 * The caller has closed the row; from then on exactly one thread does this.
 */
#ifndef LB_POOL_SETTLE_H
#define LB_POOL_SETTLE_H

#include "pool/pool.h"

/* Takes the outcome (lb_result or LB_OUTCOME_FORGOTTEN) of a closed row's request in. */
void lb_pool_settle(lb_pool *pool, const lb_lane *lane, const lb_entry *entry, uint32_t outcome,
		    lb_span latency, lb_time now);

/* Settles as forgotten (or, if `all`, as cancelled) what a lane's next `steps` rows hold. By the lane's owner only. */
void lb_pool_sweep(lb_pool *pool, const lb_lane *lane, uint32_t steps, bool all, lb_time now);

#endif
