/* Retries keep away from zones that were tried, as long as another one can serve. */
#include "crowd.h"

#define NOWHERE 0u

static const char *name_of(int algorithm)
{
	return lb_algorithm_name((lb_algorithm)algorithm);
}

static void fails(crowd *c, lb_ticket *ticket)
{
	ck_ok(lb_report_result(c->selector, ticket, LB_FAILURE));
}

/* First tries by every algorithm, and what a check says of each. Zones are obeyed in `own`, or by weight, or not at all. */
typedef struct setting {
	uint32_t own;
	bool weights;
} setting;

static const setting settings[] = {{0, false}, {1, false}, {3, false}, {0, true}};

enum { SETTINGS = sizeof settings / sizeof *settings };

static void open_in(crowd *c, const setting *s, int algorithm)
{
	lb_pool_config config = crowd_config();

	config.zone = s->own;
	config.zone_endpoints_min = 2;
	crowd_open(c, &config, (lb_algorithm)algorithm, false);
	for (uint32_t zone = 1; zone <= 3 && s->weights; zone++)
		ck_ok(lb_pool_set_zone(c->pool, zone, zone, 0));
}

START_TEST(the_second_try_leaves_the_zone)
{
	for (int a = 0; name_of(a); a++)
		for (int s = 0; s < SETTINGS; s++) {
			crowd c;
			open_in(&c, &settings[s], a);
			crowd_add(&c, 8, 0, 1, LB_HEALTHY);
			crowd_add(&c, 4, 0, 2, LB_HEALTHY);
			for (int i = 0; i < 200; i++) {
				lb_ticket ticket = {0};
				lb_request request = {.key = (uint64_t)i + 1};
				int first = crowd_select(&c, &request, &ticket);
				fails(&c, &ticket);
				int second = crowd_select(&c, &request, &ticket);
				ck_assert_int_ge(second, 0);
				ck_assert_msg(c.zone[second] != c.zone[first],
					      "%s, setting %d: zone %u again", name_of(a), s, c.zone[first]);
				ck_ok(lb_report_result(c.selector, &ticket, LB_SUCCESS));
			}
			crowd_close(&c);
		}
}
END_TEST

/* The third one leaves both; the fourth has to go back, and finds one that was not tried. */
START_TEST(three_zones_are_tried_before_one_is_tried_again)
{
	for (int a = 0; name_of(a); a++)
		for (int s = 0; s < SETTINGS; s++) {
			crowd c;
			open_in(&c, &settings[s], a);
			for (uint32_t zone = 1; zone <= 3; zone++)
				crowd_add(&c, 3, 0, zone, LB_HEALTHY);
			for (int i = 0; i < 100; i++) {
				lb_ticket ticket = {0};
				lb_request request = {.key = (uint64_t)i + 1};
				unsigned zones = 0, seen = 0;
				for (int try = 0; try < LB_TRIED_MAX; try++) {
					int e = crowd_select(&c, &request, &ticket);
					ck_assert_msg(e >= 0, "%s, setting %d, try %d: %d", name_of(a), s,
						      try, e);
					ck_assert_uint_eq(seen & 1u << e, 0);
					seen |= 1u << e;
					if (try < 3)
						ck_assert_uint_eq(zones & 1u << c.zone[e], 0);
					zones |= 1u << c.zone[e];
					fails(&c, &ticket);
				}
				ck_assert_int_eq(crowd_select(&c, &request, &ticket), LB_ENONE);
			}
			crowd_close(&c);
		}
}
END_TEST

START_TEST(another_zone_at_another_priority_is_better_than_the_same_zone)
{
	for (int a = 0; name_of(a); a++) {
		crowd c;
		open_in(&c, &settings[0], a);
		crowd_add(&c, 4, 0, 1, LB_HEALTHY);
		crowd_add(&c, 2, 1, 2, LB_HEALTHY);
		for (int i = 0; i < 50; i++) {
			lb_ticket ticket = {0};
			ck_assert_uint_eq(c.zone[crowd_select(&c, NULL, &ticket)], 1);
			fails(&c, &ticket);
			ck_assert_uint_eq(c.zone[crowd_select(&c, NULL, &ticket)], 2);
			fails(&c, &ticket);
			/* both were tried: from here on by priority */
			ck_assert_uint_eq(c.zone[crowd_select(&c, NULL, &ticket)], 1);
			fails(&c, &ticket);
		}
		crowd_close(&c);
	}
}
END_TEST

