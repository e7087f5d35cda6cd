/* First available. */
#include "select/selector.h"
#include "test.h"

static void limit(rig *r, int number, uint32_t inflight_max)
{
	lb_endpoint_config config;

	lb_endpoint_config_init(&config, sizeof config);
	config.inflight_max = inflight_max;
	ck_ok(lb_pool_update(r->pool, r->e[number], &config));
}

START_TEST(the_first_serves_alone_without_a_limit)
{
	rig r;
	lb_ticket held[50] = {{0}};

	rig_open(&r, LB_FIRST_AVAILABLE, 3, (uint32_t[]){1, 100, 100}, NULL);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(rig_select(&r, &held[i]), 0);
	rig_close(&r);
}
END_TEST

/*
 * HAProxy's configuration manual, `balance first`: the first server with connection slots available; once it reaches its
 * maxconn the next server is used; so the smallest number of servers serves.
 */
START_TEST(each_fills_up_before_the_next)
{
	rig r;
	lb_ticket held[60] = {{0}}, more = {0};
	int n = 0;

	rig_open(&r, LB_FIRST_AVAILABLE, 10, NULL, NULL);
	for (int i = 0; i < 10; i++)
		limit(&r, i, 1 + (uint32_t)i);
	for (int i = 0; i < 10; i++)
		for (int k = 0; k <= i; k++)
			ck_assert_int_eq(rig_select(&r, &held[n++]), i);
	ck_assert_int_eq(rig_select(&r, &more), LB_EFULL);
	/* the first that has room again, not the last used; ticket 7 is one of e3's */
	ck_ok(lb_report_result(r.selector, &held[20], LB_SUCCESS));
	ck_ok(lb_report_result(r.selector, &held[7], LB_SUCCESS));
	ck_assert_int_eq(rig_select(&r, &more), 3);
	ck_assert_int_eq(rig_select(&r, &held[7]), 5);
	rig_close(&r);
}
END_TEST

START_TEST(order_is_that_of_addition_not_of_slots)
{
	rig r;

	rig_open(&r, LB_FIRST_AVAILABLE, 3, NULL, NULL);
	ck_ok(lb_pool_remove(r.pool, r.e[0]));
	r.w.now += LB_SECONDS;
	lb_pool_tick(r.pool);
	/* it may get the free slot 0, but is the youngest */
	ck_ok(lb_pool_add(r.pool, "young", "", 1, &r.e[0]));
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_UNHEALTHY));
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 2);
	ck_ok(lb_pool_set_health(r.pool, r.e[2], LB_UNHEALTHY));
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_HEALTHY));
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	rig_close(&r);
}
END_TEST

START_TEST(retries_go_down_the_order)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_FIRST_AVAILABLE, 5, NULL, NULL);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(rig_select(&r, &ticket), i);
		ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	}
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	rig_close(&r);
}
END_TEST

/* The row itself: attempt k names the k-th of those that were not refused, then there is none. */
START_TEST(all_are_named_in_order_then_none)
{
	rig r;
	lb_member members[30];
	lb_tier tier = {.members = members, .n = 30};
	lb_pick pick = {0};

	rig_open(&r, LB_FIRST_AVAILABLE, 1, NULL, NULL);
	for (uint32_t i = 0; i < 30; i++) {
		lb_put(&members[i].slot, 29 - i);
		lb_put(&members[i].order, i + 1);
	}
	pick.refused[pick.refused_n++] = 29;
	pick.refused[pick.refused_n++] = 10;
	for (uint32_t slot = 29; slot-- > 0;)
		if (slot != 10) {
			ck_assert_uint_eq(r.selector->algo->pick(r.selector->state, &tier, &pick), slot);
			pick.attempt++;
		}
	for (int i = 0; i < 3; i++, pick.attempt++)
		ck_assert_uint_eq(r.selector->algo->pick(r.selector->state, &tier, &pick), LB_NO_SLOT);
	/* another question begins at the front, whatever the cursor says */
	pick.attempt = 0;
	ck_assert_uint_eq(r.selector->algo->pick(r.selector->state, &tier, &pick), 28);
	rig_close(&r);
}
END_TEST

Suite *suite_first_available(void)
{
	Suite *suite = suite_create("first_available");
	TCase *tests = tcase_create("first_available");

	tcase_add_test(tests, the_first_serves_alone_without_a_limit);
	tcase_add_test(tests, each_fills_up_before_the_next);
	tcase_add_test(tests, order_is_that_of_addition_not_of_slots);
	tcase_add_test(tests, retries_go_down_the_order);
	tcase_add_test(tests, all_are_named_in_order_then_none);
	suite_add_tcase(suite, tests);
	return suite;
}
