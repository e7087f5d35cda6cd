/* The ticket and the ledger: every rule of the contract. */
#include "test.h"

#include <string.h>

static uint32_t inflight(const rig *r, int number)
{
	return rig_info(r, number).inflight;
}

static lb_endpoint_stats stats(const rig *r, int number)
{
	lb_endpoint_stats s;

	ck_ok(lb_stats_endpoint(r->pool, r->e[number], &s, sizeof s));
	return s;
}

START_TEST(second_report_is_stale_and_counts_nothing)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_select(&r, &ticket);
	lb_ticket copy = ticket;
	ck_assert_uint_eq(inflight(&r, 0), 1);
	ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	ck_assert_int_eq(lb_report_result(r.selector, &ticket, LB_SUCCESS), LB_ESTALE);
	ck_assert_int_eq(lb_report_result(r.selector, &copy, LB_SUCCESS), LB_ESTALE);
	ck_assert_uint_eq(inflight(&r, 0), 0);
	ck_assert_uint_eq(stats(&r, 0).succeeded, 0);
	ck_assert_uint_eq(stats(&r, 0).failed, 1);
	rig_close(&r);
}
END_TEST

START_TEST(forgotten_ticket_is_settled_by_the_tick_and_its_late_report_is_stale)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_select(&r, &ticket);
	r.w.now += 600 * LB_SECONDS - LB_MILLISECONDS;
	lb_pool_tick(r.pool);
	ck_assert_uint_eq(inflight(&r, 0), 1);
	r.w.now += 3 * LB_MILLISECONDS;
	lb_pool_tick(r.pool);
	ck_assert_uint_eq(inflight(&r, 0), 0);
	ck_assert_uint_eq(stats(&r, 0).forgotten, 1);
	ck_assert_uint_eq(stats(&r, 0).cancelled, 0);
	ck_assert_int_eq(world_count(&r.w, LB_EVENT_FORGOTTEN), 1);
	ck_assert_int_eq(lb_report_result(r.selector, &ticket, LB_SUCCESS), LB_ESTALE);
	ck_assert_uint_eq(stats(&r, 0).succeeded, 0);
	rig_close(&r);
}
END_TEST

START_TEST(timeouts_of_its_own_and_never)
{
	rig r;
	lb_ticket brief = {0}, endless = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_select(r.selector, &(lb_request){.timeout = LB_SECONDS}, &brief));
	ck_ok(lb_select(r.selector, &(lb_request){.timeout = LB_NEVER}, &endless));
	r.w.now += 2 * LB_SECONDS;
	lb_pool_tick(r.pool);
	ck_assert_uint_eq(inflight(&r, 0), 1);
	r.w.now += UINT64_C(100) * 365 * 86400 * LB_SECONDS;
	lb_pool_tick(r.pool);
	ck_assert_uint_eq(inflight(&r, 0), 1);
	ck_ok(lb_report_result(r.selector, &endless, LB_SUCCESS));
	rig_close(&r);
}
END_TEST

START_TEST(a_lanes_owner_settles_its_forgotten_tickets)
{
	rig r;
	lb_ticket ticket = {0};
	uint32_t lane;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 7, &lane));
	ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, &ticket));
	r.w.now += 601 * LB_SECONDS;
	for (int i = 0; i < 4 * 64; i++) {
		lb_ticket other = {0};
		ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, &other));
		ck_ok(lb_report_result(r.selector, &other, LB_SUCCESS));
	}
	ck_assert_uint_eq(inflight(&r, 0), 0);
	ck_assert_uint_eq(stats(&r, 0).forgotten, 1);
	rig_close(&r);
}
END_TEST

START_TEST(select_on_an_open_ticket_settles_it_as_failure)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	ck_assert_int_eq(rig_select(&r, &ticket), 0);
	ck_assert_int_eq(rig_select(&r, &ticket), 1);
	ck_assert_uint_eq(ticket.attempts, 2);
	ck_assert_uint_eq(inflight(&r, 0), 0);
	ck_assert_uint_eq(stats(&r, 0).failed, 1);
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	ck_assert_uint_eq(inflight(&r, 1), 0);
	rig_close(&r);
}
END_TEST

START_TEST(removed_and_added_again_under_the_same_name)
{
	rig r;
	lb_ticket ticket = {0};
	lb_endpoint again;
	lb_endpoint_info info;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_select(&r, &ticket);
	ck_ok(lb_pool_remove(r.pool, r.e[0]));
	ck_ok(lb_pool_add(r.pool, "e00", "elsewhere", 1, &again));
	ck_assert_str_eq(ticket.name, "e00");
	ck_assert_str_eq(ticket.url, "url");
	ck_ok(lb_pool_info(r.pool, r.e[0], &info, sizeof info));
	ck_assert_uint_ne(info.why & LB_WHY_REMOVED, 0);
	ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	ck_ok(lb_pool_info(r.pool, again, &info, sizeof info));
	ck_assert_uint_eq(info.inflight, 0);
	lb_endpoint_stats s;
	ck_ok(lb_stats_endpoint(r.pool, again, &s, sizeof s));
	ck_assert_uint_eq(s.failed, 0);
	r.w.now += 101 * LB_MILLISECONDS;
	lb_pool_tick(r.pool);
	ck_assert_int_eq(lb_pool_info(r.pool, r.e[0], &info, sizeof info), LB_ENOENT);
	ck_assert_int_eq(world_count(&r.w, LB_EVENT_REMOVED), 1);
	rig_close(&r);
}
END_TEST

