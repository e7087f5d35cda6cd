/*
 * Zones through lb_select. Numbers: Envoy's documentation (locality_weight.rst), the comments in its load_balancer_impl.cc, and
 * tests (test/extensions/load_balancing_policies/, below it random/random_lb_simulation_test.cc and
 * round_robin/round_robin_lb_test.cc).
 */
#include "base/random.h"
#include "levels.h"

enum { ZONES_MOST = 17 };

/*
 * Draws: the level, then (nearby) whether to stay and where to, or (by weight) the zone. The hook answers r, r + 1, r + 2.
 * The least draw below `whole` for the zone that leads out of `zone`: its share, if it is the first.
 */
static uint64_t share_of_first(crowd *c, uint32_t zone, uint64_t whole)
{
	uint64_t low = 0, high = whole;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		/* the draw before is the level's */
		int e = level_pick_at(c, middle + whole * 100 - 1, NULL);
		if (c->zone[e] == zone)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where `n` picks went, by zone (number below ZONES_MOST), in parts of 1. */
static void measure(crowd *c, int n, double parts[ZONES_MOST])
{
	memset(parts, 0, ZONES_MOST * sizeof *parts);
	for (int i = 0; i < n; i++) {
		int e = crowd_pick(c, NULL, NULL);
		ck_assert_int_ge(e, 0);
		parts[c->zone[e]] += 1.0 / n;
	}
}

/* `own`: our zone; 0 = nowhere. */
static void open_zoned(crowd *c, uint32_t own, lb_algorithm algorithm, bool counts)
{
	lb_pool_config config = crowd_config();

	config.zone = own;
	crowd_open(c, &config, algorithm, counts);
}

/* Zones 1 and 2 have these weights. */
static void weigh_two(crowd *c, uint32_t one, uint32_t two)
{
	ck_ok(lb_pool_set_zone(c->pool, 1, one, 0));
	ck_ok(lb_pool_set_zone(c->pool, 2, two, 0));
}

/* locality_weight.rst: X has weight 1, Y 2 and is well. The table of X's health; it says whole per cents. */
START_TEST(envoy_locality_weight_table)
{
	static const struct {
		int healthy, percent;
	} rows[] = {{100, 33}, {70, 33}, {69, 32}, {50, 26}, {25, 15}, {0, 0}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		crowd c;
		level_open(&c, 0);
		weigh_two(&c, 1, 2);
		crowd_add(&c, rows[i].healthy, 0, 1, LB_HEALTHY);
		crowd_add(&c, 100 - rows[i].healthy, 0, 1, LB_UNHEALTHY);
		crowd_add(&c, 100, 0, 2, LB_HEALTHY);
		/* enough is well by far: all stays in this priority */
		double able = rows[i].healthy * 0.014;
		double exact = able < 1 ? able / (able + 2) : 1.0 / 3;
		uint64_t share = share_of_first(&c, 1, 1000000);
		double got = (double)share / 1e6;
		ck_assert_msg(got - exact < 2e-6 && exact - got < 2e-6, "row %zu: %f", i, got);
		ck_assert_int_le(rows[i].percent, (int)(got * 100 + 0.5));
		ck_assert_int_ge(rows[i].percent, (int)(got * 100));
		crowd_close(&c);
	}
}
END_TEST

START_TEST(a_zone_without_weight_gets_nothing_while_another_can_serve)
{
	static const lb_algorithm algorithms[] = {LB_ROUND_ROBIN, LB_WEIGHTED_ROUND_ROBIN, LB_RANDOM,
						  LB_LEAST_CONNECTIONS, LB_TWO_CHOICES};

	for (size_t a = 0; a < sizeof algorithms / sizeof *algorithms; a++) {
		crowd c;
		double parts[ZONES_MOST];
		open_zoned(&c, 0, algorithms[a], false);
		ck_ok(lb_pool_set_zone(c.pool, 2, 7, 0));
		crowd_add(&c, 4, 0, 1, LB_HEALTHY);
		crowd_add(&c, 2, 0, 2, LB_HEALTHY);
		crowd_add(&c, 4, 0, 0, LB_HEALTHY);
		measure(&c, 300, parts);
		ck_assert_double_eq_tol(parts[2], 1, 1e-9);
		/* only zones without weight are left: better they than nobody */
		crowd_set_health(&c, 4, LB_UNHEALTHY);
		crowd_set_health(&c, 5, LB_UNHEALTHY);
		measure(&c, 300, parts);
		ck_assert_double_gt(parts[1], 0.2);
		ck_assert_double_gt(parts[0], 0.2);
		crowd_close(&c);
	}
}
END_TEST

/* load_balancer_impl.cc, the comment in regenerateLocalityRoutingStructures: callers 40/40/20, endpoints 25/50/25 */
START_TEST(envoy_comment_vector_62_5_percent_stay_the_rest_goes_2_to_1)
{
	static const uint32_t callers[] = {40, 40, 20}, endpoints[] = {5, 10, 5};
	int got[4] = {0};
	uint32_t reason;

	for (uint32_t own = 1; own <= 3; own++) {
		crowd c;
		open_zoned(&c, own, LB_ROUND_ROBIN, true);
		for (uint32_t zone = 1; zone <= 3; zone++) {
			crowd_add(&c, (int)endpoints[zone - 1], 0, zone, LB_HEALTHY);
			ck_ok(lb_pool_set_zone(c.pool, zone, 0, callers[zone - 1]));
		}
		if (own == 1) {
			ck_assert_uint_eq(share_of_first(&c, 1, 10000), 6250);
			ck_assert_uint_eq(c.zone[level_pick_at(&c, 0, &reason)], 1);
			ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
			for (uint64_t r = 6500; r < 9500; r++) {
				got[c.zone[level_pick_at(&c, r, &reason)]]++;
				ck_assert_uint_eq(reason, LB_BY_SPILL);
			}
			ck_assert_int_eq(got[1], 0);
			ck_assert_int_eq(got[2], 2000);
			ck_assert_int_eq(got[3], 1000);
		}
		for (uint64_t r = 0; own > 1 && r < 10000; r += 97)
			ck_assert_uint_eq(c.zone[level_pick_at(&c, r, NULL)], own);
		crowd_close(&c);
	}
}
END_TEST

/* Callers in every zone, each with a pool of their own: how much stays, and what each zone's endpoints get in all. */
static void check_uniform(const uint32_t *callers, const uint32_t *endpoints, uint32_t zones,
			  const double *stays, bool tell)
{
	double all[ZONES_MOST] = {0}, sum_callers = 0, sum_endpoints = 0;
	int n = (int)rounds(100000);
	double off = n < 100000 ? 0.08 : 0.02;

	for (uint32_t own = 1; own <= zones; own++) {
		crowd c;
		double parts[ZONES_MOST];
		open_zoned(&c, own, LB_ROUND_ROBIN, false);
		for (uint32_t zone = 1; zone <= zones; zone++) {
			crowd_add(&c, (int)endpoints[zone - 1], 0, zone, LB_HEALTHY);
			if (tell)
				ck_ok(lb_pool_set_zone(c.pool, zone, 0, callers[zone - 1]));
		}
		measure(&c, n, parts);
		if (stays)
			ck_assert_double_eq_tol(parts[own], stays[own - 1], n < 100000 ? 0.03 : 0.006);
		for (uint32_t zone = 1; zone <= zones; zone++)
			all[zone] += parts[zone] * callers[own - 1];
		sum_callers += callers[own - 1];
		sum_endpoints += endpoints[own - 1];
		crowd_close(&c);
	}
	for (uint32_t zone = 1; zone <= zones; zone++) {
		double due = sum_callers * endpoints[zone - 1] / sum_endpoints;
		ck_assert_msg(all[zone] <= due * (1 + off) + 1e-9 && all[zone] >= due * (1 - off) - 1e-9,
			      "zone %u gets %f, not %f", zone, all[zone], due);
	}
}

/* random_lb_simulation_test.cc, UnequalZoneDistribution5, which shows that hosts get the same; what stays follows from the rule */
START_TEST(envoy_simulation_3_2_5_callers_4_5_5_endpoints)
{
	check_uniform((uint32_t[]){3, 2, 5}, (uint32_t[]){4, 5, 5}, 3, (double[]){0.952, 1, 0.714}, true);
}
END_TEST

START_TEST(each_endpoint_gets_as_much_as_any_other)
{
	check_uniform((uint32_t[]){1, 1, 1}, (uint32_t[]){2, 3, 7}, 3, NULL, false);
	check_uniform((uint32_t[]){50, 25, 25}, (uint32_t[]){5, 5, 0}, 3, NULL, true);
	check_uniform((uint32_t[]){10, 20, 30, 40}, (uint32_t[]){40, 30, 20, 10}, 4, NULL, true);
	check_uniform((uint32_t[]){7, 1, 1, 1, 1}, (uint32_t[]){0, 3, 3, 0, 6}, 5, NULL, true);
}
END_TEST

/* Nothing told: callers stay where the endpoints were, sick or not. */
START_TEST(a_sick_zone_still_has_callers)
{
	double all[4] = {0}, parts[ZONES_MOST];

	for (uint32_t own = 1; own <= 3; own++) {
		crowd c;
		open_zoned(&c, own, LB_ROUND_ROBIN, false);
		crowd_add(&c, 8, 0, 1, LB_HEALTHY);
		crowd_add(&c, 4, 0, 2, LB_HEALTHY);
		crowd_add(&c, 1, 0, 3, LB_UNHEALTHY);
		measure(&c, 20000, parts);
		for (int zone = 1; zone <= 3; zone++)
			all[zone] += parts[zone];
		crowd_close(&c);
	}
	ck_assert_double_eq_tol(all[1], 2, 0.02);
	ck_assert_double_eq_tol(all[2], 1, 0.02);
}
END_TEST

/* Nobody calls from nowhere: endpoints there take what the zones have too much. */
START_TEST(endpoints_nowhere_serve_all_zones)
{
	double all[3] = {0}, parts[ZONES_MOST];

	for (uint32_t own = 1; own <= 2; own++) {
		crowd c;
		open_zoned(&c, own, LB_ROUND_ROBIN, false);
		crowd_add(&c, 4, 0, 1, LB_HEALTHY);
		crowd_add(&c, 4, 0, 0, LB_HEALTHY);
		crowd_add(&c, 4, 0, 2, LB_HEALTHY);
		measure(&c, 30000, parts);
		ck_assert_double_eq_tol(parts[own], 2.0 / 3, 0.01);
		ck_assert_double_eq_tol(parts[0], 1.0 / 3, 0.01);
		for (int zone = 0; zone < 3; zone++)
			all[zone] += parts[zone];
		crowd_close(&c);
	}
}
END_TEST

/* min_cluster_size is 6; round_robin_lb_test.cc, ZoneAwareSmallCluster, tries 3 hosts and 7 */
START_TEST(envoy_zones_are_not_obeyed_below_six_endpoints)
{
	crowd c;

	open_zoned(&c, 1, LB_ROUND_ROBIN, true);
	for (int i = 0; i < 5; i++)
		crowd_add(&c, 1, 0, 1 + (uint32_t)(i % 2), LB_HEALTHY);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), i % 5);
	crowd_add(&c, 1, 0, 2, LB_HEALTHY);
	for (int i = 0; i < 20; i++)
		ck_assert_uint_eq(c.zone[crowd_pick(&c, NULL, NULL)], 1);
	crowd_set_health(&c, 5, LB_UNHEALTHY);
	unsigned seen = 0;
	for (int i = 0; i < 5; i++)
		seen |= 1u << crowd_pick(&c, NULL, NULL);
	ck_assert_uint_eq(seen, 31);
	crowd_close(&c);
}
END_TEST

