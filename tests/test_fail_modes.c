/* What a pool does when health and breakers leave nobody: closed, open, or to those who were usable last. */
#include "crowd.h"

static lb_breaker_config breaker;

/* A pool of `n` in priority 0 whose breakers open at the second failure. */
static void open_pool(crowd *c, lb_fail_mode mode, lb_algorithm algorithm, int n)
{
	lb_pool_config config = crowd_config();

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 2;
	breaker.jitter_percent = 0;
	breaker.successes = 1;
	config.breaker = &breaker;
	config.fail_mode = mode;
	crowd_open(c, &config, algorithm, false);
	crowd_add(c, n, 0, 0, LB_HEALTHY);
}

static void trip(crowd *c, int number)
{
	for (int i = 0; i < 2; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(c->selector, &(lb_request){.prefer = c->e[number]}, &ticket));
		ck_assert_int_eq(crowd_number(c, ticket.endpoint), number);
		ck_ok(lb_report_result(c->selector, &ticket, LB_FAILURE));
	}
}

/* `n` picks, all for this reason. Counts them by endpoint. */
static void pick_many(crowd *c, int n, uint32_t reason, int *seen)
{
	memset(seen, 0, (size_t)c->n * sizeof *seen);
	for (int i = 0; i < n; i++) {
		uint32_t why;
		int e = crowd_pick(c, NULL, &why);
		ck_assert_msg(e >= 0, "pick %d: %d", i, e);
		ck_assert_uint_eq(why, reason);
		seen[e]++;
	}
}

static void expect_none(crowd *c)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(crowd_pick(c, NULL, NULL), LB_ENONE);
}

START_TEST(closed_answers_none_before_and_after_a_tick)
{
	crowd c;

	open_pool(&c, LB_FAIL_CLOSED, LB_ROUND_ROBIN, 4);
	for (int i = 0; i < 4; i++)
		trip(&c, i);
	expect_none(&c);
	lb_pool_tick(c.pool);
	expect_none(&c);
	for (int i = 0; i < 4; i++) {
		ck_ok(lb_pool_set_breaker(c.pool, c.e[i], LB_FORCE_CLOSED));
		crowd_set_health(&c, i, LB_UNHEALTHY);
	}
	expect_none(&c);
	crowd_close(&c);
}
END_TEST

START_TEST(open_uses_all_when_all_are_unhealthy)
{
	crowd c;
	int seen[4];

	open_pool(&c, LB_FAIL_OPEN, LB_ROUND_ROBIN, 4);
	for (int i = 0; i < 4; i++)
		crowd_set_health(&c, i, LB_UNHEALTHY);
	pick_many(&c, 40, LB_BY_FAIL_OPEN, seen);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(seen[i], 10);
	crowd_set_health(&c, 2, LB_HEALTHY);
	pick_many(&c, 10, LB_BY_ALGORITHM, seen);
	ck_assert_int_eq(seen[2], 10);
	crowd_close(&c);
}
END_TEST

START_TEST(open_uses_all_when_all_breakers_are_open)
{
	crowd c;
	int seen[4];

	open_pool(&c, LB_FAIL_OPEN, LB_ROUND_ROBIN, 4);
	for (int i = 0; i < 4; i++)
		trip(&c, i);
	pick_many(&c, 200, LB_BY_FAIL_OPEN, seen);
	for (int i = 0; i < 4; i++)
		ck_assert_int_gt(seen[i], 20);
	lb_pool_tick(c.pool);
	pick_many(&c, 40, LB_BY_FAIL_OPEN, seen);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(seen[i], 10);
	/* such calls told the breakers nothing */
	for (int i = 0; i < 4; i++) {
		lb_endpoint_info info;
		ck_ok(lb_pool_info(c.pool, c.e[i], &info, sizeof info));
		ck_assert_int_eq(info.breaker, LB_BREAKER_OPEN);
	}
	crowd_close(&c);
}
END_TEST

/* nginx's sequence of 5, 1, 1, sick or well. */
START_TEST(open_keeps_to_the_algorithms_shares)
{
	static const int cycle[] = {0, 0, 1, 0, 2, 0, 0};
	crowd c;

	open_pool(&c, LB_FAIL_OPEN, LB_WEIGHTED_ROUND_ROBIN, 3);
	ck_ok(lb_pool_set_weight(c.pool, c.e[0], 5));
	for (int i = 0; i < 3; i++)
		crowd_set_health(&c, i, LB_UNHEALTHY);
	for (int i = 0; i < 21; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), cycle[i % 7]);
	crowd_close(&c);
}
END_TEST

