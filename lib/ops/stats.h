/* What the writers of statistics share. */
#ifndef LB_OPS_STATS_H
#define LB_OPS_STATS_H

#include "pool/pool.h"

#include <lbcore/stats.h>

/*
 * The stats of one endpoint as a part of `pool_selected`, which the caller summed up once: for all endpoints that is one
 * sum, not one for each. Returns LB_OK, LB_ENOENT.
 */
int lb_stats_part(const lb_pool *pool, lb_endpoint endpoint, uint64_t pool_selected,
		  lb_endpoint_stats *stats);

#endif
