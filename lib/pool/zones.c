/* Zones of the pool. See zones.h. */
#include "pool/zones.h"

#include "base/span.h"

static lb_zone *find(const lb_pool *pool, uint32_t number)
{
	for (uint32_t i = 0; i < LB_ZONES; i++)
		if (lb_get(&pool->header->zones[i].number) == number)
			return &pool->header->zones[i];
	return NULL;
}

int lb_pool_set_zone(lb_pool *pool, uint32_t zone, uint32_t weight, uint32_t callers)
{
	if (!pool || zone == 0 || weight > LB_WEIGHT_MAX || callers > LB_CALLERS_MAX)
		return LB_EINVAL;
	lb_control control = lb_control_begin(pool);
	lb_zone *told = find(pool, zone);
	bool forget = weight == 0 && callers == 0;
	if (!told && !forget)
		told = find(pool, 0);
	if (told) {
		lb_put(&told->number, forget ? 0 : zone);
		lb_put(&told->weight, weight);
		lb_put(&told->callers, callers);
	}
	lb_control_end(&control, told != NULL);
	return told || forget ? LB_OK : LB_ELIMIT;
}

uint32_t lb_zone_place(lb_zone_list *list, uint32_t zone)
{
	for (uint32_t i = 0; i < list->n && i < LB_ZONES; i++)
		if (list->numbers[i] == zone)
			return i;
	if (list->n < LB_ZONES)
		list->numbers[list->n] = zone;
	else
		list->n = LB_ZONES;
	return list->n++;
}

/* The sum of what is told of all zones. */
static lb_zone_counts told_of_all(const lb_pool *pool, uint32_t *weight)
{
	lb_zone_counts all = {0};

	*weight = 0;
	for (uint32_t i = 0; i < LB_ZONES; i++) {
		const lb_zone *zone = &pool->header->zones[i];
		if (lb_get(&zone->number) == 0)
			continue;
		*weight += lb_get(&zone->weight);
		all.callers += lb_get(&zone->callers);
	}
	return all;
}

uint32_t lb_zones_divide(const lb_pool *pool)
{
	uint32_t weight;

	told_of_all(pool, &weight);
	if (weight > 0)
		return LB_DIVIDED_BY_WEIGHT;
	return pool->zone != 0 ? LB_DIVIDED_NEARBY : LB_DIVIDED_NOT;
}

/* Writes the groups: a zone without members of the tier is none. `until` is by zone. Returns how many. */
static uint32_t write_groups(lb_view *view, const lb_view_tier *tier, const lb_zone_list *list,
			     const lb_zone_census *census, const uint32_t *until, uint32_t used)
{
	uint32_t first = lb_get(&tier->first), groups = 0;

	for (uint32_t zone = 0; zone < list->n; zone++) {
		if (census->members[zone] == 0)
			continue;
		lb_view_group *group = &view->groups[used + groups++];
		lb_put(&group->first, first);
		lb_put(&group->n, census->members[zone]);
		lb_put(&group->until, until[zone]);
		first += census->members[zone];
	}
	return groups;
}

static bool weigh(const lb_pool *pool, const lb_zone_list *list, const lb_zone_census *census,
		  lb_zone_shares *shares)
{
	lb_zone_weight weights[LB_ZONES];

	for (uint32_t zone = 0; zone < list->n; zone++) {
		const lb_zone *told = list->numbers[zone] != 0 ? find(pool, list->numbers[zone]) : NULL;
		weights[zone] = (lb_zone_weight){.weight = told ? lb_get(&told->weight) : 0,
						 .total = census->total[zone],
						 .healthy = census->members[zone]};
	}
	return lb_zone_weights(shares, weights, list->n, pool->shares.overprovision_percent);
}

/* Routes from our own zone, which may have to be added to the list. */
static bool route(const lb_pool *pool, lb_zone_list *list, const lb_zone_census *census,
		  lb_zone_routes *routes)
{
	lb_zone_counts counts[LB_ZONES] = {{0}};
	uint32_t weight, own = lb_zone_place(list, pool->zone);
	bool told = told_of_all(pool, &weight).callers > 0;

	if (list->n > LB_ZONES)
		return false;
	for (uint32_t zone = 0; zone < list->n; zone++) {
		const lb_zone *about = list->numbers[zone] != 0 ? find(pool, list->numbers[zone]) : NULL;
		counts[zone].endpoints = census->members[zone];
		if (told)
			counts[zone].callers = about ? lb_get(&about->callers) : 0;
		else
			counts[zone].callers = census->members[zone] > 0 || zone == own;
	}
	lb_zone_routes_of(routes, counts, list->n, own, pool->zone_endpoints_min);
	return routes->way != LB_ZONE_ANY;
}

