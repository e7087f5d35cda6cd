/*
 * Between the zones of a level: Envoy's published numbers (locality_weight.rst, and for zone aware routing the comments and tests
 * of load_balancer_impl.cc), its arithmetic beside ours, and laws. What is drawn by the numbers, through lb_select.
 */
#include "base/random.h"
#include "core/zones.h"
#include "fleet.h"
#include "pool/pool.h"
#include "script.h"

#include <math.h>

/* `own`: our zone; 0 = nowhere, to divide by weight. */
static void open_zones(fleet *f, script *s, uint32_t own)
{
	fleet_plan plan;
	lb_env env = script_env(s);

	fleet_draw(&plan, LB_ROUND_ROBIN);
	plan.pool.endpoints_max = 512;
	plan.pool.zone = own;
	plan.pool.zone_endpoints_min = 2;
	fleet_open_in(f, &plan, 0, NULL, &env);
}

/* Zone i of a list is zone i + 1 of the pool; its endpoints' tag is i. */
static void inhabit(fleet *f, uint32_t zone, uint32_t n, lb_health_status health)
{
	for (uint32_t i = 0; i < n; i++) {
		lb_endpoint_config config;
		lb_endpoint e;
		char name[32];
		snprintf(name, sizeof name, "z%u-%u-%d", zone, i, health);
		lb_endpoint_config_init(&config, sizeof config);
		config.name = name;
		config.zone = zone + 1;
		config.tag = zone;
		ck_ok(lb_pool_add_endpoint(f->pool, &config, &e));
		if (health != LB_HEALTHY)
			ck_ok(lb_pool_set_health(f->pool, e, health));
	}
}

static void open_nearby(fleet *f, script *s, const lb_zone_counts *zones, uint32_t n, uint32_t own)
{
	open_zones(f, s, own + 1);
	for (uint32_t i = 0; i < n; i++)
		inhabit(f, i, zones[i].endpoints, LB_HEALTHY);
}

static void tell_callers(fleet *f, const lb_zone_counts *zones, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ck_ok(lb_pool_set_zone(f->pool, i + 1, 0, zones[i].callers));
}

/* The zone of a request, which draws so many numbers: the priority's, and those of the zone. No assert if all is well: these write. */
static uint32_t zone_at(fleet *f, script *s, const uint64_t *numbers, size_t n)
{
	lb_ticket ticket = {0};

	script_play(s, numbers, n);
	int error = lb_select(f->selector, NULL, &ticket);
	if (error != LB_OK || s->at != n)
		ck_abort_msg("error %d, %zu draws, not %zu", error, s->at, n);
	uint32_t zone = (uint32_t)ticket.tag;
	if (lb_report_result(f->selector, &ticket, LB_SUCCESS) != LB_OK)
		ck_abort_msg("no report");
	return zone;
}

/* locality_weight.rst: X has weight 1, Y weight 2 and is well; in per cent */
START_TEST(a_zone_that_gets_sick_sheds_its_traffic)
{
	static const uint32_t rows[][2] = {{100, 33}, {70, 33}, {69, 32}, {50, 26}, {25, 15}, {0, 0}};
	lb_zone_shares shares;

	/* the document rounds 25.9 to 26 and cuts 32.6 off to 32: within 1 */
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		lb_zone_weight zones[] = {{1, 100, rows[i][0]}, {2, 100, 100}};
		double effective = fmin(1.0, 1.4 * rows[i][0] / 100.0);
		ck_assert(lb_zone_weights(&shares, zones, 2, 140));
		double got = lb_zone_share(&shares, 0) / 10000.0;
		ck_assert(fabs(got - 100 * effective / (effective + 2)) < 0.0002);
		ck_assert(fabs(got - rows[i][1]) < 1);
		ck_assert_uint_eq(lb_zone_share(&shares, 0) + lb_zone_share(&shares, 1), LB_ZONE_PARTS);
	}
}
END_TEST

START_TEST(nobody_healthy_is_nothing_to_divide)
{
	lb_zone_shares shares;
	lb_zone_weight zones[] = {{1, 4, 0}, {0, 4, 4}, {5, 0, 0}};

	ck_assert(!lb_zone_weights(&shares, zones, 3, 140));
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(lb_zone_share(&shares, i), 0);
}
END_TEST

