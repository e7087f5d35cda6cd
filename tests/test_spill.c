/* Priorities, panic and degraded endpoints as a host sees them: who gets how many of a hundred requests, and why. */
#include "levels.h"

enum { LEVELS = 3 };

/* One row of a table: levels as {endpoints, healthy, degraded}, and what must come of them. */
typedef struct row {
	uint32_t given[LEVELS][3];
	uint32_t healthy[LEVELS], degraded[LEVELS];
	bool panic[LEVELS];
} row;

static void populate(crowd *c, const row *r)
{
	for (uint32_t level = 0; level < LEVELS; level++)
		level_add(c, level, r->given[level][0], r->given[level][1], r->given[level][2]);
}

static void check_shares(const crowd *c, const row *r, int number)
{
	lb_share shares[LEVELS];

	ck_ok(lb_pool_shares(c->pool, shares, LEVELS, sizeof *shares));
	for (int i = 0; i < LEVELS; i++) {
		ck_assert_msg(shares[i].healthy_percent == r->healthy[i] &&
				  shares[i].degraded_percent == r->degraded[i],
			      "row %d, level %d: %u and %u %%, not %u and %u", number, i,
			      shares[i].healthy_percent, shares[i].degraded_percent, r->healthy[i],
			      r->degraded[i]);
		/* of a level without endpoints panic means nothing */
		ck_assert_msg(r->given[i][0] == 0 || shares[i].panic == r->panic[i],
			      "row %d, level %d: panic %u", number, i, shares[i].panic);
		ck_assert_uint_eq(shares[i].endpoints, r->given[i][0]);
		ck_assert_uint_eq(shares[i].healthy, r->given[i][1]);
		ck_assert_uint_eq(shares[i].degraded, r->given[i][2]);
	}
}

/* The reason of a pick that is what the row says. */
static uint32_t reason_of(const row *r, uint32_t level, bool degraded)
{
	if (r->panic[level])
		return LB_BY_PANIC;
	return level == 0 && !degraded ? LB_BY_ALGORITHM : LB_BY_SPILL;
}

/* A hundred requests whose level is chosen by 0 to 99, each once. */
static void check_picks(crowd *c, const row *r, bool keyed, int number)
{
	uint32_t healthy[LEVELS] = {0}, degraded[LEVELS] = {0};

	c->w.random = 0;
	for (uint64_t i = 0; i < 100; i++) {
		lb_request request = {.key = i, .flags = LB_REQUEST_KEY};
		uint32_t reason;
		int e = crowd_pick(c, keyed ? &request : NULL, &reason);
		ck_assert_msg(e >= 0, "row %d: %d", number, e);
		uint32_t level = c->priority[e];
		bool weak = c->health[e] == LB_DEGRADED && !r->panic[level];
		ck_assert_msg(r->panic[level] || c->health[e] != LB_UNHEALTHY, "row %d: an unhealthy one",
			      number);
		ck_assert_msg(reason == reason_of(r, level, weak), "row %d, level %u: reason %u", number,
			      level, reason);
		(weak ? degraded : healthy)[level]++;
	}
	for (int i = 0; i < LEVELS; i++)
		ck_assert_msg(healthy[i] == r->healthy[i] && degraded[i] == r->degraded[i],
			      "row %d, level %d: %u and %u picks, not %u and %u", number, i, healthy[i],
			      degraded[i], r->healthy[i], r->degraded[i]);
}

static void check_rows(const row *rows, size_t n, uint32_t panic, uint32_t overprovision)
{
	lb_pool_config config = crowd_config();

	config.panic_percent = panic;
	config.overprovision_percent = overprovision;
	for (size_t i = 0; i < n; i++) {
		crowd c;
		crowd_open(&c, &config, LB_ROUND_ROBIN, true);
		populate(&c, &rows[i]);
		check_shares(&c, &rows[i], (int)i);
		check_picks(&c, &rows[i], false, (int)i);
		crowd_choose_by(&c, LB_MAP_HASH);
		check_picks(&c, &rows[i], true, (int)i);
		crowd_choose_by(&c, LB_RING_HASH);
		check_picks(&c, &rows[i], true, (int)i);
		crowd_close(&c);
	}
}

