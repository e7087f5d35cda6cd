/*
 * Zones: how the traffic of one level of priority is divided between its zones. Two ways, both pure functions.
 *
 * By weight (lb_zone_weights): a zone's effective weight is its weight x min(1, overprovisioning x healthy / total), so that a
 * zone in which too many are sick sheds traffic to the others.
 * Source: Envoy's locality weighted load balancing (effectiveLocalityWeight), in fixed point.
 *
 * Nearby first (lb_zone_routes): callers stay in their own zone as far as it has as large a part of the endpoints as it has of
 * the callers; what is too much goes to the zones with more endpoints than callers, in proportion. So each endpoint gets as
 * much as any other, and as little as possible crosses zones.
 * Source: Envoy's zone aware routing (regenerateLocalityRoutingStructures, calculateLocalityPercentages), to its 1/10000.
 *
 * They only work the numbers out; select/group.c draws by them.
 */
#ifndef LB_CORE_ZONES_H
#define LB_CORE_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#define LB_ZONES 16
#define LB_ZONE_PARTS 1000000u /* shares by weight: parts of the whole */
#define LB_ZONE_ROUTES 10000u  /* nearby first: parts of the whole */

typedef struct lb_zone_weight {
	uint32_t weight;
	uint32_t total; /* endpoints, without the excluded ones */
	uint32_t healthy;
} lb_zone_weight;

typedef struct lb_zone_shares {
	uint32_t n;
	uint32_t until
	    [LB_ZONES]; /* cumulative: the zone's share and those of all before it; the last is the whole, or 0 */
} lb_zone_shares;

/*
 * Divides by effective weight. Each share is within 1 of exact; zones with weight 0 or nobody healthy get 0. `n` from 1 to
 * LB_ZONES. Returns false if there is nothing to divide by.
 */
bool lb_zone_weights(lb_zone_shares *shares, const lb_zone_weight *zones, uint32_t n,
		     uint32_t overprovision_percent);

/* A zone's share in parts of LB_ZONE_PARTS. */
static inline uint32_t lb_zone_share(const lb_zone_shares *shares, uint32_t zone)
{
	return shares->until[zone] - (zone > 0 ? shares->until[zone - 1] : 0);
}

typedef struct lb_zone_counts {
	uint32_t callers;   /* of our own kind: who else sends traffic to these endpoints */
	uint32_t endpoints; /* healthy ones */
} lb_zone_counts;

typedef enum lb_zone_way {
	LB_ZONE_ANY,   /* zones do not matter: too few zones, callers or endpoints to say anything */
	LB_ZONE_LOCAL, /* all to the own zone */
	LB_ZONE_SPLIT  /* `local` of it to the own zone, what is left by `until` */
} lb_zone_way;

typedef struct lb_zone_routes {
	lb_zone_way way;
	uint32_t n, own;
	uint32_t local;           /* parts of LB_ZONE_ROUTES that stay */
	uint32_t until[LB_ZONES]; /* cumulative residual capacity; the last may be 0: nobody has any left */
} lb_zone_routes;

/*
 * Works out the routes of callers in zone `own`. `n` from 1 to LB_ZONES. Zones do not matter with fewer than `least` endpoints
 * (Envoy: 6), endpoints or callers in fewer than two zones, or no caller in the own zone: then what we know of callers is wrong.
 */
void lb_zone_routes_of(lb_zone_routes *routes, const lb_zone_counts *zones, uint32_t n, uint32_t own,
		       uint32_t least);

#endif