START_TEST(shares_by_weight_are_exact_to_a_part)
{
	uint64_t random = 1;
	lb_zone_shares shares;

	for (long round = rounds(20000); round > 0; round--) {
		lb_zone_weight zones[LB_ZONES];
		double effective[LB_ZONES], sum = 0;
		uint32_t parts = 0;
		for (int i = 0; i < LB_ZONES; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			uint32_t total = (uint32_t)(random >> 40) % 50;
			zones[i] = (lb_zone_weight){(uint32_t)(random >> 32) >> (random >> 20 & 31), total,
						    (uint32_t)(random >> 50) % (total + 1)};
			effective[i] =
			    total > 0 ? zones[i].weight * fmin(1, 1.4 * zones[i].healthy / total) : 0;
			sum += effective[i];
		}
		ck_assert(lb_zone_weights(&shares, zones, LB_ZONES, 140) == (sum > 0));
		for (uint32_t i = 0; i < LB_ZONES && sum > 0; i++) {
			double share = lb_zone_share(&shares, i);
			if (fabs(share - effective[i] / sum * LB_ZONE_PARTS) > 1.2)
				ck_abort_msg("zone %u: %f", i, share);
			if (effective[i] == 0)
				ck_assert(share == 0);
			parts += lb_zone_share(&shares, i);
		}
		ck_assert_uint_eq(parts, sum > 0 ? LB_ZONE_PARTS : 0);
	}
}
END_TEST

START_TEST(the_largest_weights_divide_evenly)
{
	lb_zone_shares shares;
	lb_zone_weight zones[LB_ZONES];

	for (int i = 0; i < LB_ZONES; i++)
		zones[i] = (lb_zone_weight){UINT32_MAX, UINT32_MAX, UINT32_MAX / 4};
	ck_assert(lb_zone_weights(&shares, zones, LB_ZONES, 140));
	for (uint32_t i = 0; i < LB_ZONES; i++) {
		ck_assert_uint_eq(lb_zone_share(&shares, i), LB_ZONE_PARTS / LB_ZONES);
	}
	zones[3].healthy = UINT32_MAX; /* able to take all: times 1 / (1.4 / 4) */
	ck_assert(lb_zone_weights(&shares, zones, LB_ZONES, 140));
	ck_assert(fabs(lb_zone_share(&shares, 3) - LB_ZONE_PARTS / (1 + 15 * 0.35)) < 2);
}
END_TEST

/* The same, as large as the pool lets them be: each zone has its sixteenth of the draws, from the first to the last. */
START_TEST(the_largest_weights_are_drawn_evenly)
{
	fleet f;
	script s;

	open_zones(&f, &s, 0);
	for (uint32_t i = 0; i < LB_ZONES; i++) {
		inhabit(&f, i, 1, LB_HEALTHY);
		inhabit(&f, i, 3, LB_UNHEALTHY);
		ck_ok(lb_pool_set_zone(f.pool, i + 1, LB_WEIGHT_MAX, 0));
	}
	for (uint32_t i = 0; i < LB_ZONES; i++) {
		uint64_t first = LB_ZONE_PARTS / LB_ZONES * i, last = first + LB_ZONE_PARTS / LB_ZONES - 1;
		ck_assert_uint_eq(zone_at(&f, &s, (uint64_t[]){0, first}, 2), i);
		ck_assert_uint_eq(zone_at(&f, &s, (uint64_t[]){0, last}, 2), i);
		ck_assert_uint_eq(zone_at(&f, &s, (uint64_t[]){0, last + 7 * LB_ZONE_PARTS}, 2), i);
	}
	fleet_close(&f);
}
END_TEST