/* All are used, so each priority gets its part by heads; and people are told so. */
START_TEST(open_divides_by_heads_and_says_so)
{
	lb_pool_config config = crowd_config();
	lb_share shares[2];
	crowd c;
	int got[2] = {0};

	config.fail_mode = LB_FAIL_OPEN;
	crowd_open(&c, &config, LB_ROUND_ROBIN, true);
	crowd_add(&c, 3, 0, 0, LB_UNHEALTHY);
	crowd_add(&c, 1, 1, 0, LB_UNHEALTHY);
	ck_ok(lb_pool_shares(c.pool, shares, 2, sizeof *shares));
	ck_assert_uint_eq(shares[0].healthy_percent, 75);
	ck_assert_uint_eq(shares[1].healthy_percent, 25);
	ck_assert_uint_eq(shares[0].panic, 1);
	ck_assert_uint_eq(shares[0].healthy, 0);
	c.w.random = 0;
	for (int i = 0; i < 100; i++)
		got[c.priority[crowd_pick(&c, NULL, NULL)]]++;
	ck_assert_int_eq(got[0], 75);
	crowd_close(&c);
}
END_TEST

START_TEST(those_kept_out_by_intent_stay_out)
{
	for (int mode = LB_FAIL_OPEN; mode <= LB_FAIL_LAST_GOOD; mode++) {
		crowd c;
		int seen[5];
		uint32_t reason = mode == LB_FAIL_OPEN ? LB_BY_FAIL_OPEN : LB_BY_LAST_GOOD;
		open_pool(&c, (lb_fail_mode)mode, LB_ROUND_ROBIN, 5);
		for (int i = 0; i < 5; i++)
			trip(&c, i);
		ck_ok(lb_pool_set_admin(c.pool, c.e[0], LB_ADMIN_DRAIN));
		ck_ok(lb_pool_set_weight(c.pool, c.e[1], 0));
		ck_ok(lb_pool_set_admin(c.pool, c.e[2], LB_ADMIN_DOWN));
		pick_many(&c, 20, reason, seen);
		ck_assert_int_eq(seen[3] + seen[4], 20);
		ck_assert_int_eq(seen[3], 10);
		lb_pool_tick(c.pool);
		pick_many(&c, 20, reason, seen);
		ck_assert_int_eq(seen[3], 10);
		ck_ok(lb_pool_remove(c.pool, c.e[3]));
		ck_ok(lb_pool_set_admin(c.pool, c.e[4], LB_ADMIN_DRAIN));
		expect_none(&c);
		crowd_close(&c);
	}
}
END_TEST

START_TEST(last_good_uses_only_those_who_were_usable_last)
{
	crowd c;
	int seen[5];

	open_pool(&c, LB_FAIL_LAST_GOOD, LB_ROUND_ROBIN, 5);
	crowd_set_health(&c, 0, LB_UNHEALTHY);
	crowd_set_health(&c, 1, LB_UNHEALTHY);
	/* the last view has 2, 3 and 4, and all of them break before the next */
	for (int i = 2; i < 5; i++)
		trip(&c, i);
	pick_many(&c, 120, LB_BY_LAST_GOOD, seen);
	ck_assert_int_eq(seen[0] + seen[1], 0);
	for (int i = 2; i < 5; i++)
		ck_assert_int_gt(seen[i], 15);
	lb_pool_tick(c.pool);
	pick_many(&c, 30, LB_BY_LAST_GOOD, seen);
	for (int i = 2; i < 5; i++)
		ck_assert_int_eq(seen[i], 10);
	/* views without anybody are no news about who was good */
	ck_ok(lb_pool_set_weight(c.pool, c.e[0], 2));
	lb_pool_tick(c.pool);
	pick_many(&c, 30, LB_BY_LAST_GOOD, seen);
	ck_assert_int_eq(seen[0] + seen[1], 0);
	/* recovery ends it with the call that tells of it */
	crowd_set_health(&c, 0, LB_HEALTHY);
	pick_many(&c, 10, LB_BY_ALGORITHM, seen);
	ck_assert_int_eq(seen[0], 10);
	/* and now that one is the last */
	crowd_set_health(&c, 0, LB_UNHEALTHY);
	pick_many(&c, 10, LB_BY_LAST_GOOD, seen);
	ck_assert_int_eq(seen[0], 10);
	crowd_close(&c);
}
END_TEST

START_TEST(nobody_was_ever_good)
{
	lb_pool_config config = crowd_config();
	crowd c;

	config.fail_mode = LB_FAIL_LAST_GOOD;
	config.initial_health = LB_UNHEALTHY;
	crowd_open(&c, &config, LB_ROUND_ROBIN, false);
	crowd_add(&c, 3, 0, 0, LB_HEALTHY);
	expect_none(&c);
	lb_pool_tick(c.pool);
	expect_none(&c);
	crowd_close(&c);
}
END_TEST