START_TEST(an_own_zone_without_endpoints_uses_all_others)
{
	crowd c;
	double parts[ZONES_MOST];
	uint32_t reason;

	open_zoned(&c, 9, LB_ROUND_ROBIN, false);
	crowd_add(&c, 3, 0, 1, LB_HEALTHY);
	crowd_add(&c, 3, 0, 2, LB_HEALTHY);
	measure(&c, 4000, parts);
	ck_assert_double_eq_tol(parts[1], 0.5, 0.03);
	ck_assert_int_ge(crowd_pick(&c, NULL, &reason), 0);
	ck_assert_uint_eq(reason, LB_BY_SPILL);
	/* the zone is told to have no callers: then what is told is not of us */
	ck_ok(lb_pool_set_zone(c.pool, 1, 0, 5));
	for (int i = 0; i < 12; i++) {
		ck_assert_int_ge(crowd_pick(&c, NULL, &reason), 0);
		ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
	}
	crowd_close(&c);
}
END_TEST

START_TEST(a_priority_with_more_than_16_zones_is_not_divided)
{
	crowd c;
	uint32_t reason;

	open_zoned(&c, 1, LB_ROUND_ROBIN, true);
	for (uint32_t zone = 1; zone <= 17; zone++)
		crowd_add(&c, 1, 0, zone, LB_HEALTHY);
	for (int i = 0; i < 34; i++) {
		ck_assert_int_eq(crowd_pick(&c, NULL, &reason), i % 17);
		ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
	}
	ck_ok(lb_pool_remove(c.pool, c.e[16]));
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), 0);
	crowd_close(&c);
}
END_TEST