/* load_balancer_impl.cc, the comment in regenerateLocalityRoutingStructures: callers 40, 40, 20 %, endpoints 25, 50, 25 % */
START_TEST(the_own_zone_keeps_what_it_has_room_for)
{
	static const lb_zone_counts zones[] = {{4, 2}, {4, 4}, {2, 2}};
	lb_zone_routes routes;
	fleet f;
	script s;
	uint32_t to[3] = {0};

	lb_zone_routes_of(&routes, zones, 3, 0, 6);
	ck_assert_int_eq(routes.way, LB_ZONE_SPLIT);
	ck_assert_uint_eq(routes.local, 6250);
	ck_assert_uint_eq(routes.until[0], 0);
	ck_assert_uint_eq(routes.until[1], 1000);
	ck_assert_uint_eq(routes.until[2], 1500);
	open_nearby(&f, &s, zones, 3, 0);
	tell_callers(&f, zones, 3);
	for (uint32_t i = 0; i < 1500; i++)
		to[zone_at(&f, &s, (uint64_t[]){0, 6250, i}, 3)]++;
	ck_assert_uint_eq(to[1], 1000);
	ck_assert_uint_eq(to[2], 500);
	for (uint64_t stay = 0; stay < 6250; stay++)
		to[zone_at(&f, &s, (uint64_t[]){0, stay}, 2)]++;
	ck_assert_uint_eq(to[0], 6250);
	fleet_close(&f);
}
END_TEST

/* load_balancer_simulation_test.cc: callers 3, 2, 5 and endpoints 4, 5, 5 */
START_TEST(every_endpoint_gets_as_much_as_any_other)
{
	static const lb_zone_counts zones[] = {{3, 4}, {2, 5}, {5, 5}};
	static const uint32_t local[] = {9523, 0, 7142};
	double load[3] = {0};

	for (uint32_t own = 0; own < 3; own++) {
		lb_zone_routes routes;
		lb_zone_routes_of(&routes, zones, 3, own, 6);
		ck_assert_int_eq(routes.way, own == 1 ? LB_ZONE_LOCAL : LB_ZONE_SPLIT);
		ck_assert_uint_eq(routes.local, local[own]);
		double stays = own == 1 ? 1 : routes.local / 10000.0;
		load[own] += stays * zones[own].callers;
		for (uint32_t i = 0; i < 3 && own != 1; i++)
			load[i] += (1 - stays) * zones[own].callers *
				   (routes.until[i] - (i > 0 ? routes.until[i - 1] : 0)) / routes.until[2];
	}
	for (int i = 0; i < 3; i++)
		ck_assert(fabs(load[i] / zones[i].endpoints / (10.0 / 14) - 1) < 0.001);
}
END_TEST

/* round_robin_lb_test.cc, ZoneAwareRoutingNoCapacityLeft in 45000 and 55000 */
START_TEST(no_capacity_left_is_left_to_a_draw)
{
	static const lb_zone_counts zones[] = {{45000, 44999}, {55000, 55001}, {0, 0}};
	lb_zone_routes routes;

	lb_zone_routes_of(&routes, zones, 3, 0, 6);
	ck_assert_int_eq(routes.way, LB_ZONE_SPLIT);
	ck_assert_uint_eq(routes.local, 9997);
	ck_assert_uint_eq(routes.until[2], 0);
}
END_TEST

/* The same through lb_select, with so many endpoints that it rounds alike; and somebody sick in the third zone. */
START_TEST(no_capacity_left_draws_one_of_those_that_have_somebody)
{
	static const lb_zone_counts zones[] = {{45000, 229}, {55000, 280}, {0, 0}};
	fleet f;
	script s;

	open_nearby(&f, &s, zones, 3, 0);
	inhabit(&f, 2, 1, LB_UNHEALTHY);
	tell_callers(&f, zones, 3);
	ck_assert_uint_eq(zone_at(&f, &s, (uint64_t[]){0, 9996}, 2), 0);
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_uint_eq(zone_at(&f, &s, (uint64_t[]){0, 9997, i}, 3), i % 2);
	fleet_close(&f);
}
END_TEST

START_TEST(zones_do_not_matter_without_enough_of_all)
{
	static const struct {
		lb_zone_counts zones[3];
		uint32_t own;
	} rows[] = {
	    {{{1, 2}, {1, 2}, {1, 1}}, 0}, /* five endpoints */
	    {{{2, 8}, {1, 0}, {1, 0}}, 0}, /* endpoints in one zone */
	    {{{2, 3}, {0, 3}, {0, 3}}, 0}, /* callers in one zone */
	    {{{2, 3}, {0, 3}, {1, 3}}, 1}, /* no caller in the own zone */
	};
	lb_zone_routes routes;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		lb_zone_routes_of(&routes, rows[i].zones, 3, rows[i].own, 6);
		ck_assert_int_eq(routes.way, LB_ZONE_ANY);
	}
	lb_zone_routes_of(&routes, rows[0].zones, 3, 0, 5);
	ck_assert_int_ne(routes.way, LB_ZONE_ANY);
}
END_TEST

