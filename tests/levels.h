/* A crowd in levels of priority and in zones, that is asked in turn with random numbers that count up. */
#ifndef LEVELS_H
#define LEVELS_H

#include "crowd.h"

/* In panic below so many per cent; 0 = never. */
static inline void level_open(crowd *c, uint32_t panic_percent)
{
	lb_pool_config config = crowd_config();

	config.panic_percent = panic_percent;
	crowd_open(c, &config, LB_ROUND_ROBIN, true);
}

/* Adds a level: so many endpoints, of which so many are healthy and degraded; the others are unhealthy. */
static inline void level_add(crowd *c, uint32_t level, uint32_t total, uint32_t healthy, uint32_t degraded)
{
	crowd_add(c, (int)healthy, level, 0, LB_HEALTHY);
	crowd_add(c, (int)degraded, level, 0, LB_DEGRADED);
	crowd_add(c, (int)(total - healthy - degraded), level, 0, LB_UNHEALTHY);
}

/* Picks, with `random` for the first draw and what follows it for later ones. */
static inline int level_pick_at(crowd *c, uint64_t random, uint32_t *reason)
{
	c->w.random = random;
	int e = crowd_pick(c, NULL, reason);
	ck_assert_int_ge(e, 0);
	return e;
}

#endif
