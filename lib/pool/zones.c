/* Zones of the pool. See zones.h. */
#include "pool/zones.h"

#include "base/gcd.h"
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

/* What is told of a zone, or of several together; nothing of nowhere. */
typedef struct zone_told {
	uint32_t weight, callers;
} zone_told;

static zone_told told_of(const lb_pool *pool, uint32_t number, bool all)
{
	zone_told told = {0};

	for (uint32_t i = 0; i < LB_ZONES; i++) {
		const lb_zone *zone = &pool->header->zones[i];
		uint32_t other = lb_get(&zone->number);
		if (other == 0 || (other != number && !all))
			continue;
		told.weight += lb_get(&zone->weight);
		told.callers += lb_get(&zone->callers);
	}
	return told;
}

uint32_t lb_zones_divide(const lb_pool *pool)
{
	if (told_of(pool, 0, true).weight > 0)
		return LB_DIVIDED_BY_WEIGHT;
	return pool->zone != 0 ? LB_DIVIDED_NEARBY : LB_DIVIDED_NOT;
}

/*
 * Writes the groups: a zone without members of the tier is none. `until` is by zone; `own` = the place of ours, if that matters.
 * Returns how many.
 */
static uint32_t write_groups(lb_view *view, lb_view_tier *tier, const lb_zone_list *list,
			     const lb_zone_census *census, const uint32_t *until, uint32_t own, uint32_t used)
{
	uint32_t first = lb_get(&tier->first), groups = 0, own_group = LB_ZONES;

	for (uint32_t zone = 0; zone < list->n; zone++) {
		if (census->members[zone] == 0)
			continue;
		if (zone == own)
			own_group = groups;
		lb_view_group *group = &view->groups[used + groups++];
		lb_put(&group->first, first);
		lb_put(&group->n, census->members[zone]);
		lb_put(&group->until, until[zone]);
		first += census->members[zone];
	}
	lb_put(&tier->own, own_group < groups ? own_group : groups);
	return groups;
}

/* Divides by weight. Members of zones without weight are members no more. */
static bool weigh(const lb_pool *pool, const lb_zone_list *list, lb_zone_census *census,
		  lb_zone_shares *shares)
{
	lb_zone_weight weights[LB_ZONES];

	for (uint32_t zone = 0; zone < list->n; zone++)
		weights[zone] = (lb_zone_weight){.weight = told_of(pool, list->numbers[zone], false).weight,
						 .total = census->total[zone],
						 .healthy = census->members[zone]};
	if (!lb_zone_weights(shares, weights, list->n, pool->shares.overprovision_percent))
		return false;
	for (uint32_t zone = 0; zone < list->n; zone++)
		if (weights[zone].weight == 0)
			census->members[zone] = 0;
	return true;
}

/* Callers like us in a zone of the list. Where nothing is told: as many in each zone that has endpoints. */
static uint32_t callers_in(const lb_pool *pool, uint32_t number, bool told, bool inhabited)
{
	if (!told)
		return number != 0 && (inhabited || number == pool->zone);
	return told_of(pool, number, false).callers;
}

/* Routes from our own zone, which may have to be added to the list; and so may callers who have no endpoints nearby. */
static bool route(const lb_pool *pool, lb_zone_list *list, const lb_zone_census *census,
		  lb_zone_routes *routes)
{
	lb_zone_counts counts[LB_ZONES + 1] = {{0}};
	uint32_t own = lb_zone_place(list, pool->zone);
	uint32_t elsewhere = told_of(pool, 0, true).callers;
	bool told = elsewhere > 0;

	if (list->n > LB_ZONES)
		return false;
	for (uint32_t zone = 0; zone < list->n; zone++) {
		counts[zone].endpoints = census->members[zone];
		counts[zone].callers = callers_in(pool, list->numbers[zone], told, census->total[zone] > 0);
		if (told)
			elsewhere -= counts[zone].callers;
	}
	counts[list->n].callers = elsewhere;
	uint32_t n = list->n + (elsewhere > 0);
	if (n > LB_ZONES)
		return false;
	lb_zone_routes_of(routes, counts, n, own, pool->zone_endpoints_min);
	return routes->way != LB_ZONE_ANY;
}