#define CHECK(rows, panic, overprovision)                                                                    \
	check_rows(rows, sizeof(rows) / sizeof(*(rows)), panic, overprovision)

/* Envoy's priority.rst */
START_TEST(envoy_priority_tables_two_levels)
{
	static const row rows[] = {
	    {.given = {{100, 100}, {100, 100}}, .healthy = {100}},
	    {.given = {{100, 72}, {100, 100}}, .healthy = {100}},
	    {.given = {{100, 71}, {100, 100}}, .healthy = {99, 1}},
	    {.given = {{100, 50}, {100, 100}}, .healthy = {70, 30}},
	    {.given = {{100, 25}, {100, 100}}, .healthy = {35, 65}},
	    {.given = {{100, 0}, {100, 100}}, .healthy = {0, 100}},
	    {.given = {{100, 72}, {100, 72}}, .healthy = {100}},
	    {.given = {{100, 71}, {100, 71}}, .healthy = {99, 1}},
	    {.given = {{100, 50}, {100, 50}}, .healthy = {70, 30}},
	};
	CHECK(rows, 50, 140);
	CHECK(rows, 0, 140);
}
END_TEST

/* priority.rst; the last row as the code has it (37), not the docs (36) */
START_TEST(envoy_priority_tables_three_levels)
{
	static const row rows[] = {
	    {.given = {{100, 25}, {100, 100}, {100, 100}}, .healthy = {35, 65, 0}},
	    {.given = {{100, 25}, {100, 25}, {100, 100}}, .healthy = {35, 35, 30}},
	    {.given = {{100, 25}, {100, 25}, {100, 20}}, .healthy = {37, 35, 28}},
	};
	CHECK(rows, 0, 140);
}
END_TEST

/* panic_threshold.rst; of the last row the docs say 7 / 93 */
START_TEST(envoy_panic_threshold_table)
{
	static const row rows[] = {
	    {.given = {{100, 50}, {100, 60}}, .healthy = {70, 30}},
	    {.given = {{100, 25}, {100, 25}}, .healthy = {50, 50}, .panic = {true, true}},
	    {.given = {{100, 5}, {100, 65}}, .healthy = {8, 92}, .panic = {true}},
	};
	CHECK(rows, 50, 140);
}
END_TEST

/* degraded.rst; the rows of 71/0/29 and 5/0/95 */
START_TEST(envoy_degraded_table)
{
	static const row rows[] = {
	    {.given = {{100, 100, 0}}, .healthy = {100}},
	    {.given = {{100, 71, 0}}, .healthy = {100}},
	    {.given = {{100, 71, 29}}, .healthy = {99}, .degraded = {1}},
	    {.given = {{100, 25, 65}}, .healthy = {35}, .degraded = {65}},
	    {.given = {{100, 5, 0}}, .healthy = {100}, .panic = {true}},
	};
	CHECK(rows, 50, 140);
}
END_TEST