/* The place of our zone's group among the tier's; `groups` if nobody is there. */
static uint32_t own_group(const lb_zone_census *census, uint32_t own, uint32_t groups)
{
	uint32_t place = 0;

	if (census->members[own] == 0)
		return groups;
	for (uint32_t zone = 0; zone < own; zone++)
		place += census->members[zone] > 0;
	return place;
}

uint32_t lb_zones_divide_tier(const lb_pool *pool, lb_view *view, lb_view_tier *tier,
			      const lb_zone_list *list, const lb_zone_census *census, uint32_t used)
{
	uint32_t divided = lb_zones_divide(pool);
	lb_zone_list zones = *list;
	lb_zone_shares shares;
	lb_zone_routes routes;
	uint32_t groups = 0;

	if (divided == LB_DIVIDED_NOT || zones.n > LB_ZONES || used + zones.n > LB_ZONE_GROUPS_MAX)
		return 0;
	if (divided == LB_DIVIDED_BY_WEIGHT && weigh(pool, &zones, census, &shares))
		groups = write_groups(view, tier, list, census, shares.until, used);
	if (divided == LB_DIVIDED_NEARBY && route(pool, &zones, census, &routes)) {
		groups = write_groups(view, tier, list, census, routes.until, used);
		lb_put(&tier->own, own_group(census, routes.own, groups));
		lb_put(&tier->local, routes.way == LB_ZONE_LOCAL ? LB_ZONE_ROUTES : routes.local);
	}
	if (groups == 0)
		return 0;
	lb_put(&tier->divided, divided);
	lb_put(&tier->groups, used);
	lb_put(&tier->groups_n, groups);
	return groups;
}

/* The sums of the members' weights by zone, of one priority. */
static void sum_weights(const lb_pool *pool, uint32_t priority, lb_zone_list *list,
			uint64_t sums[LB_ZONES + 1])
{
	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later)) {
		const lb_slot *slot = &pool->slots[at];
		if (lb_get(&slot->priority) == priority && (lb_get(&slot->gates) & LB_GATES_CLOSED) == 0)
			sums[lb_zone_place(list, lb_get(&slot->zone))] += lb_get(&pool->weights[at]);
	}
}

/* weight x the zone's / the sum of the zone's members, with 10 digits behind the point: relative, and at least 1. */
static uint32_t keyed_weight(uint32_t weight, uint32_t zone_weight, uint64_t sum)
{
	uint64_t share = sum > 0 ? ((uint64_t)weight * zone_weight << 10) / sum : 0;

	return (uint32_t)lb_min64(lb_max64(share, 1), UINT32_C(1) << 30);
}

const lb_atomic32 *lb_zones_keyed_weights(lb_pool *pool)
{
	if (lb_zones_divide(pool) != LB_DIVIDED_BY_WEIGHT)
		return pool->weights;
	for (uint32_t priority = 0; priority <= LB_PRIORITY_MAX; priority++) {
		lb_zone_list list = {0};
		uint64_t sums[LB_ZONES + 1] = {0};
		sum_weights(pool, priority, &list, sums);
		for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
		     at = lb_get(&pool->about[at].later)) {
			uint32_t zone = lb_get(&pool->slots[at].zone);
			if (lb_get(&pool->slots[at].priority) != priority)
				continue;
			const lb_zone *told = zone != 0 ? find(pool, zone) : NULL;
			uint64_t sum = sums[lb_zone_place(&list, zone)];
			lb_put(&pool->weights_keyed[at], keyed_weight(lb_get(&pool->weights[at]),
								      told ? lb_get(&told->weight) : 0, sum));
		}
	}
	return pool->weights_keyed;
}

_Static_assert(LB_ZONES == LB_ZONES_MAX, "the public limit");
