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

/* Counts the living endpoints of each priority. Any thread. */
void lb_census(const lb_pool *pool, lb_level levels[LB_LEVELS]);

#endif