/* load_balancer_impl_base_test.cc: GentleFailover, GentleFailoverWithExtraLevels, PrioritySelection */
START_TEST(envoy_unit_tests_gentle_failover)
{
	static const row rows[] = {
	    {.given = {{1, 1}, {1, 1}}, .healthy = {100, 0}},
	    {.given = {{2, 1}, {2, 1}}, .healthy = {70, 30}},
	    {.given = {{4, 1}, {2, 2}}, .healthy = {35, 65}},
	    {.given = {{4, 1}, {4, 1}}, .healthy = {50, 50}, .panic = {true, true}},
	    {.given = {{2, 1}, {2, 1}, {2, 1}}, .healthy = {70, 30, 0}},
	    {.given = {{4, 1}, {4, 1}, {4, 1}}, .healthy = {35, 35, 30}},
	    {.given = {{5, 1}, {5, 1}, {5, 1}}, .healthy = {34, 33, 33}, .panic = {true, true, true}},
	    {.given = {{5, 0}, {5, 0}, {5, 4}}, .healthy = {0, 0, 100}},
	    {.given = {{5, 0}, {3, 0}, {2, 0}}, .healthy = {50, 30, 20}, .panic = {true, true, true}},
	    {.given = {{5, 0}, {6, 2}, {3, 1}}, .healthy = {37, 42, 21}, .panic = {true, true, true}},
	    {.given = {{5, 0, 5}, {5, 2, 2}, {5, 2}}, .healthy = {0, 56, 44}},
	    {.given = {{5, 0, 1}, {5, 0, 5}, {5, 1}}, .healthy = {0, 0, 28}, .degraded = {28, 44, 0}},
	    {.given = {{0, 0}, {6, 0}, {3, 0}}, .healthy = {0, 67, 33}, .panic = {true, true, true}},
	    {.given = {{1, 0}, {1, 0}}, .healthy = {50, 50}, .panic = {true, true}},
	    {.given = {{1, 0}, {2, 0}}, .healthy = {34, 66}, .panic = {true, true}},
	    {.given = {{1, 0}, {2, 0}, {1, 1}}, .healthy = {0, 0, 100}},
	};
	CHECK(rows, 50, 140);
}
END_TEST

/* GentleFailoverWithExtraLevels: no healthy one anywhere, and no panic */
START_TEST(envoy_unit_test_degraded_levels_without_panic)
{
	static const row rows[] = {
	    {.given = {{5, 0}, {5, 0, 2}, {5, 0, 1}}, .degraded = {0, 67, 33}},
	};
	CHECK(rows, 0, 140);
}
END_TEST

/* OverProvisioningFactor */
START_TEST(envoy_unit_tests_overprovisioning_of_1)
{
	static const row rows[] = {
	    {.given = {{4, 2}, {4, 2}}, .healthy = {50, 50}},
	    {.given = {{10, 6}, {1, 1}}, .healthy = {60, 40}},
	    {.given = {{10, 4, 3}, {10, 1, 9}}, .healthy = {40, 10}, .degraded = {30, 20}},
	};
	CHECK(rows, 50, 100);
}
END_TEST

/* A level in panic uses all it has: what its degraded ones could take is no other part of it. */
START_TEST(a_panic_makes_one_share_of_healthy_and_degraded)
{
	static const row rows[] = {
	    {.given = {{100, 5, 5}, {100, 60}}, .healthy = {15, 85}, .panic = {true}},
	};
	CHECK(rows, 50, 140);
}
END_TEST

/* Drained, down, without weight: by intent. They are no part of what a level should be able to take. */
START_TEST(excluded_ones_leave_the_denominator)
{
	crowd c;
	lb_share shares[2];

	level_open(&c, 0);
	int first = crowd_add(&c, 10, 0, 0, LB_HEALTHY);
	crowd_add(&c, 10, 1, 0, LB_HEALTHY);
	for (int i = 0; i < 3; i++)
		ck_ok(lb_pool_set_admin(c.pool, c.e[first + i], LB_ADMIN_DRAIN));
	for (int i = 3; i < 6; i++)
		ck_ok(lb_pool_set_weight(c.pool, c.e[first + i], 0));
	ck_ok(lb_pool_set_admin(c.pool, c.e[first + 6], LB_ADMIN_DOWN));
	ck_ok(lb_pool_shares(c.pool, shares, 2, sizeof *shares));
	ck_assert_uint_eq(shares[0].healthy_percent, 100);
	ck_assert_uint_eq(shares[0].endpoints, 3);
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), 7 + i % 3);
	crowd_set_health(&c, 7, LB_UNHEALTHY); /* 2 of 3: 93 % */
	ck_ok(lb_pool_shares(c.pool, shares, 2, sizeof *shares));
	ck_assert_uint_eq(shares[0].healthy_percent, 93);
	ck_assert_uint_eq(shares[1].healthy_percent, 7);
	crowd_close(&c);
}
END_TEST

