/* How the traffic of a level is divided between its zones. See zones.h. */
#include "core/zones.h"

#include "base/span.h"

/* Effective weights are scaled by 2^28: sixteen of them and their sum fit 64 bits. */
#define WEIGHT_SHIFT 28

static uint64_t effective_weight(const lb_zone_weight *zone, uint32_t overprovision_percent)
{
	uint64_t whole = (uint64_t)zone->total * 100;
	uint64_t able = (uint64_t)zone->healthy * overprovision_percent;

	if (zone->total == 0 || zone->healthy == 0)
		return 0;
	if (able >= whole)
		return (uint64_t)zone->weight << WEIGHT_SHIFT;
	/* both below 2^39: 24 digits more fit, and the 4 that are missing are added after the division */
	return (able << 24) / whole * zone->weight << 4;
}

bool lb_zone_weights(lb_zone_shares *shares, const lb_zone_weight *zones, uint32_t n,
		     uint32_t overprovision_percent)
{
	uint64_t weights[LB_ZONES];
	uint64_t sum = 0, before = 0;
	uint32_t shift = 0;

	*shares = (lb_zone_shares){.n = n};
	for (uint32_t i = 0; i < n; i++) {
		weights[i] = effective_weight(&zones[i], overprovision_percent);
		sum += weights[i];
	}
	if (sum == 0)
		return false;
	while (sum >> shift >= UINT64_C(1) << 43) /* so that the product with a million fits */
		shift++;
	sum >>= shift;
	for (uint32_t i = 0; i < n; i++) {
		before += weights[i];
		/* rounded, as what was shifted out may be missing here or in the sum */
		shares->until[i] = (uint32_t)(((before >> shift) * LB_ZONE_PARTS + sum / 2) / sum);
	}
	return true;
}

/* Sums of a list of zones, and in how many of them there is somebody. */
typedef struct census {
	uint64_t callers, endpoints;
	uint32_t caller_zones, endpoint_zones;
} census;

static census count(const lb_zone_counts *zones, uint32_t n)
{
	census all = {0};

	for (uint32_t i = 0; i < n; i++) {
		all.callers += zones[i].callers;
		all.endpoints += zones[i].endpoints;
		all.caller_zones += zones[i].callers > 0;
		all.endpoint_zones += zones[i].endpoints > 0;
	}
	return all;
}

static uint32_t part(uint32_t of, uint64_t all)
{
	return (uint32_t)((uint64_t)LB_ZONE_ROUTES * of / all);
}

static bool zones_matter(const census *all, const lb_zone_counts *own, uint32_t least)
{
	return all->endpoint_zones >= 2 && all->caller_zones >= 2 && own->callers > 0 &&
	       all->endpoints >= least;
}

/* What the other zones have left when their own callers are served. */
static void find_residual(lb_zone_routes *routes, const lb_zone_counts *zones, const census *all)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < routes->n; i++) {
		uint32_t has = part(zones[i].endpoints, all->endpoints);
		uint32_t needs = part(zones[i].callers, all->callers);
		if (i != routes->own && has > needs)
			sum += has - needs;
		routes->until[i] = sum;
	}
}

void lb_zone_routes_of(lb_zone_routes *routes, const lb_zone_counts *zones, uint32_t n, uint32_t own,
		       uint32_t least)
{
	census all = count(zones, n);

	*routes = (lb_zone_routes){.way = LB_ZONE_ANY, .n = n, .own = own};
	if (!zones_matter(&all, &zones[own], least))
		return;
	uint32_t has = part(zones[own].endpoints, all.endpoints);
	uint32_t needs = part(zones[own].callers, all.callers);
	if (has > 0 && has >= needs) {
		routes->way = LB_ZONE_LOCAL;
		return;
	}
	routes->way = LB_ZONE_SPLIT;
	routes->local = needs > 0 ? has * LB_ZONE_ROUTES / needs : 0;
	find_residual(routes, zones, &all);
}