/* A slot's next owner has no past. */
START_TEST(a_new_endpoint_does_not_inherit_that_its_slot_was_good)
{
	lb_pool_config config = crowd_config();
	crowd c;

	config.endpoints_max = 1;
	config.fail_mode = LB_FAIL_LAST_GOOD;
	config.initial_health = LB_UNHEALTHY;
	crowd_open(&c, &config, LB_ROUND_ROBIN, false);
	crowd_add(&c, 1, 0, 0, LB_UNHEALTHY);
	crowd_set_health(&c, 0, LB_HEALTHY);
	crowd_set_health(&c, 0, LB_UNHEALTHY);
	ck_assert_int_eq(crowd_pick(&c, NULL, NULL), 0);
	for (int i = 0; i < 3; i++) {
		ck_ok(lb_pool_remove(c.pool, c.e[c.n - 1]));
		c.w.now += LB_SECONDS;
		lb_pool_tick(c.pool);
		crowd_add(&c, 1, 0, 0, LB_UNHEALTHY);
		expect_none(&c);
	}
	crowd_close(&c);
}
END_TEST

/* Priorities share as they did: one good one of ten is not given everything because only it is counted. */
START_TEST(last_good_ones_get_what_they_got)
{
	lb_pool_config config = crowd_config();
	lb_share shares[2];
	crowd c;
	int got[2] = {0};

	config.fail_mode = LB_FAIL_LAST_GOOD;
	lb_breaker_config_init(&breaker, sizeof breaker);
	config.breaker = &breaker;
	crowd_open(&c, &config, LB_ROUND_ROBIN, true);
	crowd_add(&c, 9, 0, 0, LB_UNHEALTHY);
	crowd_add(&c, 1, 0, 0, LB_HEALTHY); /* 14 % */
	crowd_add(&c, 10, 1, 0, LB_HEALTHY);
	for (int i = 0; i < 5; i++)
		for (int e = 9; e < 20; e++) {
			lb_ticket ticket = {0};
			ck_ok(lb_select(c.selector, &(lb_request){.prefer = c.e[e]}, &ticket));
			ck_ok(lb_report_result(c.selector, &ticket, LB_FAILURE));
		}
	lb_pool_tick(c.pool);
	ck_ok(lb_pool_shares(c.pool, shares, 2, sizeof *shares));
	ck_assert_uint_eq(shares[0].healthy_percent, 14);
	ck_assert_uint_eq(shares[1].healthy_percent, 86);
	ck_assert_uint_eq(shares[0].healthy, 0);
	c.w.random = 0;
	for (int i = 0; i < 100; i++) {
		uint32_t reason;
		int e = crowd_pick(&c, NULL, &reason);
		ck_assert_int_ge(e, 9);
		ck_assert_uint_eq(reason, LB_BY_LAST_GOOD);
		got[c.priority[e]]++;
	}
	ck_assert_int_eq(got[0], 14);
	crowd_close(&c);
}
END_TEST

/* While somebody is usable, a request that cannot have it finds nobody: the pool has not failed. */
START_TEST(a_request_that_found_nobody_is_no_failed_pool)
{
	for (int mode = LB_FAIL_CLOSED; mode <= LB_FAIL_LAST_GOOD; mode++) {
		crowd c;
		lb_ticket ticket = {0}, held = {0}, second = {0};
		lb_endpoint_config limited;
		open_pool(&c, (lb_fail_mode)mode, LB_ROUND_ROBIN, 3);
		trip(&c, 2);
		for (int i = 0; i < 2; i++) {
			ck_assert_int_lt(crowd_select(&c, NULL, &ticket), 2);
			ck_ok(lb_report_result(c.selector, &ticket, LB_LOCAL));
		}
		ck_assert_int_eq(crowd_select(&c, NULL, &ticket), LB_ENONE);
		lb_endpoint_config_init(&limited, sizeof limited);
		limited.inflight_max = 1;
		ck_ok(lb_pool_update(c.pool, c.e[0], &limited));
		ck_ok(lb_pool_set_admin(c.pool, c.e[1], LB_ADMIN_DRAIN));
		ck_assert_int_eq(crowd_select(&c, NULL, &held), 0);
		ck_assert_int_eq(crowd_select(&c, NULL, &second), LB_EFULL);
		ck_ok(lb_report_result(c.selector, &held, LB_SUCCESS));
		crowd_close(&c);
	}
}
END_TEST