START_TEST(many_zones_of_one_priority_do_not_matter_to_another)
{
	crowd c;

	open_zoned(&c, 2, LB_ROUND_ROBIN, true);
	crowd_add(&c, 3, 0, 1, LB_HEALTHY);
	crowd_add(&c, 3, 0, 2, LB_HEALTHY);
	for (uint32_t zone = 1; zone <= 17; zone++)
		crowd_add(&c, 1, 1, zone, LB_HEALTHY);
	for (int i = 0; i < 20; i++)
		ck_assert_uint_eq(c.zone[crowd_pick(&c, NULL, NULL)], 2);
	crowd_close(&c);
}
END_TEST

/* All there is of everything: sixteen zones in each of eight priorities, a third well. Shares of the priorities stand. */
START_TEST(sixteen_zones_in_eight_priorities)
{
	crowd c;
	lb_share shares[8];
	uint32_t got[8] = {0};

	open_zoned(&c, 1, LB_ROUND_ROBIN, true);
	for (uint32_t level = 0; level < 8; level++)
		for (uint32_t zone = 1; zone <= 16; zone++) {
			crowd_add(&c, 1, level, zone, zone <= 2 ? LB_HEALTHY : LB_UNHEALTHY);
			crowd_add(&c, 1, level, zone, zone == 3 ? LB_DEGRADED : LB_UNHEALTHY);
		}
	ck_ok(lb_pool_shares(c.pool, shares, 8, sizeof *shares));
	for (uint64_t i = 0; i < 100; i++) {
		int e = level_pick_at(&c, i, NULL);
		ck_assert(c.health[e] != LB_UNHEALTHY);
		got[c.priority[e]]++;
	}
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(got[i], shares[i].healthy_percent + shares[i].degraded_percent);
	for (int i = 0; i < c.n; i++)
		if (c.health[i] == LB_UNHEALTHY)
			crowd_set_health(&c, i, LB_HEALTHY);
	for (uint64_t i = 0; i < 100; i++) {
		int e = level_pick_at(&c, i, NULL);
		ck_assert_uint_eq(c.priority[e], 0);
		ck_assert_uint_eq(c.zone[e], 1);
	}
	crowd_close(&c);
}
END_TEST