/* A backup that stands by is no part of its level; when it serves, it is. */
START_TEST(a_backup_counts_when_it_serves)
{
	lb_failover *failover;
	crowd c;
	lb_share shares[2];

	level_open(&c, 0);
	crowd_add(&c, 3, 0, 0, LB_HEALTHY);
	crowd_add(&c, 2, 1, 0, LB_HEALTHY);
	ck_ok(lb_failover_create(&failover, c.pool, NULL));
	ck_ok(lb_failover_set_primary(failover, c.e[0]));
	ck_ok(lb_failover_set_backup(failover, c.e[0], c.e[2]));
	ck_ok(lb_pool_shares(c.pool, shares, 2, sizeof *shares));
	ck_assert_uint_eq(shares[0].endpoints, 2);
	ck_assert_uint_eq(shares[0].healthy_percent, 100);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), i % 2);
	crowd_set_health(&c, 0, LB_UNHEALTHY);
	ck_ok(lb_pool_shares(c.pool, shares, 2, sizeof *shares));
	ck_assert_uint_eq(shares[0].healthy_percent, 100);
	for (int i = 0; i < 10; i++)
		ck_assert_int_ne(crowd_pick(&c, NULL, NULL), 0);
	lb_failover_destroy(failover);
	crowd_close(&c);
}
END_TEST

/* round_robin_lb_test.cc, MaxUnhealthyPanic */
START_TEST(envoy_two_of_six_healthy_rotate_all_six_four_of_six_only_the_healthy)
{
	crowd c;
	uint32_t reason;

	level_open(&c, 50);
	crowd_add(&c, 2, 0, 0, LB_HEALTHY);
	crowd_add(&c, 4, 0, 0, LB_UNHEALTHY);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(crowd_pick(&c, NULL, &reason), i % 6);
		ck_assert_uint_eq(reason, LB_BY_PANIC);
	}
	crowd_set_health(&c, 2, LB_HEALTHY);
	crowd_set_health(&c, 3, LB_HEALTHY);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(crowd_pick(&c, NULL, &reason), i % 4);
		ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
	}
	crowd_close(&c);
}
END_TEST

START_TEST(a_threshold_of_0_never_panics)
{
	crowd c;

	level_open(&c, 0);
	crowd_add(&c, 1, 0, 0, LB_HEALTHY);
	crowd_add(&c, 9, 0, 0, LB_UNHEALTHY);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), 0);
	crowd_set_health(&c, 0, LB_UNHEALTHY);
	ck_assert_int_eq(crowd_pick(&c, NULL, NULL), LB_ENONE);
	crowd_close(&c);
}
END_TEST

/* Envoy's fail_traffic_on_panic: the share of the level in panic is shed, that of the other is served. */
START_TEST(panic_fails_sheds_the_share_of_its_level_only)
{
	lb_pool_config config = crowd_config();
	crowd c;
	int shed = 0, served = 0;

	config.panic_percent = 50;
	config.panic_fails = 1;
	crowd_open(&c, &config, LB_ROUND_ROBIN, true);
	populate(&c, &(row){.given = {{100, 5}, {100, 65}}}); /* 8 / 92 */
	for (int i = 0; i < 100; i++) {
		uint32_t reason;
		int e = crowd_pick(&c, NULL, &reason);
		shed += e == LB_ENONE;
		if (e < 0)
			continue;
		served++;
		ck_assert_uint_eq(c.priority[e], 1);
		ck_assert_int_eq(c.health[e], LB_HEALTHY);
		ck_assert_uint_eq(reason, LB_BY_SPILL);
	}
	ck_assert_int_eq(shed, 8);
	ck_assert_int_eq(served, 92);
	crowd_close(&c);
}
END_TEST