START_TEST(retries_of_a_failed_pool_go_round_and_end)
{
	for (int mode = LB_FAIL_OPEN; mode <= LB_FAIL_LAST_GOOD; mode++) {
		crowd c;
		lb_ticket ticket = {0};
		unsigned seen = 0;
		open_pool(&c, (lb_fail_mode)mode, LB_TWO_CHOICES, 4);
		for (int i = 0; i < 4; i++)
			trip(&c, i);
		if (mode == LB_FAIL_OPEN)
			lb_pool_tick(c.pool);
		for (int i = 0; i < 4; i++) {
			int e = crowd_select(&c, NULL, &ticket);
			ck_assert_int_ge(e, 0);
			seen |= 1u << e;
			ck_ok(lb_report_result(c.selector, &ticket, LB_FAILURE));
		}
		ck_assert_uint_eq(seen, 15);
		ck_assert_int_eq(crowd_select(&c, NULL, &ticket), LB_ENONE);
		crowd_close(&c);
	}
}
END_TEST

/* Trials go on: when one succeeds, the next control call ends the mode. */
START_TEST(a_trial_that_succeeds_ends_the_mode)
{
	for (int mode = LB_FAIL_OPEN; mode <= LB_FAIL_LAST_GOOD; mode++) {
		crowd c;
		int seen[3];
		uint32_t reason = LB_BY_ALGORITHM;
		open_pool(&c, (lb_fail_mode)mode, LB_ROUND_ROBIN, 3);
		for (int i = 0; i < 3; i++)
			trip(&c, i);
		lb_pool_tick(c.pool);
		c.w.now += 6 * LB_SECONDS;
		int e = crowd_pick(&c, NULL, &reason);
		ck_assert_int_ge(e, 0);
		ck_assert_uint_eq(reason, LB_BY_TRIAL);
		for (int i = 0; i < 3; i++)
			if (i != e)
				ck_ok(lb_pool_set_breaker(c.pool, c.e[i], LB_FORCE_OPEN));
		pick_many(&c, 10, LB_BY_ALGORITHM, seen);
		ck_assert_int_eq(seen[e], 10);
		crowd_close(&c);
	}
}
END_TEST

START_TEST(an_empty_pool_has_nobody)
{
	for (int mode = LB_FAIL_CLOSED; mode <= LB_FAIL_LAST_GOOD; mode++) {
		crowd c;
		open_pool(&c, (lb_fail_mode)mode, LB_ROUND_ROBIN, 0);
		expect_none(&c);
		lb_pool_tick(c.pool);
		expect_none(&c);
		crowd_close(&c);
	}
}
END_TEST

START_TEST(every_algorithm_serves_a_failed_pool)
{
	for (int a = 0; lb_algorithm_name((lb_algorithm)a); a++)
		for (int mode = LB_FAIL_OPEN; mode <= LB_FAIL_LAST_GOOD; mode++) {
			crowd c;
			int seen[6] = {0};
			open_pool(&c, (lb_fail_mode)mode, (lb_algorithm)a, 6);
			crowd_set_health(&c, 0, LB_UNHEALTHY);
			for (int i = 1; i < 6; i++)
				trip(&c, i);
			for (int i = 0; i < 400; i++) {
				uint32_t reason;
				int e = crowd_pick(&c, NULL, &reason);
				ck_assert_msg(e >= 0, "%s: %d", lb_algorithm_name((lb_algorithm)a), e);
				ck_assert_uint_eq(reason,
						  mode == LB_FAIL_OPEN ? LB_BY_FAIL_OPEN : LB_BY_LAST_GOOD);
				seen[e]++;
				if (i == 200)
					lb_pool_tick(c.pool);
			}
			if (mode == LB_FAIL_LAST_GOOD)
				ck_assert_int_eq(seen[0], 0);
			crowd_close(&c);
		}
}
END_TEST

Suite *suite_fail_modes(void)
{
	Suite *suite = suite_create("fail_modes");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, closed_answers_none_before_and_after_a_tick);
	tcase_add_test(tc, open_uses_all_when_all_are_unhealthy);
	tcase_add_test(tc, open_uses_all_when_all_breakers_are_open);
	tcase_add_test(tc, open_keeps_to_the_algorithms_shares);
	tcase_add_test(tc, open_divides_by_heads_and_says_so);
	tcase_add_test(tc, those_kept_out_by_intent_stay_out);
	tcase_add_test(tc, last_good_uses_only_those_who_were_usable_last);
	tcase_add_test(tc, nobody_was_ever_good);
	tcase_add_test(tc, a_new_endpoint_does_not_inherit_that_its_slot_was_good);
	tcase_add_test(tc, last_good_ones_get_what_they_got);
	tcase_add_test(tc, a_request_that_found_nobody_is_no_failed_pool);
	tcase_add_test(tc, retries_of_a_failed_pool_go_round_and_end);
	tcase_add_test(tc, a_trial_that_succeeds_ends_the_mode);
	tcase_add_test(tc, an_empty_pool_has_nobody);
	tcase_add_test(tc, every_algorithm_serves_a_failed_pool);
	suite_add_tcase(suite, tc);
	return suite;
}