/*
 * round_robin_lb_test.cc, LowPrecisionForDistribution: 45000/55000 callers, 44999/55001 endpoints. What is left rounds to
 * nothing; somebody must serve.
 */
START_TEST(envoy_residual_capacity_of_nothing_still_finds_somebody)
{
	crowd c;
	int got[3] = {0};

	open_zoned(&c, 1, LB_ROUND_ROBIN, true);
	crowd_add(&c, 229, 0, 1, LB_HEALTHY); /* 44.990 % */
	crowd_add(&c, 280, 0, 2, LB_HEALTHY); /* 55.010 % */
	ck_ok(lb_pool_set_zone(c.pool, 1, 0, 45000));
	ck_ok(lb_pool_set_zone(c.pool, 2, 0, 55000));
	ck_assert_uint_ge(share_of_first(&c, 1, 10000), 9997);
	for (uint64_t r = 9998; r < 10000 * 200; r += 9999)
		got[c.zone[level_pick_at(&c, r, NULL)]]++;
	ck_assert_int_gt(got[1], 0);
	ck_assert_int_gt(got[2], 0);
	crowd_close(&c);
}
END_TEST

START_TEST(zones_change_at_run_time)
{
	crowd c;
	double parts[ZONES_MOST];
	lb_endpoint_config moved;

	open_zoned(&c, 1, LB_ROUND_ROBIN, false);
	crowd_add(&c, 4, 0, 1, LB_HEALTHY);
	crowd_add(&c, 4, 0, 2, LB_HEALTHY);
	measure(&c, 100, parts);
	ck_assert_double_eq_tol(parts[1], 1, 1e-9);
	ck_ok(lb_pool_set_zone(c.pool, 2, 3, 0)); /* weights come: they have the word */
	measure(&c, 100, parts);
	ck_assert_double_eq_tol(parts[2], 1, 1e-9);
	ck_ok(lb_pool_set_zone(c.pool, 1, 1, 0));
	measure(&c, 20000, parts);
	ck_assert_double_eq_tol(parts[2], 0.75, 0.02);
	weigh_two(&c, 0, 0); /* forgotten */
	measure(&c, 100, parts);
	ck_assert_double_eq_tol(parts[1], 1, 1e-9);
	ck_ok(lb_pool_set_zone(c.pool, 1, 0, 3)); /* three of four callers, half of the endpoints */
	ck_ok(lb_pool_set_zone(c.pool, 2, 0, 1));
	measure(&c, 20000, parts);
	ck_assert_double_eq_tol(parts[1], 2.0 / 3, 0.02);
	/* two more move here: three of four */
	for (int i = 4; i < 6; i++) {
		lb_endpoint_config_init(&moved, sizeof moved);
		moved.zone = 1;
		ck_ok(lb_pool_update(c.pool, c.e[i], &moved));
		c.zone[i] = 1;
	}
	measure(&c, 100, parts);
	ck_assert_double_eq_tol(parts[1], 1, 1e-9);
	crowd_close(&c);
}
END_TEST

START_TEST(zones_are_told_within_limits)
{
	crowd c;

	open_zoned(&c, 0, LB_ROUND_ROBIN, false);
	ck_assert_int_eq(lb_pool_set_zone(NULL, 1, 1, 1), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_zone(c.pool, 0, 1, 1), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_zone(c.pool, 1, LB_WEIGHT_MAX + 1, 1), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_zone(c.pool, 1, 1, LB_CALLERS_MAX + 1), LB_EINVAL);
	for (uint32_t zone = 1; zone <= LB_ZONES_MAX; zone++)
		ck_ok(lb_pool_set_zone(c.pool, zone * 1000, LB_WEIGHT_MAX, LB_CALLERS_MAX));
	ck_assert_int_eq(lb_pool_set_zone(c.pool, 7, 1, 0), LB_ELIMIT);
	ck_ok(lb_pool_set_zone(c.pool, 7, 0, 0)); /* there is nothing to forget */
	ck_ok(lb_pool_set_zone(c.pool, 3000, 5, 0));
	ck_ok(lb_pool_set_zone(c.pool, 4000, 0, 0));
	ck_ok(lb_pool_set_zone(c.pool, UINT32_MAX, 1, 0));
	crowd_close(&c);
}
END_TEST