/* Degraded ones of another zone, too. */
START_TEST(a_degraded_one_in_another_zone_serves_the_retry)
{
	crowd c;
	lb_ticket ticket = {0};

	open_in(&c, &settings[0], LB_ROUND_ROBIN);
	crowd_add(&c, 4, 0, 1, LB_HEALTHY);
	crowd_add(&c, 1, 0, 2, LB_DEGRADED);
	ck_assert_int_eq(crowd_select(&c, NULL, &ticket), 0);
	fails(&c, &ticket);
	ck_assert_int_eq(crowd_select(&c, NULL, &ticket), 4);
	fails(&c, &ticket);
	crowd_close(&c);
}
END_TEST

START_TEST(in_the_only_zone_a_retry_goes_to_another_endpoint)
{
	for (int a = 0; name_of(a); a++) {
		crowd c;
		open_in(&c, &settings[0], a);
		crowd_add(&c, 3, 0, 7, LB_HEALTHY);
		crowd_add(&c, 1, 0, 8, LB_UNHEALTHY);
		for (int i = 0; i < 50; i++) {
			lb_ticket ticket = {0};
			unsigned seen = 0;
			for (int try = 0; try < 3; try++) {
				int e = crowd_select(&c, NULL, &ticket);
				ck_assert_int_ge(e, 0);
				seen |= 1u << e;
				fails(&c, &ticket);
			}
			ck_assert_uint_eq(seen, 7);
			ck_assert_int_eq(crowd_select(&c, NULL, &ticket), LB_ENONE);
		}
		crowd_close(&c);
	}
}
END_TEST

/* Endpoints that stand nowhere share no zone. They rotate as if there were no zones. */
START_TEST(nowhere_is_no_zone)
{
	crowd c;
	lb_ticket ticket = {0};
	int back = 0;

	open_in(&c, &settings[0], LB_RANDOM);
	crowd_add(&c, 4, 0, NOWHERE, LB_HEALTHY);
	crowd_add(&c, 1, 0, 1, LB_HEALTHY);
	for (int i = 0; i < 200; i++) {
		ticket = (lb_ticket){0};
		int first = crowd_select(&c, NULL, &ticket);
		fails(&c, &ticket);
		int second = crowd_select(&c, NULL, &ticket);
		fails(&c, &ticket);
		back += first != 4 && second != 4;
	}
	ck_assert_int_gt(back, 50);
	crowd_close(&c);
}
END_TEST

/* A retry in another zone goes by its algorithm there: nginx's sequence, not anyone at random. */
START_TEST(the_other_zone_is_asked_by_the_algorithm)
{
	static const int cycle[] = {6, 6, 7, 6, 8, 6, 6};
	lb_pool_config config = crowd_config();
	crowd c;

	config.zone = 1;
	crowd_open(&c, &config, LB_WEIGHTED_ROUND_ROBIN, false);
	crowd_add(&c, 6, 0, 1, LB_HEALTHY);
	crowd_add(&c, 3, 0, 2, LB_HEALTHY);
	ck_ok(lb_pool_set_weight(c.pool, c.e[6], 5));
	for (int i = 0; i < 70; i++) {
		lb_ticket ticket = {0};
		ck_assert_int_lt(crowd_select(&c, NULL, &ticket), 6);
		fails(&c, &ticket);
		ck_assert_int_eq(crowd_select(&c, NULL, &ticket), cycle[i % 7]);
		ck_assert_uint_eq(ticket.reason, LB_BY_SPILL);
		fails(&c, &ticket);
	}
	crowd_close(&c);
}
END_TEST