START_TEST(panic_fails_of_all_levels_serves_nobody_until_they_are_well)
{
	lb_pool_config config = crowd_config();
	crowd c;

	config.panic_percent = 50;
	config.panic_fails = 1;
	config.fail_mode = LB_FAIL_OPEN; /* panic has the word */
	crowd_open(&c, &config, LB_ROUND_ROBIN, true);
	crowd_add(&c, 2, 0, 0, LB_HEALTHY);
	crowd_add(&c, 4, 0, 0, LB_UNHEALTHY);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), LB_ENONE);
	crowd_set_health(&c, 2, LB_HEALTHY);
	crowd_set_health(&c, 3, LB_HEALTHY);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), i % 4);
	crowd_close(&c);
}
END_TEST

/* Fails one request at an endpoint so often that its breaker opens. */
static void trip(crowd *c, int number)
{
	for (int i = 0; i < 2; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(c->selector, &(lb_request){.prefer = c->e[number]}, &ticket));
		ck_assert_int_eq(crowd_number(c, ticket.endpoint), number);
		ck_ok(lb_report_result(c->selector, &ticket, LB_FAILURE));
	}
}

/* In panic below 50 %: so many endpoints, and the breakers of the first three are open, which no view says yet. */
static void open_tripped(crowd *c, const lb_pool_config *like, int n, bool counts)
{
	lb_pool_config config = *like;
	lb_breaker_config breaker;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 2;
	breaker.jitter_percent = 0;
	config.panic_percent = 50;
	config.breaker = &breaker;
	crowd_open(c, &config, LB_ROUND_ROBIN, counts);
	crowd_add(c, n, 0, 0, LB_HEALTHY);
	for (int i = 0; i < 3; i++)
		trip(c, i);
}

START_TEST(breakers_cause_a_panic_and_are_not_asked_in_it)
{
	lb_pool_config config = crowd_config();
	crowd c;
	uint32_t reason;

	open_tripped(&c, &config, 4, true);
	/* nobody knows of the panic before the view does: the one that is left serves */
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), 3);
	lb_pool_tick(c.pool);
	int seen[4] = {0};
	for (int i = 0; i < 40; i++) {
		int e = crowd_pick(&c, NULL, &reason);
		ck_assert_int_ge(e, 0);
		seen[e]++;
		ck_assert_uint_eq(reason, LB_BY_PANIC);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(seen[i], 10);
	/* what became of such calls told the open breakers nothing */
	lb_endpoint_info info;
	ck_ok(lb_pool_info(c.pool, c.e[0], &info, sizeof info));
	ck_assert_int_eq(info.breaker, LB_BREAKER_OPEN);
	crowd_close(&c);
}
END_TEST

START_TEST(all_breakers_open_panic_before_the_view_says_so)
{
	lb_pool_config config = crowd_config();
	crowd c;
	uint32_t reason;

	open_tripped(&c, &config, 3, false);
	int seen[3] = {0};
	for (int i = 0; i < 300; i++) {
		int e = crowd_pick(&c, NULL, &reason);
		ck_assert_int_ge(e, 0);
		seen[e]++;
		ck_assert_uint_eq(reason, LB_BY_PANIC);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_int_ge(seen[i], 50);
	crowd_close(&c);
}
END_TEST

/* The published view and the moment before it say the same. */
START_TEST(all_breakers_open_and_panic_fails_before_and_after_a_tick)
{
	lb_pool_config config = crowd_config();
	crowd c;

	config.panic_fails = 1;
	config.fail_mode = LB_FAIL_OPEN;
	open_tripped(&c, &config, 3, false);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), LB_ENONE);
	lb_pool_tick(c.pool);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), LB_ENONE);
	crowd_close(&c);
}
END_TEST