START_TEST(a_zone_without_endpoints_sends_all_of_it_away)
{
	static const lb_zone_counts zones[] = {{1, 5}, {2, 0}, {1, 3}};
	lb_zone_routes routes;

	lb_zone_routes_of(&routes, zones, 3, 1, 6);
	ck_assert_int_eq(routes.way, LB_ZONE_SPLIT);
	ck_assert_uint_eq(routes.local, 0);
	ck_assert_uint_eq(routes.until[0], 3750);
	ck_assert_uint_eq(routes.until[1], 3750);
	ck_assert_uint_eq(routes.until[2], 5000);
}
END_TEST

/* Envoy's list: the own locality first. Returns whether it is direct; writes what stays and the capacities. */
static bool reference(const lb_zone_counts *zones, int n, int own, uint64_t *stays, uint64_t *capacity)
{
	uint64_t callers = 0, endpoints = 0, last = 0;
	int order[LB_ZONES] = {own};

	for (int i = 0, k = 1; i < n; i++) {
		callers += zones[i].callers;
		endpoints += zones[i].endpoints;
		if (i != own)
			order[k++] = i;
	}
	for (int k = 0; k < n; k++) {
		const lb_zone_counts *zone = &zones[order[k]];
		uint64_t local = zone->endpoints == 0 ? 0 : 10000ULL * zone->callers / callers;
		uint64_t upstream = 10000ULL * zone->endpoints / endpoints;
		if (k == 0 && upstream > 0 && upstream >= local)
			return true;
		if (k == 0)
			*stays = local > 0 ? upstream * 10000 / local : 0;
		else if (upstream > local)
			last += upstream - local;
		capacity[order[k]] = last;
	}
	return false;
}

static void compare(const lb_zone_counts *zones, int n, int own)
{
	lb_zone_routes routes;
	uint64_t stays = 0, capacity[LB_ZONES] = {0}, last = 0;

	lb_zone_routes_of(&routes, zones, (uint32_t)n, (uint32_t)own, 2);
	if (routes.way == LB_ZONE_ANY)
		return;
	bool direct = reference(zones, n, own, &stays, capacity);
	ck_assert(direct == (routes.way == LB_ZONE_LOCAL));
	if (direct)
		return;
	if (routes.local != stays)
		ck_abort_msg("stays %u, not %u", routes.local, (unsigned)stays);
	for (int i = 0; i < n; i++) {
		last = i == own ? last : capacity[i];
		if (routes.until[i] != last)
			ck_abort_msg("capacity of %d: %u, not %u", i, routes.until[i], (unsigned)last);
	}
}

START_TEST(three_zones_agree_with_envoys_arithmetic)
{
	uint32_t most = rounds(1000) == 1000 ? 4 : 2;
	uint32_t ways = (most + 1) * (most + 1);

	for (uint32_t i = 0; i < ways * ways * ways; i++) {
		uint32_t a = i % ways, b = i / ways % ways, c = i / ways / ways;
		lb_zone_counts zones[] = {{a % (most + 1), a / (most + 1)},
					  {b % (most + 1), b / (most + 1)},
					  {c % (most + 1), c / (most + 1)}};
		for (int own = 0; own < 3; own++)
			compare(zones, 3, own);
	}
}
END_TEST

