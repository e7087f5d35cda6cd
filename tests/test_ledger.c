/* Lanes and their ledgers: what is forgotten, who settles it and when, what a full ledger leaves alone. */
#include "test.h"

/* Of the first endpoint. */
static uint64_t forgotten(const rig *r)
{
	lb_endpoint_stats stats;

	ck_ok(lb_stats_endpoint(r->pool, r->e[0], &stats, sizeof stats));
	return stats.forgotten;
}

START_TEST(counts_of_a_lane_that_left_are_forgotten)
{
	rig r;
	lb_ticket held[20] = {{0}};
	uint32_t lane;
	int served[2] = {0};

	rig_open(&r, LB_LEAST_CONNECTIONS, 2, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 7, &lane));
	for (int i = 0; i < 10; i++)
		ck_ok(lb_select(r.selector, &(lb_request){.lane = lane, .prefer = r.e[0]}, &held[i]));
	for (int i = 0; i < 20; i++) {
		r.w.now += LB_MILLISECONDS;
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	}
	ck_ok(lb_pool_leave(r.pool, lane));
	for (int i = 0; i < 20; i++) {
		held[i] = (lb_ticket){0};
		r.w.now += LB_MILLISECONDS;
		served[rig_select(&r, &held[i])]++;
	}
	ck_assert_int_eq(served[0], 10);
	ck_assert_int_eq(served[1], 10);
	rig_close(&r);
}
END_TEST

/* Only the owner may settle it: the tick asks it to. */
START_TEST(a_lanes_forgotten_ticket_is_settled_soon_after_a_tick)
{
	rig r;
	lb_ticket lost = {0};
	uint32_t lane;
	int selects = 0;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 7, &lane));
	for (int i = 0; i < 40; i++) {
		lb_ticket other = {0};
		ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, i == 20 ? &lost : &other));
		if (i != 20)
			ck_ok(lb_report_result(r.selector, &other, LB_SUCCESS));
	}
	r.w.now += 601 * LB_SECONDS;
	lb_pool_tick(r.pool);
	for (; selects < 64 && forgotten(&r) == 0; selects++) {
		lb_ticket other = {0};
		ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, &other));
		ck_ok(lb_report_result(r.selector, &other, LB_SUCCESS));
	}
	ck_assert_int_le(selects, 16);
	ck_assert_uint_eq(rig_info(&r, 0).inflight, 0);
	rig_close(&r);
}
END_TEST

START_TEST(a_ledger_full_of_overdue_rows_takes_a_ticket)
{
	rig r;
	uint32_t lane;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 7, &lane));
	for (uint32_t at = 0; at <= lane; at += lane) {
		lb_ticket ticket = {0};
		lb_request request = {.lane = at, .timeout = LB_MILLISECONDS};
		for (int i = 0; i < 64; i++) {
			ticket = (lb_ticket){0};
			ck_ok(lb_select(r.selector, &request, &ticket));
		}
		ticket = (lb_ticket){0};
		ck_assert_int_eq(lb_select(r.selector, &request, &ticket), LB_ELIMIT);
		r.w.now += LB_MILLISECONDS;
		ck_ok(lb_select(r.selector, &request, &ticket));
		ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	}
	ck_assert_uint_eq(forgotten(&r), 128);
	rig_close(&r);
}
END_TEST

START_TEST(the_tick_asks_to_be_called_when_a_ticket_is_due)
{
	rig r;
	lb_ticket soon = {0}, later = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_select(r.selector, NULL, &later));
	ck_ok(lb_select(r.selector, &(lb_request){.timeout = 10 * LB_MILLISECONDS}, &soon));
	lb_time due = r.w.now + 10 * LB_MILLISECONDS;
	ck_assert_uint_eq(lb_pool_tick(r.pool), due);
	r.w.now = due - 1;
	ck_assert_uint_eq(lb_pool_tick(r.pool), due);
	ck_assert_uint_eq(forgotten(&r), 0);
	r.w.now = due;
	ck_assert_uint_eq(lb_pool_tick(r.pool), due + LB_SECONDS);
	ck_assert_uint_eq(forgotten(&r), 1);
	rig_close(&r);
}
END_TEST

START_TEST(a_full_ledger_does_not_move_the_turn)
{
	rig r;
	lb_ticket held[64] = {{0}}, ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, NULL);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(rig_select(&r, &held[i]), i % 3);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(rig_select(&r, &ticket), LB_ELIMIT);
	ck_assert_uint_eq(ticket.attempts, 0);
	ck_ok(lb_report_result(r.selector, &held[10], LB_SUCCESS));
	ck_assert_int_eq(rig_select(&r, &ticket), 1);
	rig_close(&r);
}
END_TEST

Suite *suite_ledger(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tests = tcase_create("ledger");

	tcase_add_test(tests, counts_of_a_lane_that_left_are_forgotten);
	tcase_add_test(tests, a_lanes_forgotten_ticket_is_settled_soon_after_a_tick);
	tcase_add_test(tests, a_ledger_full_of_overdue_rows_takes_a_ticket);
	tcase_add_test(tests, the_tick_asks_to_be_called_when_a_ticket_is_due);
	tcase_add_test(tests, a_full_ledger_does_not_move_the_turn);
	suite_add_tcase(suite, tests);
	return suite;
}