START_TEST(another_pools_zeroed_and_damaged_tickets_are_stale)
{
	rig one, other;
	lb_ticket ticket = {0}, zero = {0};

	rig_open(&one, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_open(&other, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_select(&one, &ticket);
	ck_assert_int_eq(lb_report_result(other.selector, &ticket, LB_SUCCESS), LB_ESTALE);
	ck_assert_int_eq(lb_report_result(one.selector, &zero, LB_SUCCESS), LB_ESTALE);
	for (int bit = 0; bit < 64; bit++) {
		lb_ticket damaged = ticket;
		damaged.id ^= UINT64_C(1) << bit;
		ck_assert_int_eq(lb_report_result(one.selector, &damaged, LB_SUCCESS), LB_ESTALE);
		damaged = ticket;
		damaged.endpoint ^= UINT64_C(1) << bit;
		ck_assert_int_eq(lb_report_result(one.selector, &damaged, LB_SUCCESS), LB_ESTALE);
	}
	ck_assert_uint_eq(inflight(&one, 0), 1);
	ck_ok(lb_report_result(one.selector, &ticket, LB_SUCCESS));
	rig_close(&one);
	rig_close(&other);
}
END_TEST

START_TEST(ledger_full_is_elimit_and_loses_nothing)
{
	rig r;
	lb_ticket tickets[65] = {{0}};
	lb_pool_stats s;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	for (int i = 0; i < 64; i++)
		ck_assert_int_ge(rig_select(&r, &tickets[i]), 0);
	ck_assert_int_eq(rig_select(&r, &tickets[64]), LB_ELIMIT);
	ck_assert_uint_eq(inflight(&r, 0) + inflight(&r, 1), 64);
	ck_ok(lb_stats_pool(r.pool, &s, sizeof s));
	ck_assert_uint_eq(s.limit, 1);
	ck_ok(lb_report_result(r.selector, &tickets[31], LB_SUCCESS));
	ck_assert_int_ge(rig_select(&r, &tickets[64]), 0);
	rig_close(&r);
}
END_TEST

START_TEST(hedged_pairs_in_both_orders)
{
	rig r;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	for (int order = 0; order < 2; order++) {
		lb_ticket first = {0}, second = {0};
		int a = rig_select(&r, &first);
		second.tried[0] = first.endpoint;
		second.attempts = 1;
		ck_ok(lb_select(r.selector, &(lb_request){.flags = LB_REQUEST_HEDGE}, &second));
		ck_assert_int_ne(rig_number(&r, second.endpoint), a);
		ck_ok(lb_report_result(r.selector, order ? &first : &second, LB_SUCCESS));
		ck_ok(lb_report_result(r.selector, order ? &second : &first, LB_CANCELLED));
	}
	lb_pool_stats s;
	ck_ok(lb_stats_pool(r.pool, &s, sizeof s));
	ck_assert_uint_eq(s.tickets_open, 0);
	ck_assert_uint_eq(s.retries, 0);
	ck_assert_uint_eq(s.total.cancelled, 2);
	rig_close(&r);
}
END_TEST

START_TEST(reuse_without_zeroing_after_success_and_cancel)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(rig_select(&r, &ticket), i % 2);
		ck_assert_uint_eq(ticket.attempts, 1);
		ck_ok(lb_report_result(r.selector, &ticket, i % 3 ? LB_SUCCESS : LB_CANCELLED));
		ck_assert_uint_eq(ticket.tried[0], LB_NO_ENDPOINT);
	}
	rig_close(&r);
}
END_TEST

START_TEST(eight_tries_are_the_end)
{
	rig r;
	lb_ticket ticket = {0};
	unsigned seen = 0;

	rig_open(&r, LB_TWO_CHOICES, 12, NULL, NULL);
	for (int i = 0; i < 8; i++) {
		int number = rig_select(&r, &ticket);
		ck_assert_uint_eq(seen >> number & 1, 0);
		seen |= 1u << number;
		ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	}
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	rig_close(&r);
}
END_TEST

START_TEST(null_outcome_leaves_the_ticket_open)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	rig_select(&r, &ticket);
	ck_assert_int_eq(lb_report(r.selector, &ticket, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_report_result(r.selector, &ticket, (lb_result)7), LB_EINVAL);
	ck_assert_uint_eq(inflight(&r, 0), 1);
	ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	rig_close(&r);
}
END_TEST