/* Asks for each zone's first and last draw. `stays` 0: nothing is drawn for it. */
static void check_draws(fleet *f, script *s, const lb_zone_counts *zones, uint32_t own)
{
	uint64_t stays = 0, capacity[LB_ZONES] = {0}, before = 0, peopled = 0;
	bool direct = reference(zones, 3, (int)own, &stays, capacity);
	size_t draws = direct ? 1 : stays > 0 ? 3 : 2;
	uint64_t numbers[3] = {0, stays}, *where = &numbers[draws - 1];

	if (direct && zone_at(f, s, numbers, 1) != own)
		ck_abort_msg("direct");
	if (direct)
		return;
	if (stays > 0 && (zone_at(f, s, (uint64_t[]){0, 0}, 2) != own ||
			  zone_at(f, s, (uint64_t[]){0, stays - 1}, 2) != own))
		ck_abort_msg("does not stay");
	uint64_t all = capacity[own == 2 ? 1 : 2];
	for (uint32_t i = 0; i < 3; i++) {
		if (all == 0 && zones[i].endpoints > 0) {
			*where = peopled++;
			if (zone_at(f, s, numbers, draws) != i)
				ck_abort_msg("no capacity, zone %u", i);
		}
		if (i == own || capacity[i] == before)
			continue;
		for (int last = 0; last < 2; last++) {
			*where = all + (last ? capacity[i] - 1 : before);
			if (zone_at(f, s, numbers, draws) != i)
				ck_abort_msg("draw %d of zone %u", last, i);
		}
		before = capacity[i];
	}
}

/* Where no callers are told, there are as many in each zone that has endpoints, and in ours. */
START_TEST(three_zones_are_drawn_as_envoys_arithmetic_says)
{
	uint32_t ways = rounds(1000) == 1000 ? 5 : 3, cube = ways * ways * ways, drawn = 0;

	for (uint32_t there = 0; there < cube * 3; there++) {
		uint32_t own = there / cube;
		lb_zone_counts zones[] = {
		    {0, there % ways}, {0, there / ways % ways}, {0, there / ways / ways % ways}};
		fleet f;
		script s;
		open_nearby(&f, &s, zones, 3, own);
		for (uint32_t callers = 0; callers < cube; callers++) {
			lb_zone_routes routes;
			for (uint32_t i = 0, left = callers; i < 3; i++, left /= ways)
				zones[i].callers = left % ways;
			tell_callers(&f, zones, 3);
			for (uint32_t i = 0; i < 3 && callers == 0; i++)
				zones[i].callers = zones[i].endpoints > 0 || i == own;
			lb_zone_routes_of(&routes, zones, 3, own, 2);
			if (routes.way == LB_ZONE_ANY)
				continue;
			check_draws(&f, &s, zones, own);
			drawn++;
		}
		fleet_close(&f);
	}
	ck_assert_uint_gt(drawn, cube * cube);
}
END_TEST

/* Endpoints with weights up to `most` in `zones` zones with weights up to `most`; `sums`: what each zone's weigh, then its own. */
static uint32_t fill_weighed(fleet *f, uint64_t *random, uint32_t zones, uint32_t most, uint64_t sums[][2])
{
	uint32_t n = 0;

	for (uint32_t zone = 0; zone < zones; zone++) {
		sums[zone][0] = 0;
		sums[zone][1] = 1 + lb_mix64(++*random) % most;
		ck_ok(lb_pool_set_zone(f->pool, zone + 1, (uint32_t)sums[zone][1], 0));
		for (uint64_t here = 1 + lb_mix64(++*random) % 20; here > 0; here--, n++) {
			lb_endpoint_config config;
			char name[16];
			snprintf(name, sizeof name, "e%u", n);
			lb_endpoint_config_init(&config, sizeof config);
			config.name = name;
			config.zone = zone + 1;
			config.weight = 1 + (uint32_t)(lb_mix64(++*random) % most);
			sums[zone][0] += config.weight;
			ck_ok(lb_pool_add_endpoint(f->pool, &config, NULL));
		}
	}
	return n;
}

/* host / zone's hosts x zone */
static double weight_due(const fleet *f, uint32_t slot, uint64_t sums[][2])
{
	const uint64_t *of = sums[lb_get(&f->pool->slots[slot].zone) - 1];

	return (double)lb_get(&f->pool->weights[slot]) * (double)of[1] / (double)of[0];
}