/* In its own zone each algorithm chooses as ever, and leaves nobody out. */
START_TEST(every_algorithm_stays_in_a_zone_that_can_take_it_all)
{
	for (int a = 0; lb_algorithm_name((lb_algorithm)a); a++) {
		bool keyed = a == LB_RING_HASH || a == LB_MAGLEV || a == LB_MAP_HASH || a == LB_RENDEZVOUS;
		/* these may well do without some */
		bool picky = a == LB_FIRST_AVAILABLE || a == LB_PEAK_EWMA;
		crowd c;
		int seen[12] = {0};
		open_zoned(&c, 2, (lb_algorithm)a, false);
		for (int i = 0; i < 12; i++)
			crowd_add(&c, 1, 0, 1 + (uint32_t)(i % 3), LB_HEALTHY);
		for (int i = 0; i < 600; i++) {
			lb_ticket ticket = {0};
			int e = crowd_select(&c, NULL, &ticket);
			seen[e]++;
			c.w.now += 1000;
			ck_ok(lb_report_result(c.selector, &ticket, LB_SUCCESS));
		}
		for (int i = 0; i < 12; i++) {
			bool may = keyed || c.zone[i] == 2;
			ck_assert_msg(may ? picky || seen[i] > 0 : seen[i] == 0, "%s: %d gets %d",
				      lb_algorithm_name((lb_algorithm)a), i, seen[i]);
		}
		crowd_close(&c);
	}
}
END_TEST

START_TEST(round_robin_and_nginx_sequence_inside_a_zone)
{
	static const int cycle[] = {1, 1, 3, 1, 5, 1, 1};
	crowd c;

	open_zoned(&c, 2, LB_ROUND_ROBIN, true);
	for (int i = 0; i < 6; i++)
		crowd_add(&c, 1, 0, 1 + (uint32_t)(i % 2), LB_HEALTHY);
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), 1 + 2 * (i % 3));
	crowd_choose_by(&c, LB_WEIGHTED_ROUND_ROBIN);
	ck_ok(lb_pool_set_weight(c.pool, c.e[1], 5));
	for (int i = 0; i < 28; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), cycle[i % 7]);
	/* of two zones that share, each has its own sequence */
	weigh_two(&c, 1, 1);
	crowd_choose_by(&c, LB_WEIGHTED_ROUND_ROBIN);
	for (int i = 0; i < 14; i++) {
		ck_assert_int_eq(level_pick_at(&c, 10, NULL), 2 * (i % 3));
		ck_assert_int_eq(level_pick_at(&c, 900000, NULL), cycle[i % 7]);
	}
	crowd_close(&c);
}
END_TEST

START_TEST(each_priority_is_divided_by_itself)
{
	crowd c;
	uint32_t reason;
	int got[2] = {0};

	open_zoned(&c, 2, LB_ROUND_ROBIN, true);
	for (uint32_t zone = 1; zone <= 2; zone++) {
		crowd_add(&c, 4, 0, zone, LB_HEALTHY);
		crowd_add(&c, 4, 0, zone, LB_UNHEALTHY);
		crowd_add(&c, 3, 1, zone, LB_HEALTHY);
	}
	for (uint64_t r = 0; r < 100; r++) {
		int e = level_pick_at(&c, r, &reason);
		ck_assert_uint_eq(c.zone[e], 2);
		ck_assert_uint_eq(reason, c.priority[e] == 0 ? LB_BY_ALGORITHM : LB_BY_SPILL);
		got[c.priority[e]]++;
	}
	ck_assert_int_eq(got[0], 70);
	ck_assert_int_eq(got[1], 30);
	crowd_close(&c);
}
END_TEST

/*
 * upstream_impl.cc, chooseDegradedLocality: degraded ones go by weight x what part of the zone they are, too. Here 1 x 0.7 to 2,
 * and a zone without weight gets nothing.
 */
START_TEST(degraded_ones_are_divided_by_the_weights_of_zones)
{
	crowd c;
	uint32_t reason;

	level_open(&c, 0);
	weigh_two(&c, 1, 2);
	crowd_add(&c, 5, 0, 3, LB_DEGRADED);
	crowd_add(&c, 5, 0, 1, LB_DEGRADED);
	crowd_add(&c, 5, 0, 1, LB_UNHEALTHY);
	crowd_add(&c, 10, 0, 2, LB_DEGRADED);
	double got = (double)share_of_first(&c, 1, 1000000) / 1e6;
	ck_assert_double_eq_tol(got, 0.7 / 2.7, 2e-6);
	for (uint64_t r = 0; r < 1000; r++)
		ck_assert_uint_ne(c.zone[level_pick_at(&c, r * 997, &reason)], 3);
	ck_assert_uint_eq(reason, LB_BY_SPILL);
	crowd_close(&c);
}
END_TEST

