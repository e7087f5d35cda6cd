/* Census: which part of a view each endpoint belongs to, and how many there are of each kind. */
#ifndef LB_POOL_CENSUS_H
#define LB_POOL_CENSUS_H

#include "pool/pool.h"

/* What an endpoint is to its priority. */
typedef enum lb_standing {
	LB_EXCLUDED, /* by intent: drained, down, removed, without weight, standing by */
	LB_UNUSABLE, /* health or its breaker keeps it out */
	LB_USABLE,   /* healthy, or not known yet */
	LB_USABLE_DEGRADED
} lb_standing;

lb_standing lb_standing_of(const lb_slot *slot);

/* Was it usable when somebody was for the last time? */
static inline bool lb_was_good(const lb_pool *pool, uint32_t slot)
{
	uint32_t good = lb_get(&pool->header->good);

	return good != 0 && lb_get(&pool->about[slot].good) == good;
}

/* Counts the living endpoints of each priority. Any thread. */
void lb_census(const lb_pool *pool, lb_level levels[LB_LEVELS]);

/*
 * What each priority gets by the pool's rules, its fail_mode included; in panic `healthy` is all of it. Returns what traffic
 * goes by: LB_VIEW_*. Any thread.
 */
uint32_t lb_census_share(const lb_pool *pool, const lb_level levels[LB_LEVELS], lb_shares *shares);

#endif