static uint32_t count_groups(const lb_zone_census *census)
{
	uint32_t groups = 0;

	for (uint32_t zone = 0; zone < LB_ZONES; zone++)
		groups += census->members[zone] > 0;
	return groups;
}

uint32_t lb_zones_divide_tier(const lb_pool *pool, lb_view *view, lb_view_tier *tier,
			      const lb_zone_list *list, lb_zone_census *census, uint32_t used)
{
	uint32_t divided = lb_zones_divide(pool);
	lb_zone_list zones = *list;
	lb_zone_shares shares;
	lb_zone_routes routes;
	uint32_t groups = 0;

	if (divided == LB_DIVIDED_NOT || zones.n > LB_ZONES ||
	    used + count_groups(census) > LB_ZONE_GROUPS_MAX)
		return 0;
	if (divided == LB_DIVIDED_BY_WEIGHT && weigh(pool, &zones, census, &shares))
		groups = write_groups(view, tier, list, census, shares.until, LB_ZONES, used);
	if (divided == LB_DIVIDED_NEARBY && route(pool, &zones, census, &routes)) {
		groups = write_groups(view, tier, list, census, routes.until, routes.own, used);
		lb_put(&tier->local, routes.way == LB_ZONE_LOCAL ? LB_ZONE_ROUTES : routes.local);
	}
	if (groups == 0)
		return 0;
	lb_put(&tier->divided, divided);
	lb_put(&tier->groups, used);
	lb_put(&tier->groups_n, groups);
	return groups;
}

/* A tier as hashing sees it: its zones, with what their members weigh. */
typedef struct keyed_tier {
	lb_zone_list list;
	uint64_t sums[LB_ZONES + 1];
	uint64_t told[LB_ZONES + 1]; /* the zones' weights, without what they have in common */
	uint32_t heaviest[LB_ZONES + 1];
	uint64_t factor; /* scales them; 0 = zones do not count */
} keyed_tier;

/* Of the members from one place of the view to before another. */
static void sum_weights(const lb_pool *pool, const lb_tier *all, uint32_t from, uint32_t to,
			keyed_tier *keyed)
{
	for (uint32_t place = from; place < to && place < all->n; place++) {
		uint32_t slot = lb_tier_slot(all, place);
		uint32_t zone = lb_zone_place(&keyed->list, lb_get(&pool->slots[slot].zone));
		uint32_t weight = lb_get(&pool->weights[slot]);
		keyed->sums[zone] += weight;
		keyed->heaviest[zone] = weight > keyed->heaviest[zone] ? weight : keyed->heaviest[zone];
	}
}

/* weight x the zone's / the sum of the zone's members, to nearest: at least 1, but 0 of a zone without weight. */
static uint64_t share_of(const keyed_tier *keyed, uint32_t zone, uint32_t weight, uint64_t factor)
{
	uint64_t told = lb_times(keyed->told[zone], factor), sum = keyed->sums[zone];

	if (weight == 0 || told == 0)
		return 0;
	return lb_max64((lb_min64(lb_times(weight, told), UINT64_MAX / 2) + sum / 2) / sum, 1);
}

/* Do all weights fit 32 bits, and what they are worked out by 63, with the zones' weights scaled by this? */
static bool fits(const keyed_tier *keyed, uint64_t factor)
{
	for (uint32_t zone = 0; zone < keyed->list.n; zone++) {
		uint64_t told = lb_times(keyed->told[zone], factor);
		if (lb_times(keyed->heaviest[zone], told) >= UINT64_MAX / 2 ||
		    share_of(keyed, zone, keyed->heaviest[zone], factor) > UINT32_MAX)
			return false;
	}
	return true;
}