/* As healthy ones: our zone has a third of the callers and a sixth of the degraded ones, so half of it stays. */
START_TEST(degraded_ones_are_chosen_nearby_first)
{
	static const int degraded[] = {2, 6, 4};
	crowd c;
	double parts[ZONES_MOST];

	open_zoned(&c, 1, LB_RANDOM, false);
	for (uint32_t zone = 1; zone <= 3; zone++) {
		crowd_add(&c, 3, 0, zone, LB_UNHEALTHY);
		crowd_add(&c, degraded[zone - 1], 0, zone, LB_DEGRADED);
		ck_ok(lb_pool_set_zone(c.pool, zone, 0, 10));
	}
	measure(&c, (int)rounds(20000), parts);
	ck_assert_double_eq_tol(parts[1], 1.0 / 2, 0.04);
	ck_assert_double_eq_tol(parts[2], 1.0 / 2, 0.04);
	crowd_close(&c);
}
END_TEST

/* load_balancer_impl.cc, hostSourceToUse: in panic all of the priority, wherever they stand */
START_TEST(envoy_panic_knows_no_zones)
{
	lb_pool_config config = crowd_config();
	crowd c;

	config.zone = 1;
	config.panic_percent = 50;
	crowd_open(&c, &config, LB_ROUND_ROBIN, true);
	crowd_add(&c, 2, 0, 1, LB_HEALTHY);
	crowd_add(&c, 2, 0, 1, LB_UNHEALTHY);
	crowd_add(&c, 6, 0, 2, LB_UNHEALTHY);
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), i % 10);
	crowd_close(&c);
}
END_TEST

static const lb_algorithm keyed[] = {LB_RING_HASH, LB_MAGLEV, LB_MAP_HASH, LB_RENDEZVOUS};
enum { KEYED = sizeof keyed / sizeof *keyed };

/* Hashing by the zones' weights: 1 to 2, of many endpoints and of few; and nothing for the many of a zone without. */
START_TEST(keys_go_by_the_weights_of_zones)
{
	for (size_t a = 0; a < KEYED; a++) {
		crowd c;
		double parts[ZONES_MOST];
		open_zoned(&c, 0, keyed[a], false);
		crowd_add(&c, 100, 0, 1, LB_HEALTHY);
		crowd_add(&c, 50, 0, 2, LB_HEALTHY);
		crowd_add(&c, 150, 0, 3, LB_HEALTHY);
		weigh_two(&c, 1, 2);
		measure(&c, 20000, parts);
		ck_assert_double_eq_tol(parts[1], 1.0 / 3, 0.06);
		ck_assert_msg(parts[3] == 0, "%s: %f", lb_algorithm_name(keyed[a]), parts[3]);
		/* without weights: by endpoints */
		weigh_two(&c, 0, 0);
		measure(&c, 20000, parts);
		ck_assert_double_eq_tol(parts[3], 0.5, 0.06);
		crowd_close(&c);
	}
}
END_TEST

/* Small weights of zones beside many endpoints with large ones: their shares do not drown in rounding. */
START_TEST(keys_go_by_the_weights_of_zones_of_any_scale)
{
	crowd c;
	double parts[ZONES_MOST];

	open_zoned(&c, 0, LB_MAP_HASH, false);
	crowd_add(&c, 200, 0, 1, LB_HEALTHY);
	crowd_add(&c, 10, 0, 2, LB_HEALTHY);
	for (int i = 0; i < 200; i++)
		ck_ok(lb_pool_set_weight(c.pool, c.e[i], i % 2 == 0 ? LB_WEIGHT_MAX : 1));
	weigh_two(&c, 1, 1);
	measure(&c, 20000, parts);
	ck_assert_double_eq_tol(parts[1], 0.5, 0.013);
	crowd_close(&c);
}
END_TEST

/* As for the other algorithms: more zones than are divided, or none that has a weight and somebody: endpoints' own weights. */
START_TEST(keys_go_by_endpoints_where_zones_are_not_divided)
{
	crowd c;
	double parts[ZONES_MOST];

	open_zoned(&c, 0, LB_MAP_HASH, false);
	ck_ok(lb_pool_set_zone(c.pool, 99, 5, 0));
	crowd_add(&c, 1, 0, 1, LB_HEALTHY);
	crowd_add(&c, 1, 0, 2, LB_HEALTHY);
	ck_ok(lb_pool_set_weight(c.pool, c.e[0], 3));
	measure(&c, 20000, parts);
	ck_assert_double_eq_tol(parts[1], 0.75, 0.02);
	for (uint32_t zone = 3; zone <= 16; zone++)
		crowd_add(&c, 1, 0, zone, LB_HEALTHY);
	crowd_add(&c, 1, 0, 99, LB_HEALTHY);
	c.zone[c.n - 1] = 0;
	measure(&c, 20000, parts);
	ck_assert_double_eq_tol(parts[0], 1.0 / 19, 0.01);
	ck_assert_double_eq_tol(parts[1], 3.0 / 19, 0.02);
	crowd_close(&c);
}
END_TEST