/* From one of three zones retries go to the two others alike, not to the neighbour. */
START_TEST(retries_are_spread_over_the_other_zones)
{
	lb_pool_config config = crowd_config();
	crowd c;
	int got[5] = {0};

	config.zone = 1;
	crowd_open(&c, &config, LB_RANDOM, false);
	crowd_add(&c, 9, 0, 1, LB_HEALTHY);
	for (uint32_t zone = 2; zone <= 4; zone++)
		crowd_add(&c, 3, 0, zone, LB_HEALTHY);
	for (int i = 0; i < 3000; i++) {
		lb_ticket ticket = {0};
		ck_assert_uint_eq(c.zone[crowd_select(&c, NULL, &ticket)], 1);
		fails(&c, &ticket);
		got[c.zone[crowd_select(&c, NULL, &ticket)]]++;
		fails(&c, &ticket);
	}
	ck_assert_int_eq(got[1], 0);
	for (int zone = 2; zone <= 4; zone++)
		ck_assert_msg(got[zone] > 870 && got[zone] < 1130, "zone %d: %d", zone, got[zone]);
	crowd_close(&c);
}
END_TEST

/* A zone with weight 0 gets nothing, of retries neither, as long as one with a weight can serve. */
START_TEST(a_zone_without_weight_gets_no_retries)
{
	crowd c;

	for (int a = 0; name_of(a); a++) {
		if (a == LB_RING_HASH || a == LB_MAGLEV || a == LB_MAP_HASH || a == LB_RENDEZVOUS)
			continue;
		open_in(&c, &(setting){0, false}, a);
		crowd_add(&c, 3, 0, 1, LB_HEALTHY);
		crowd_add(&c, 3, 0, 2, LB_HEALTHY);
		crowd_add(&c, 3, 0, 3, LB_HEALTHY);
		ck_ok(lb_pool_set_zone(c.pool, 1, 9, 0));
		ck_ok(lb_pool_set_zone(c.pool, 2, 1, 0));
		for (int i = 0; i < 100; i++) {
			lb_ticket ticket = {0};
			int first = crowd_select(&c, NULL, &ticket);
			fails(&c, &ticket);
			int second = crowd_select(&c, NULL, &ticket);
			fails(&c, &ticket);
			ck_assert_uint_eq(c.zone[first] + c.zone[second], 3);
		}
		crowd_close(&c);
	}
}
END_TEST

START_TEST(limits_and_breakers_of_the_other_zone_are_heeded)
{
	lb_pool_config config = crowd_config();
	lb_breaker_config breaker;
	lb_endpoint_config limited;
	crowd c;
	lb_ticket held = {0};

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 0;
	breaker.failure_percent = 0;
	config.breaker = &breaker;
	crowd_open(&c, &config, LB_ROUND_ROBIN, false);
	crowd_add(&c, 3, 0, 1, LB_HEALTHY);
	crowd_add(&c, 2, 0, 2, LB_HEALTHY); /* 3: full, 4: open */
	crowd_add(&c, 1, 1, 3, LB_HEALTHY);
	lb_endpoint_config_init(&limited, sizeof limited);
	limited.zone = 2;
	limited.inflight_max = 1;
	ck_ok(lb_pool_update(c.pool, c.e[3], &limited));
	ck_ok(lb_select(c.selector, &(lb_request){.prefer = c.e[3]}, &held));
	ck_ok(lb_pool_set_breaker(c.pool, c.e[4], LB_FORCE_OPEN));
	for (int i = 0; i < 30; i++) {
		lb_ticket ticket = {0};
		int first = crowd_select(&c, NULL, &ticket);
		ck_assert_uint_eq(c.zone[first], 1);
		fails(&c, &ticket);
		ck_assert_int_eq(crowd_select(&c, NULL, &ticket), 5);
		fails(&c, &ticket);
		/* no zone is left: the same one again, another endpoint */
		int third = crowd_select(&c, NULL, &ticket);
		ck_assert_uint_eq(c.zone[third], 1);
		ck_assert_int_ne(third, first);
		fails(&c, &ticket);
	}
	ck_ok(lb_report_result(c.selector, &held, LB_SUCCESS));
	crowd_close(&c);
}
END_TEST