/* The least common multiple, UINT64_MAX if it is too large. */
static uint64_t multiple_of(uint64_t a, uint64_t b)
{
	return b <= UINT32_MAX ? lb_times(a, b / lb_gcd((uint32_t)b, (uint32_t)(a % b))) : UINT64_MAX;
}

/*
 * The zones' weights, scaled so that all members' are whole numbers, exactly, and no larger than that takes; where those do not
 * fit, by a power of two, and each is rounded to nearest, the heaviest to 31 bits (25 if there are very many). Not divided: too
 * many zones, or none that has a weight has a member.
 */
static void weigh_zones(const lb_pool *pool, keyed_tier *keyed)
{
	uint64_t factor = 1;
	uint32_t common = 0;

	if (keyed->list.n > LB_ZONES)
		return;
	for (uint32_t zone = 0; zone < keyed->list.n; zone++) {
		uint32_t told = told_of(pool, keyed->list.numbers[zone], false).weight;
		if (told == 0 || keyed->sums[zone] == 0)
			continue;
		uint32_t both = lb_gcd(told, (uint32_t)(keyed->sums[zone] % told));
		keyed->told[zone] = told;
		common = lb_gcd(told / both, common);
		factor = multiple_of(factor, keyed->sums[zone] / both);
	}
	if (common == 0)
		return;
	for (uint32_t zone = 0; zone < keyed->list.n; zone++)
		keyed->told[zone] /= common;
	if (!fits(keyed, factor))
		for (factor = 1; fits(keyed, 2 * factor);)
			factor *= 2;
	keyed->factor = factor;
}

/* Writes the weights of those from one place of the view to before another that are of the tier's priority. */
static void put_keyed_weights(lb_pool *pool, const lb_tier *all, uint32_t from, uint32_t to,
			      keyed_tier *keyed, uint32_t priority)
{
	for (uint32_t place = from; place < to && place < all->n; place++) {
		uint32_t slot = lb_tier_slot(all, place);
		if (lb_get(&pool->slots[slot].priority) != priority)
			continue;
		uint32_t zone = lb_zone_place(&keyed->list, lb_get(&pool->slots[slot].zone));
		uint64_t share = share_of(keyed, zone, lb_get(&pool->weights[slot]), keyed->factor);
		lb_put(&pool->weights_keyed[slot], (uint32_t)lb_min64(share, UINT32_MAX));
	}
}

void lb_zones_weigh_keyed(lb_pool *pool, const lb_view_hold *hold)
{
	const lb_view *view = hold->view;
	lb_tier all = lb_view_piece(pool, hold, 0, lb_get(&view->members_n), 0);

	for (uint32_t place = 0; place < all.n; place++) {
		uint32_t slot = lb_tier_slot(&all, place);
		lb_put(&pool->weights_keyed[slot], lb_get(&pool->weights[slot]));
	}
	if (lb_zones_divide(pool) != LB_DIVIDED_BY_WEIGHT)
		return;
	/* healthy tiers are the first: by their zones the rest of the priority is weighed at last */
	for (uint32_t place = lb_get(&view->tiers_n); place-- > 0;) {
		const lb_view_tier *tier = &view->tiers[place];
		uint32_t priority = lb_get(&tier->number) % LB_LEVELS;
		uint32_t from = lb_get(&tier->first), to = from + lb_get(&tier->n);
		keyed_tier keyed = {.factor = 0};
		sum_weights(pool, &all, from, to, &keyed);
		weigh_zones(pool, &keyed);
		if (keyed.factor == 0)
			continue;
		put_keyed_weights(pool, &all, lb_get(&view->eligible_n), all.n, &keyed, priority);
		put_keyed_weights(pool, &all, from, to, &keyed, priority);
	}
}

_Static_assert(LB_ZONES == LB_ZONES_MAX, "the public limit");