/* Degraded ones have their own share, of their own keys: in the healthy ones' it does not count that they are there. */
START_TEST(keys_go_by_the_weights_of_the_zones_healthy_ones)
{
	for (size_t a = 0; a < KEYED; a++) {
		crowd c;
		double parts[ZONES_MOST];
		open_zoned(&c, 0, keyed[a], false);
		weigh_two(&c, 1, 1);
		crowd_add(&c, 40, 0, 1, LB_HEALTHY);
		crowd_add(&c, 40, 0, 1, LB_DEGRADED);
		crowd_add(&c, 80, 0, 2, LB_HEALTHY);
		measure(&c, 20000, parts);
		ck_assert_double_eq_tol(parts[1], 0.5, 0.06);
		crowd_close(&c);
	}
}
END_TEST

/* thread_aware_lb_impl.cc, normalizeWeights: in panic hashing goes by all hosts, but still by zones; nobody else does. */
START_TEST(keys_go_by_the_weights_of_zones_in_panic)
{
	lb_pool_config config = crowd_config();

	config.panic_percent = 50;
	for (size_t a = 0; a <= KEYED; a++) {
		crowd c;
		double parts[ZONES_MOST];
		crowd_open(&c, &config, a < KEYED ? keyed[a] : LB_ROUND_ROBIN, false);
		weigh_two(&c, 1, 3);
		crowd_add(&c, 60, 0, 1, LB_UNHEALTHY);
		crowd_add(&c, 60, 0, 2, LB_UNHEALTHY);
		crowd_add(&c, 40, 0, 3, LB_HEALTHY);
		measure(&c, 20000, parts);
		ck_assert_double_eq_tol(parts[1], a < KEYED ? 1.0 / 4 : 3.0 / 8, 0.04);
		ck_assert(a < KEYED ? parts[3] == 0 : parts[3] > 0.24);
		crowd_close(&c);
	}
}
END_TEST

/* A retry wants another zone than the one that it has been to; not one without weight, as long as another can serve. */
START_TEST(a_zone_without_weight_gets_no_retry_while_another_can_serve)
{
	for (size_t a = 0; a <= KEYED; a++) {
		crowd c;
		open_zoned(&c, 0, a < KEYED ? keyed[a] : LB_ROUND_ROBIN, false);
		crowd_add(&c, 5, 0, 1, LB_HEALTHY);
		crowd_add(&c, 3, 0, 2, LB_HEALTHY);
		ck_ok(lb_pool_set_zone(c.pool, 2, 1, 0));
		for (uint64_t key = 0; key < 50; key++) {
			lb_request request = {.key = key, .flags = LB_REQUEST_KEY};
			lb_ticket ticket = {0};
			for (int attempt = 0; attempt < 8; attempt++) {
				int e = crowd_select(&c, &request, &ticket);
				ck_assert_int_ge(e, 0);
				ck_assert_uint_eq(c.zone[e], attempt < 3 ? 2 : 1);
				if (attempt >= 3)
					ck_assert_uint_eq(ticket.reason, LB_BY_LAST_RESORT);
				ck_ok(lb_report_result(c.selector, &ticket, LB_REFUSED));
			}
		}
		crowd_close(&c);
	}
}
END_TEST

/* With a bound of the load, for a pool in panic; zones 1 and 2 have the same weight. */
static void open_bounded(crowd *c, lb_algorithm algorithm, uint32_t bound_percent)
{
	lb_pool_config config = crowd_config();
	lb_selector_config selection;

	config.panic_percent = 50;
	crowd_open(c, &config, LB_RANDOM, false);
	lb_selector_destroy(c->selector);
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = algorithm;
	selection.bound_percent = bound_percent;
	selection.seed = 11;
	ck_ok(lb_selector_create(&c->selector, c->pool, &selection));
	weigh_two(c, 1, 1);
}

/*
 * The bound of the load goes by the weights that keys go by: one endpoint has half of the traffic, nine have the other half, and
 * a zone without weight, in panic, nothing.
 */
START_TEST(bounds_go_by_the_weights_of_zones)
{
	enum { HELD = 400, BOUND = 125 };
	static lb_ticket tickets[HELD];

	for (size_t a = 0; a < KEYED; a++) {
		crowd c;
		uint32_t loads[20] = {0};
		open_bounded(&c, keyed[a], BOUND);
		crowd_add(&c, 1, 0, 1, LB_UNHEALTHY);
		crowd_add(&c, 9, 0, 2, LB_UNHEALTHY);
		crowd_add(&c, 5, 0, 3, LB_UNHEALTHY);
		for (uint32_t i = 0; i < HELD; i++) {
			/* every other request is for one hot key */
			lb_request request = {.key = i % 2 ? 7 : lb_mix64(i), .flags = LB_REQUEST_KEY};
			tickets[i] = (lb_ticket){0};
			int e = crowd_select(&c, &request, &tickets[i]);
			uint32_t parts = e == 0 ? 1 : 9,
				 most = (BOUND * (i + 1) + 200 * parts - 1) / (200 * parts);
			if (e < 0 || c.zone[e] == 3 || ++loads[e] > most)
				ck_abort_msg("%s, request %u: %d", lb_algorithm_name(keyed[a]), i, e);
		}
		ck_assert_uint_gt(loads[0], HELD * 2 / 5);
		for (uint32_t i = 0; i < HELD; i++)
			ck_ok(lb_report_result(c.selector, &tickets[i], LB_SUCCESS));
		crowd_close(&c);
	}
}
END_TEST

