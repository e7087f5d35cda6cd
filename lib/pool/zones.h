/* Zones of the pool: what is told about them, and how a view's tier is divided between them. */
#ifndef LB_POOL_ZONES_H
#define LB_POOL_ZONES_H

#include "pool/pool.h"

/* The zones that a view's members stand in, as they were met; `numbers[0..n)`. n above LB_ZONES: too many to divide by. */
typedef struct lb_zone_list {
	uint32_t n;
	uint32_t numbers[LB_ZONES];
} lb_zone_list;

/* How many usable members of one tier, and how many of all, stand in each zone of the list. */
typedef struct lb_zone_census {
	uint32_t members[LB_ZONES]; /* of the tier */
	uint32_t total[LB_ZONES];   /* of its priority, unusable ones too */
} lb_zone_census;

/* The place of a zone in the list, appended if it is new; LB_ZONES if there are too many. */
uint32_t lb_zone_place(lb_zone_list *list, uint32_t zone);

/* How traffic is divided: LB_DIVIDED_*; zones are not obeyed where nothing is told of them. */
uint32_t lb_zones_divide(const lb_pool *pool);

/*
 * Divides a tier: writes its `divided`, `groups`, `own`, `local` and the groups' `until` from group `used` on, with `first` and
 * `n` of each group by the census, members in order of the list. Returns how many groups it made: 0 = it stays whole.
 */
uint32_t lb_zones_divide_tier(const lb_pool *pool, lb_view *view, lb_view_tier *tier,
			      const lb_zone_list *list, const lb_zone_census *census, uint32_t used);

/* Under control: weights as hashing sees them, where zones have weights: each zone's members share its weight by theirs. */
const lb_atomic32 *lb_zones_keyed_weights(lb_pool *pool);

#endif