START_TEST(leave_settles_what_is_open_as_cancelled)
{
	rig r;
	lb_ticket ticket = {0};
	uint32_t lane, again;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 7, &lane));
	ck_ok(lb_pool_join(r.pool, 7, &again));
	ck_assert_uint_eq(lane, again);
	ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, &ticket));
	ck_assert_uint_eq(inflight(&r, 0), 1);
	ck_ok(lb_pool_leave(r.pool, lane));
	ck_assert_uint_eq(inflight(&r, 0), 0);
	ck_assert_uint_eq(stats(&r, 0).cancelled, 1);
	ck_assert_int_eq(lb_report_result(r.selector, &ticket, LB_SUCCESS), LB_ESTALE);
	lb_ticket none = {0};
	ck_assert_int_eq(lb_select(r.selector, &(lb_request){.lane = lane}, &none), LB_EINVAL);
	ck_assert_int_eq(lb_pool_leave(r.pool, lane), LB_EINVAL);
	rig_close(&r);
}
END_TEST

START_TEST(any_selector_of_the_pool_settles)
{
	rig r;
	lb_selector *other;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_selector_create(&other, r.pool, NULL));
	rig_select(&r, &ticket);
	ck_ok(lb_report_result(other, &ticket, LB_SUCCESS));
	lb_selector_destroy(other);
	rig_close(&r);
}
END_TEST

static uint64_t twelve(void *user)
{
	(void)user;
	return 12;
}

START_TEST(another_pools_ticket_is_stale_though_the_random_hook_is_constant)
{
	world w = {.now = LB_SECONDS};
	lb_env env = world_env(&w);
	lb_pool *pools[2];
	lb_selector *selectors[2];
	lb_ticket tickets[2] = {{0}};

	env.random = twelve;
	for (int i = 0; i < 2; i++) {
		ck_ok(lb_pool_create(&pools[i], NULL, &env));
		ck_ok(lb_pool_add(pools[i], "a", "", 1, NULL));
		ck_ok(lb_selector_create(&selectors[i], pools[i], NULL));
		ck_ok(lb_select(selectors[i], NULL, &tickets[i]));
	}
	ck_assert_int_eq(lb_report_result(selectors[1], &tickets[0], LB_SUCCESS), LB_ESTALE);
	ck_assert_int_eq(lb_report_result(selectors[0], &tickets[1], LB_SUCCESS), LB_ESTALE);
	for (int i = 0; i < 2; i++) {
		ck_ok(lb_report_result(selectors[i], &tickets[i], LB_SUCCESS));
		lb_selector_destroy(selectors[i]);
		ck_ok(lb_pool_destroy(pools[i]));
	}
}
END_TEST

/* Each row of the ledger holds a ticket of the same endpoint. */
START_TEST(a_damaged_id_fits_no_neighbours_row)
{
	rig r;
	lb_ticket held[64] = {{0}};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	for (int i = 0; i < 64; i++)
		rig_select(&r, &held[i]);
	for (int i = 0; i < 64; i++)
		for (int bit = 0; bit < 64; bit++) {
			lb_ticket damaged = held[i];
			damaged.id ^= UINT64_C(1) << bit;
			ck_assert_int_eq(lb_report_result(r.selector, &damaged, LB_SUCCESS), LB_ESTALE);
		}
	ck_assert_uint_eq(inflight(&r, 0), 64);
	for (int i = 0; i < 64; i++)
		ck_ok(lb_report_result(r.selector, &held[i], LB_SUCCESS));
	rig_close(&r);
}
END_TEST

Suite *suite_ticket(void)
{
	Suite *suite = suite_create("ticket");
	TCase *tests = tcase_create("ticket");

	tcase_add_test(tests, second_report_is_stale_and_counts_nothing);
	tcase_add_test(tests, forgotten_ticket_is_settled_by_the_tick_and_its_late_report_is_stale);
	tcase_add_test(tests, timeouts_of_its_own_and_never);
	tcase_add_test(tests, a_lanes_owner_settles_its_forgotten_tickets);
	tcase_add_test(tests, select_on_an_open_ticket_settles_it_as_failure);
	tcase_add_test(tests, removed_and_added_again_under_the_same_name);
	tcase_add_test(tests, another_pools_zeroed_and_damaged_tickets_are_stale);
	tcase_add_test(tests, ledger_full_is_elimit_and_loses_nothing);
	tcase_add_test(tests, hedged_pairs_in_both_orders);
	tcase_add_test(tests, reuse_without_zeroing_after_success_and_cancel);
	tcase_add_test(tests, eight_tries_are_the_end);
	tcase_add_test(tests, null_outcome_leaves_the_ticket_open);
	tcase_add_test(tests, leave_settles_what_is_open_as_cancelled);
	tcase_add_test(tests, any_selector_of_the_pool_settles);
	tcase_add_test(tests, another_pools_ticket_is_stale_though_the_random_hook_is_constant);
	tcase_add_test(tests, a_damaged_id_fits_no_neighbours_row);
	suite_add_tcase(suite, tests);
	return suite;
}