/* A retry that has been to all healthy ones is no panic: somebody is well. */
START_TEST(a_retry_does_not_panic_while_somebody_is_usable)
{
	crowd c;

	level_open(&c, 50);
	crowd_add(&c, 2, 0, 0, LB_HEALTHY);
	crowd_add(&c, 2, 0, 0, LB_UNHEALTHY);
	lb_ticket ticket = {0};
	for (int i = 0; i < 2; i++) {
		ck_assert_int_lt(crowd_select(&c, NULL, &ticket), 2);
		ck_ok(lb_report_result(c.selector, &ticket, LB_FAILURE));
	}
	ck_assert_int_eq(crowd_select(&c, NULL, &ticket), LB_ENONE);
	crowd_close(&c);
}
END_TEST

/* All that are well are full: that is no panic either. */
START_TEST(full_ones_are_no_panic)
{
	crowd c;
	lb_endpoint_config limited;
	lb_ticket held[2] = {{0}, {0}}, third = {0};

	level_open(&c, 50);
	crowd_add(&c, 2, 0, 0, LB_HEALTHY);
	crowd_add(&c, 2, 0, 0, LB_UNHEALTHY);
	lb_endpoint_config_init(&limited, sizeof limited);
	limited.inflight_max = 1;
	for (int i = 0; i < 2; i++)
		ck_ok(lb_pool_update(c.pool, c.e[i], &limited));
	ck_assert_int_eq(crowd_select(&c, NULL, &held[0]), 0);
	ck_assert_int_eq(crowd_select(&c, NULL, &held[1]), 1);
	ck_assert_int_eq(crowd_select(&c, NULL, &third), LB_EFULL);
	for (int i = 0; i < 2; i++)
		ck_ok(lb_report_result(c.selector, &held[i], LB_SUCCESS));
	crowd_close(&c);
}
END_TEST

START_TEST(reasons_tell_which_way_a_request_went)
{
	crowd c;
	uint32_t reason;

	level_open(&c, 0);
	crowd_add(&c, 1, 0, 0, LB_HEALTHY);
	crowd_add(&c, 1, 0, 0, LB_DEGRADED);
	crowd_add(&c, 1, 1, 0, LB_HEALTHY);
	ck_assert_int_eq(crowd_pick(&c, NULL, &reason), 0); /* 70 : 30 */
	ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
	c.w.random = 99;
	ck_assert_int_eq(crowd_pick(&c, NULL, &reason), 2);
	ck_assert_uint_eq(reason, LB_BY_SPILL);
	ck_ok(lb_pool_set_admin(c.pool, c.e[2], LB_ADMIN_DRAIN));
	c.w.random = 99; /* 70 of healthy, 30 of degraded */
	ck_assert_int_eq(crowd_pick(&c, NULL, &reason), 1);
	ck_assert_uint_eq(reason, LB_BY_SPILL);
	ck_assert_int_eq(crowd_pick(&c, &(lb_request){.prefer = c.e[0]}, &reason), 0);
	ck_assert_uint_eq(reason, LB_BY_PREFERENCE);
	crowd_close(&c);
}
END_TEST

/* The level of a key is the key's own: all callers agree, and it does not wander while the shares stand. */
START_TEST(a_key_keeps_its_level)
{
	static const lb_algorithm keyed[] = {LB_RING_HASH, LB_MAGLEV, LB_MAP_HASH, LB_RENDEZVOUS};
	crowd c;

	level_open(&c, 0);
	crowd_add(&c, 5, 0, 0, LB_HEALTHY);
	crowd_add(&c, 5, 0, 0, LB_UNHEALTHY);
	crowd_add(&c, 5, 1, 0, LB_HEALTHY);
	for (int a = 0; a < 4; a++) {
		crowd_choose_by(&c, keyed[a]);
		for (uint64_t key = 1; key < 1000; key += 7) {
			lb_request request = {.key = key};
			int e = crowd_pick(&c, &request, NULL);
			ck_assert_uint_eq(c.priority[e], key % 100 < 70 ? 0 : 1);
			for (int i = 0; i < 3; i++)
				ck_assert_int_eq(crowd_pick(&c, &request, NULL), e);
		}
	}
	crowd_close(&c);
}
END_TEST

