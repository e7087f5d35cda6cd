/* Zones of the pool: what is told about them, and how a view's tier is divided between them. */
#ifndef LB_POOL_ZONES_H
#define LB_POOL_ZONES_H

#include "pool/view.h"

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
 * `n` of each group by the census, members in order of the list. Returns how many groups it made: 0 = it stays whole. By weight,
 * a zone without weight has no group: its members are taken out of the census, and belong to no tier.
 *
 * Degraded tiers, too: by weight as Envoy does (chooseDegradedLocality); nearby by the degraded ones that each zone has, where Envoy
 * takes the routes of the healthy ones and may find nobody.
 */
uint32_t lb_zones_divide_tier(const lb_pool *pool, lb_view *view, lb_view_tier *tier,
			      const lb_zone_list *list, lb_zone_census *census, uint32_t used);

/*
 * Under control: writes weights_keyed, the weights as hashing sees them, for the members of a view. Where zones have weights,
 * the members of each zone share its weight by theirs, tier by tier, also in panic, where all that are in the tier count. A zone
 * without weight has 0, unless no zone that has a weight has a member in the tier: then zones do not count there.
 * Source: Envoy's normalizeLocalityWeights (thread_aware_lb_impl.cc). Difference: where Envoy has nobody then, zones do not count.
 * These weights are exact but where numbers are very large; Envoy's are doubles that were rounded three times. So on a ring of
 * Envoy's a member may have a label more or less than there, and a neighbour's with it (one ring of ten), and in a table of Maglev
 * some ten of 65,537 entries may be another's.
 */
void lb_zones_weigh_keyed(lb_pool *pool, const lb_view_hold *hold);

#endif