/* A bound of the load is kept by a retry that has no other zone to go to. */
START_TEST(the_zones_veto_falls_before_the_bound)
{
	lb_pool_config config = crowd_config();
	lb_selector_config selection;
	crowd c;
	lb_ticket held[8];

	crowd_open(&c, &config, LB_RING_HASH, false);
	lb_selector_destroy(c.selector);
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = LB_RING_HASH;
	selection.bound_percent = 125;
	ck_ok(lb_selector_create(&c.selector, c.pool, &selection));
	crowd_add(&c, 4, 0, 1, LB_HEALTHY);
	/* one of them is far above its share */
	for (int i = 0; i < 8; i++) {
		held[i] = (lb_ticket){0};
		ck_ok(lb_select(c.selector, &(lb_request){.prefer = c.e[2]}, &held[i]));
	}
	for (uint64_t key = 1; key < 200; key++) {
		lb_ticket ticket = {0};
		lb_request request = {.key = key};
		for (int try = 0; try < 3; try++) {
			ck_assert_int_ne(crowd_select(&c, &request, &ticket), 2);
			fails(&c, &ticket);
		}
	}
	for (int i = 0; i < 8; i++)
		ck_ok(lb_report_result(c.selector, &held[i], LB_SUCCESS));
	crowd_close(&c);
}
END_TEST

/* An endpoint that is gone leaves its zone behind while its slot waits; an update moves the veto with the endpoint. */
START_TEST(a_removed_endpoint_still_has_a_zone)
{
	crowd c;
	lb_ticket ticket = {0};

	open_in(&c, &settings[0], LB_ROUND_ROBIN);
	crowd_add(&c, 3, 0, 1, LB_HEALTHY);
	crowd_add(&c, 1, 0, 2, LB_HEALTHY);
	ck_assert_int_eq(crowd_select(&c, NULL, &ticket), 0);
	ck_ok(lb_pool_remove(c.pool, c.e[0]));
	fails(&c, &ticket);
	ck_assert_int_eq(crowd_select(&c, NULL, &ticket), 3);
	fails(&c, &ticket);
	crowd_close(&c);
}
END_TEST

/* A hedge is a second ticket that names the first one's endpoint as tried. */
START_TEST(a_hedge_goes_to_another_zone)
{
	crowd c;

	open_in(&c, &settings[1], LB_TWO_CHOICES);
	crowd_add(&c, 6, 0, 1, LB_HEALTHY);
	crowd_add(&c, 3, 0, 2, LB_HEALTHY);
	for (int i = 0; i < 100; i++) {
		lb_ticket first = {0}, hedge = {0};
		int a = crowd_select(&c, NULL, &first);
		hedge.tried[0] = first.endpoint;
		hedge.attempts = 1;
		int b = crowd_select(&c, &(lb_request){.flags = LB_REQUEST_HEDGE}, &hedge);
		ck_assert_uint_ne(c.zone[a], c.zone[b]);
		ck_ok(lb_report_result(c.selector, &first, LB_SUCCESS));
		ck_ok(lb_report_result(c.selector, &hedge, LB_CANCELLED));
	}
	crowd_close(&c);
}
END_TEST

Suite *suite_retries(void)
{
	Suite *suite = suite_create("retries");
	TCase *tc = tcase_create("zones");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_second_try_leaves_the_zone);
	tcase_add_test(tc, three_zones_are_tried_before_one_is_tried_again);
	tcase_add_test(tc, another_zone_at_another_priority_is_better_than_the_same_zone);
	tcase_add_test(tc, a_degraded_one_in_another_zone_serves_the_retry);
	tcase_add_test(tc, in_the_only_zone_a_retry_goes_to_another_endpoint);
	tcase_add_test(tc, nowhere_is_no_zone);
	tcase_add_test(tc, the_other_zone_is_asked_by_the_algorithm);
	tcase_add_test(tc, retries_are_spread_over_the_other_zones);
	tcase_add_test(tc, a_zone_without_weight_gets_no_retries);
	tcase_add_test(tc, limits_and_breakers_of_the_other_zone_are_heeded);
	tcase_add_test(tc, the_zones_veto_falls_before_the_bound);
	tcase_add_test(tc, a_removed_endpoint_still_has_a_zone);
	tcase_add_test(tc, a_hedge_goes_to_another_zone);
	suite_add_tcase(suite, tc);
	return suite;
}
