/* The reference behaviours: what a newcomer tries first. */
#include "test.h"

START_TEST(rotation_1_2_3_1_2_3)
{
	rig r;
	char letters[7];

	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, NULL);
	rig_letters(&r, 6, letters);
	ck_assert_str_eq(letters, "abcabc");
	rig_close(&r);
}
END_TEST

START_TEST(weights_3_1_give_9_3_of_12)
{
	rig r;
	int served[2] = {0};

	rig_open(&r, LB_WEIGHTED_ROUND_ROBIN, 2, (uint32_t[]){3, 1}, NULL);
	for (int i = 0; i < 12; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	ck_assert_int_eq(served[0], 9);
	ck_assert_int_eq(served[1], 3);
	rig_close(&r);
}
END_TEST

START_TEST(health_marks_and_consecutive_failures)
{
	rig r;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	for (uint32_t i = 1; i <= 3; i++) {
		ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_UNHEALTHY));
		ck_assert_uint_eq(rig_info(&r, 0).consecutive_failures, i);
	}
	ck_assert_int_eq(rig_info(&r, 0).health, LB_UNHEALTHY);
	ck_assert_uint_eq(rig_info(&r, 0).why, LB_WHY_HEALTH);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	rig_close(&r);
}
END_TEST

START_TEST(recovery_resets_the_failure_count)
{
	rig r;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_HEALTHY));
	ck_assert_uint_eq(rig_info(&r, 0).consecutive_failures, 0);
	ck_assert_uint_eq(rig_info(&r, 0).consecutive_successes, 1);
	ck_assert_uint_eq(rig_info(&r, 0).why, 0);
	ck_assert_uint_eq(rig_info(&r, 0).last_check, r.w.now);
	rig_close(&r);
}
END_TEST

START_TEST(breaker_closed_open_after_3_rejects_half_open_closed_again)
{
	rig r;
	lb_breaker_config breaker;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 3;
	breaker.jitter_percent = 0;
	breaker.successes = 1;
	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, &breaker);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
		ck_assert_int_eq(rig_pick(&r, LB_FAILURE), 0);
	}
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), LB_ENONE);
	r.w.now += 5 * LB_SECONDS - 1;
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), LB_ENONE);
	r.w.now += 1;
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_HALF_OPEN);
	lb_ticket ticket = {0};
	ck_assert_int_eq(rig_select(&r, &ticket), 0);
	ck_assert_uint_eq(ticket.reason, LB_BY_TRIAL);
	ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
	ck_assert_int_eq(world_count(&r.w, LB_EVENT_BREAKER), 3);
	rig_close(&r);
}
END_TEST

START_TEST(failover_recorded_and_traffic_moved)
{
	rig r;
	lb_failover *failover;
	lb_failover_event event;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	ck_ok(lb_failover_create(&failover, r.pool, NULL));
	ck_ok(lb_failover_set_primary(failover, r.e[0]));
	ck_ok(lb_failover_set_backup(failover, r.e[0], r.e[1]));
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_UNHEALTHY));
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	ck_assert_int_eq(lb_failover_history(failover, &event, 1, sizeof event), 1);
	ck_assert(event.from == r.e[0] && event.to == r.e[1]);
	ck_assert_int_eq(event.kind, LB_FAILOVER);
	ck_assert_uint_eq(event.why, LB_WHY_HEALTH);
	lb_failover_destroy(failover);
	rig_close(&r);
}
END_TEST

START_TEST(add_two_remove_one)
{
	rig r;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	ck_ok(lb_pool_remove(r.pool, r.e[0]));
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	ck_assert_uint_eq(lb_pool_next(r.pool, LB_NO_ENDPOINT), r.e[1]);
	ck_assert_uint_eq(lb_pool_next(r.pool, r.e[1]), LB_NO_ENDPOINT);
	rig_close(&r);
}
END_TEST

START_TEST(analytics_3_requests_2_good_1_bad)
{
	rig r;
	lb_pool_stats stats;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_pick(&r, LB_SUCCESS);
	rig_pick(&r, LB_SUCCESS);
	rig_pick(&r, LB_FAILURE);
	ck_ok(lb_stats_pool(r.pool, &stats, sizeof stats));
	ck_assert_uint_eq(stats.total.selected, 3);
	ck_assert_uint_eq(stats.total.succeeded, 2);
	ck_assert_uint_eq(stats.total.failed, 1);
	ck_assert_uint_eq(stats.total.error_ppm, 333333);
	rig_close(&r);
}
END_TEST

START_TEST(least_connections_picks_2_before_5)
{
	rig r;
	lb_ticket five[5] = {{0}}, two[2] = {{0}}, ticket = {0};

	rig_open(&r, LB_LEAST_CONNECTIONS, 2, NULL, NULL);
	for (int i = 0; i < 5; i++)
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &five[i]));
	for (int i = 0; i < 2; i++)
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[1]}, &two[i]));
	ck_assert_uint_eq(five[0].reason, LB_BY_PREFERENCE);
	ck_assert_int_eq(rig_select(&r, &ticket), 1);
	rig_close(&r);
}
END_TEST

START_TEST(nine_over_3_gives_3_each)
{
	static const lb_algorithm algorithms[] = {LB_ROUND_ROBIN, LB_WEIGHTED_ROUND_ROBIN,
						  LB_LEAST_CONNECTIONS};
	rig r;

	for (size_t a = 0; a < 3; a++) {
		int served[3] = {0};
		rig_open(&r, algorithms[a], 3, NULL, NULL);
		for (int i = 0; i < 9; i++)
			served[rig_pick(&r, LB_SUCCESS)]++;
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(served[i], 3);
		rig_close(&r);
	}
}
END_TEST

Suite *suite_reference(void)
{
	Suite *suite = suite_create("reference");
	TCase *tests = tcase_create("reference");

	tcase_add_test(tests, rotation_1_2_3_1_2_3);
	tcase_add_test(tests, weights_3_1_give_9_3_of_12);
	tcase_add_test(tests, health_marks_and_consecutive_failures);
	tcase_add_test(tests, recovery_resets_the_failure_count);
	tcase_add_test(tests, breaker_closed_open_after_3_rejects_half_open_closed_again);
	tcase_add_test(tests, failover_recorded_and_traffic_moved);
	tcase_add_test(tests, add_two_remove_one);
	tcase_add_test(tests, analytics_3_requests_2_good_1_bad);
	tcase_add_test(tests, least_connections_picks_2_before_5);
	tcase_add_test(tests, nine_over_3_gives_3_each);
	suite_add_tcase(suite, tests);
	return suite;
}