/* Who is left of those with weight is above the bound: the bound gives way, not the zone. */
START_TEST(a_bound_gives_way_before_a_zone_without_weight_serves)
{
	for (size_t a = 0; a < KEYED; a++) {
		crowd c;
		lb_ticket held = {0}, ticket = {0};
		open_bounded(&c, keyed[a], 100);
		for (uint32_t zone = 1; zone <= 3; zone++)
			crowd_add(&c, 1, 0, zone, LB_UNHEALTHY);
		int first = crowd_select(&c, &(lb_request){.key = 7, .flags = LB_REQUEST_KEY}, &ticket);
		ck_assert(first == 0 || first == 1);
		ck_ok(lb_report_result(c.selector, &ticket, LB_REFUSED));
		ck_ok(lb_pool_set_health(c.pool, c.e[1 - first], LB_HEALTHY));
		ck_assert_int_eq(crowd_select(&c, &(lb_request){.prefer = c.e[1 - first]}, &held), 1 - first);
		ck_assert_int_eq(crowd_select(&c, &(lb_request){.key = 7, .flags = LB_REQUEST_KEY}, &ticket),
				 1 - first);
		ck_ok(lb_report_result(c.selector, &ticket, LB_SUCCESS));
		ck_ok(lb_report_result(c.selector, &held, LB_SUCCESS));
		crowd_close(&c);
	}
}
END_TEST

Suite *suite_localities(void)
{
	Suite *suite = suite_create("localities");
	TCase *weights = tcase_create("weights"), *nearby = tcase_create("nearby");

	tcase_set_timeout(weights, 60);
	tcase_set_timeout(nearby, 60);
	tcase_add_test(weights, envoy_locality_weight_table);
	tcase_add_test(weights, a_zone_without_weight_gets_nothing_while_another_can_serve);
	tcase_add_test(weights, degraded_ones_are_divided_by_the_weights_of_zones);
	tcase_add_test(weights, keys_go_by_the_weights_of_zones);
	tcase_add_test(weights, keys_go_by_the_weights_of_zones_of_any_scale);
	tcase_add_test(weights, keys_go_by_endpoints_where_zones_are_not_divided);
	tcase_add_test(weights, keys_go_by_the_weights_of_the_zones_healthy_ones);
	tcase_add_test(weights, keys_go_by_the_weights_of_zones_in_panic);
	tcase_add_test(weights, bounds_go_by_the_weights_of_zones);
	tcase_add_test(weights, a_bound_gives_way_before_a_zone_without_weight_serves);
	tcase_add_test(weights, a_zone_without_weight_gets_no_retry_while_another_can_serve);
	suite_add_tcase(suite, weights);
	tcase_add_test(nearby, envoy_comment_vector_62_5_percent_stay_the_rest_goes_2_to_1);
	tcase_add_test(nearby, envoy_simulation_3_2_5_callers_4_5_5_endpoints);
	tcase_add_test(nearby, each_endpoint_gets_as_much_as_any_other);
	tcase_add_test(nearby, a_sick_zone_still_has_callers);
	tcase_add_test(nearby, endpoints_nowhere_serve_all_zones);
	tcase_add_test(nearby, envoy_zones_are_not_obeyed_below_six_endpoints);
	tcase_add_test(nearby, an_own_zone_without_endpoints_uses_all_others);
	tcase_add_test(nearby, a_priority_with_more_than_16_zones_is_not_divided);
	tcase_add_test(nearby, many_zones_of_one_priority_do_not_matter_to_another);
	tcase_add_test(nearby, sixteen_zones_in_eight_priorities);
	tcase_add_test(nearby, envoy_residual_capacity_of_nothing_still_finds_somebody);
	tcase_add_test(nearby, zones_change_at_run_time);
	tcase_add_test(nearby, zones_are_told_within_limits);
	tcase_add_test(nearby, every_algorithm_stays_in_a_zone_that_can_take_it_all);
	tcase_add_test(nearby, round_robin_and_nginx_sequence_inside_a_zone);
	tcase_add_test(nearby, each_priority_is_divided_by_itself);
	tcase_add_test(nearby, envoy_panic_knows_no_zones);
	tcase_add_test(nearby, degraded_ones_are_chosen_nearby_first);
	suite_add_tcase(suite, nearby);
	return suite;
}