START_TEST(shares_refuse_what_they_cannot_tell)
{
	crowd c;
	lb_share shares[9];

	level_open(&c, 0);
	ck_assert_int_eq(lb_pool_shares(NULL, shares, 1, sizeof *shares), LB_EINVAL);
	ck_assert_int_eq(lb_pool_shares(c.pool, NULL, 1, sizeof *shares), LB_EINVAL);
	ck_assert_int_eq(lb_pool_shares(c.pool, shares, 0, sizeof *shares), LB_EINVAL);
	ck_assert_int_eq(lb_pool_shares(c.pool, shares, 9, sizeof *shares), LB_EINVAL);
	ck_assert_int_eq(lb_pool_shares(c.pool, shares, 8, sizeof *shares - 1), LB_EVERSION);
	ck_ok(lb_pool_shares(c.pool, shares, 8, sizeof *shares));
	ck_assert_uint_eq(shares[0].healthy_percent, 100);
	ck_assert_uint_eq(shares[0].endpoints, 0);
	crowd_close(&c);
}
END_TEST

/* All eight levels, half of each well: each is able to take 70 %, the first two take all. Then a tenth: 14 % each. */
START_TEST(eight_levels_each_get_their_part)
{
	static const uint32_t want[] = {14, 14, 14, 14, 14, 14, 14, 2};
	uint32_t got[8] = {0};
	crowd c;

	level_open(&c, 0);
	for (uint32_t level = 0; level < 8; level++) {
		crowd_add(&c, 1, level, 0, LB_HEALTHY);
		crowd_add(&c, 9, level, 0, LB_UNHEALTHY);
	}
	for (int i = 0; i < 100; i++)
		got[c.priority[crowd_pick(&c, NULL, NULL)]]++;
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(got[i], want[i]);
	crowd_close(&c);
}
END_TEST

Suite *suite_spill(void)
{
	Suite *suite = suite_create("spill");
	TCase *tables = tcase_create("tables"), *panic = tcase_create("panic");

	tcase_set_timeout(tables, 30);
	tcase_add_test(tables, envoy_priority_tables_two_levels);
	tcase_add_test(tables, envoy_priority_tables_three_levels);
	tcase_add_test(tables, envoy_panic_threshold_table);
	tcase_add_test(tables, envoy_degraded_table);
	tcase_add_test(tables, envoy_unit_tests_gentle_failover);
	tcase_add_test(tables, envoy_unit_test_degraded_levels_without_panic);
	tcase_add_test(tables, envoy_unit_tests_overprovisioning_of_1);
	tcase_add_test(tables, a_panic_makes_one_share_of_healthy_and_degraded);
	tcase_add_test(tables, excluded_ones_leave_the_denominator);
	tcase_add_test(tables, a_backup_counts_when_it_serves);
	tcase_add_test(tables, a_key_keeps_its_level);
	tcase_add_test(tables, shares_refuse_what_they_cannot_tell);
	tcase_add_test(tables, eight_levels_each_get_their_part);
	tcase_add_test(tables, reasons_tell_which_way_a_request_went);
	suite_add_tcase(suite, tables);
	tcase_add_test(panic, envoy_two_of_six_healthy_rotate_all_six_four_of_six_only_the_healthy);
	tcase_add_test(panic, a_threshold_of_0_never_panics);
	tcase_add_test(panic, panic_fails_sheds_the_share_of_its_level_only);
	tcase_add_test(panic, panic_fails_of_all_levels_serves_nobody_until_they_are_well);
	tcase_add_test(panic, breakers_cause_a_panic_and_are_not_asked_in_it);
	tcase_add_test(panic, all_breakers_open_panic_before_the_view_says_so);
	tcase_add_test(panic, all_breakers_open_and_panic_fails_before_and_after_a_tick);
	tcase_add_test(panic, a_retry_does_not_panic_while_somebody_is_usable);
	tcase_add_test(panic, full_ones_are_no_panic);
	suite_add_tcase(suite, panic);
	return suite;
}