/* Small numbers are exact: the weights are to each other as they are due. Large ones are so to nearest, the heaviest to 31 bits. */
START_TEST(weights_of_hashing_are_exact_or_to_nearest)
{
	static const uint32_t mosts[] = {1, 3, 10, 1000, LB_WEIGHT_MAX};
	uint64_t random = 0, sums[LB_ZONES][2];
	double bias = 0, all = 0;

	for (long round = 0; round < rounds(1000); round++) {
		uint32_t most = mosts[round % 5], zones = 1 + (uint32_t)round / 5 % (most < 1000 ? 4 : 16);
		uint32_t heaviest = 0;
		fleet f;
		script s;
		open_zones(&f, &s, 0);
		uint32_t n = fill_weighed(&f, &random, zones, most, sums);
		const lb_atomic32 *keyed = f.pool->weights_keyed;
		for (uint32_t slot = 1; slot < n; slot++)
			heaviest = lb_get(&keyed[slot]) > lb_get(&keyed[heaviest]) ? slot : heaviest;
		double scale = lb_get(&keyed[heaviest]) / weight_due(&f, heaviest, sums);
		for (uint32_t slot = 0; slot < n; slot++) {
			double off = lb_get(&keyed[slot]) - fmax(1, scale * weight_due(&f, slot, sums));
			if (fabs(off) > (most <= 10 ? 1e-4 : 1))
				ck_abort_msg("most %u, %u zones: off by %f", most, zones, off);
			bias += off;
			all++;
		}
		if (most == LB_WEIGHT_MAX && zones > 4)
			ck_assert_uint_ge(lb_get(&keyed[heaviest]), UINT32_C(1) << 31);
		fleet_close(&f);
	}
	ck_assert(fabs(bias / all) < 0.02);
}
END_TEST

/* Beside 4096 of the largest weight in a zone of (nearly) the largest weight, one in a zone of weight 1: 256 to 1. */
START_TEST(the_largest_sums_of_hashing_do_not_overflow)
{
	enum { MANY = 4096 };
	static lb_endpoint_config wanted[MANY + 1];
	static char names[MANY + 1][16];
	fleet_plan plan;
	fleet f;

	fleet_draw(&plan, LB_RENDEZVOUS);
	plan.pool.endpoints_max = MANY + 1;
	fleet_open(&f, &plan, 0, NULL);
	ck_ok(lb_pool_set_zone(f.pool, 1, LB_WEIGHT_MAX - 1, 0));
	ck_ok(lb_pool_set_zone(f.pool, 2, 1, 0));
	for (int i = 0; i <= MANY; i++) {
		snprintf(names[i], sizeof names[i], "s%d", i);
		lb_endpoint_config_init(&wanted[i], sizeof wanted[i]);
		wanted[i].name = names[i];
		wanted[i].weight = LB_WEIGHT_MAX;
		wanted[i].zone = 1 + (i == MANY);
	}
	ck_ok(lb_pool_sync(f.pool, wanted, MANY + 1));
	for (uint32_t slot = 0; slot <= MANY; slot++) {
		uint32_t keyed = lb_get(&f.pool->weights_keyed[slot]);
		bool light = lb_get(&f.pool->slots[slot].zone) == 2;
		ck_assert_uint_eq(keyed, light ? 1u << 23 : (1u << 31) - (1u << 11));
	}
	fleet_close(&f);
}
END_TEST

Suite *suite_zones(void)
{
	Suite *suite = suite_create("zones");
	TCase *tc = tcase_create("weights");

	tcase_add_test(tc, a_zone_that_gets_sick_sheds_its_traffic);
	tcase_add_test(tc, nobody_healthy_is_nothing_to_divide);
	tcase_add_test(tc, shares_by_weight_are_exact_to_a_part);
	tcase_add_test(tc, the_largest_weights_divide_evenly);
	tcase_add_test(tc, the_largest_weights_are_drawn_evenly);
	tcase_add_test(tc, weights_of_hashing_are_exact_or_to_nearest);
	tcase_add_test(tc, the_largest_sums_of_hashing_do_not_overflow);
	suite_add_tcase(suite, tc);
	tc = tcase_create("routes");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_own_zone_keeps_what_it_has_room_for);
	tcase_add_test(tc, every_endpoint_gets_as_much_as_any_other);
	tcase_add_test(tc, no_capacity_left_is_left_to_a_draw);
	tcase_add_test(tc, no_capacity_left_draws_one_of_those_that_have_somebody);
	tcase_add_test(tc, zones_do_not_matter_without_enough_of_all);
	tcase_add_test(tc, a_zone_without_endpoints_sends_all_of_it_away);
	tcase_add_test(tc, three_zones_agree_with_envoys_arithmetic);
	tcase_add_test(tc, three_zones_are_drawn_as_envoys_arithmetic_says);
	suite_add_tcase(suite, tc);
	return suite;
}
