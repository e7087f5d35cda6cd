/* Sticky requests: a preference, and one that comes of a token. */
#include "fleet.h"

static const lb_token_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const lb_time today = 1000 * LB_SECONDS;

static void open_three(fleet *f, lb_algorithm algorithm)
{
	fleet_plan plan;

	fleet_draw(&plan, algorithm);
	plan.pool.breaker = &plan.breaker;
	fleet_open(f, &plan, 3, NULL);
}

static lb_request request_of(fleet *f, const char *text, lb_time now)
{
	lb_request request = {.key = 7, .flags = LB_REQUEST_KEY};

	if (lb_token_read(f->pool, &key, 1, text, strlen(text), now, &request.prefer) == LB_OK)
		request.flags |= LB_REQUEST_TOKEN;
	return request;
}

/* Selects and gives back; tells the reason. */
static int go(fleet *f, const lb_request *request, uint32_t *reason)
{
	lb_ticket ticket = {0};
	int got = fleet_select(f, request, &ticket);

	*reason = ticket.reason;
	if (got >= 0)
		ck_ok(lb_report_result(f->selector, &ticket, LB_SUCCESS));
	return got;
}

START_TEST(a_client_with_a_token_stays_whatever_the_algorithm)
{
	for (int algorithm = 0; algorithm <= LB_LEAST_REQUEST; algorithm++) {
		fleet f;
		char text[LB_TOKEN_MAX];
		uint32_t reason;
		open_three(&f, (lb_algorithm)algorithm);
		for (int i = 0; i < 3; i++) {
			ck_ok(lb_token_make(f.pool, &key, f.e[i], today + 60, text, sizeof text));
			lb_request request = request_of(&f, text, today);
			for (int n = 0; n < 5; n++) {
				ck_assert_int_eq(go(&f, &request, &reason), i);
				ck_assert_uint_eq(reason, LB_BY_PREFERENCE);
			}
		}
		fleet_close(&f);
	}
}
END_TEST

START_TEST(a_drained_one_serves_tokens_only)
{
	fleet f;
	char text[LB_TOKEN_MAX];
	uint32_t reason;

	open_three(&f, LB_ROUND_ROBIN);
	ck_ok(lb_token_make(f.pool, &key, f.e[1], today + 60, text, sizeof text));
	ck_ok(lb_pool_set_admin(f.pool, f.e[1], LB_ADMIN_DRAIN));
	lb_request request = request_of(&f, text, today), plain = {.prefer = f.e[1]};
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(go(&f, &request, &reason), 1);
		ck_assert_uint_eq(reason, LB_BY_PREFERENCE);
		ck_assert_int_ne(go(&f, &plain, &reason), 1);
		ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
		ck_assert_int_ne(go(&f, NULL, &reason), 1);
	}
	/* a flag without a preference is nothing */
	ck_assert_int_ne(go(&f, &(lb_request){.flags = LB_REQUEST_TOKEN}, &reason), 1);
	fleet_close(&f);
}
END_TEST

/* Each veto stands against a token as against everybody. */
START_TEST(a_token_opens_no_other_gate)
{
	for (int drained = 0; drained < 2; drained++) {
		fleet f;
		char text[LB_TOKEN_MAX];
		uint32_t reason;
		lb_ticket held = {0};
		lb_endpoint_config config;
		open_three(&f, LB_ROUND_ROBIN);
		ck_ok(lb_token_make(f.pool, &key, f.e[1], today + 60, text, sizeof text));
		if (drained)
			ck_ok(lb_pool_set_admin(f.pool, f.e[1], LB_ADMIN_DRAIN));
		lb_request request = request_of(&f, text, today);
		ck_ok(lb_pool_set_health(f.pool, f.e[1], LB_UNHEALTHY));
		ck_assert_int_ne(go(&f, &request, &reason), 1);
		ck_ok(lb_pool_set_health(f.pool, f.e[1], LB_HEALTHY));
		ck_ok(lb_pool_set_weight(f.pool, f.e[1], 0));
		ck_assert_int_ne(go(&f, &request, &reason), 1);
		ck_ok(lb_pool_set_weight(f.pool, f.e[1], 1));
		lb_endpoint_info info = fleet_info(&f, 1);
		ck_ok(lb_endpoint_config_from(&config, sizeof config, &info));
		config.inflight_max = 1;
		ck_ok(lb_pool_update(f.pool, f.e[1], &config));
		ck_assert_int_eq(fleet_select(&f, &request, &held), 1);
		ck_assert_int_ne(go(&f, &request, &reason), 1);
		ck_ok(lb_report_result(f.selector, &held, LB_FAILURE));
		/* the breaker is open */
		ck_assert_int_ne(go(&f, &request, &reason), 1);
		ck_ok(lb_pool_set_breaker(f.pool, f.e[1], LB_FORCE_NONE));
		ck_assert_int_eq(go(&f, &request, &reason), 1);
		ck_ok(lb_pool_set_admin(f.pool, f.e[1], LB_ADMIN_DOWN));
		ck_assert_int_ne(go(&f, &request, &reason), 1);
		ck_ok(lb_pool_remove(f.pool, f.e[1]));
		ck_assert_int_ne(go(&f, &request, &reason), 1);
		fleet_close(&f);
	}
}
END_TEST

START_TEST(expired_and_forged_ones_are_no_preference)
{
	fleet f;
	char text[LB_TOKEN_MAX];

	open_three(&f, LB_ROUND_ROBIN);
	ck_ok(lb_token_make(f.pool, &key, f.e[1], today + 60, text, sizeof text));
	lb_request good = request_of(&f, text, today + 59), late = request_of(&f, text, today + 60);
	ck_assert_uint_eq(good.prefer, f.e[1]);
	ck_assert_uint_eq(late.prefer, LB_NO_ENDPOINT);
	text[9] = text[9] == 'A' ? 'B' : 'A';
	lb_request forged = request_of(&f, text, today);
	ck_assert_uint_eq(forged.prefer, LB_NO_ENDPOINT);
	/* an ordinary rotation */
	for (int i = 0; i < 6; i++) {
		uint32_t reason;
		ck_assert_int_eq(go(&f, i % 2 ? &late : &forged, &reason), i % 3);
		ck_assert_uint_eq(reason, LB_BY_ALGORITHM);
	}
	fleet_close(&f);
}
END_TEST

START_TEST(a_retry_goes_elsewhere_and_the_next_request_comes_back)
{
	for (int drained = 0; drained < 2; drained++) {
		fleet f;
		lb_ticket ticket = {0};
		uint32_t reason;
		open_three(&f, LB_ROUND_ROBIN);
		lb_request request = {.prefer = f.e[2], .flags = LB_REQUEST_TOKEN};
		if (drained)
			ck_ok(lb_pool_set_admin(f.pool, f.e[2], LB_ADMIN_DRAIN));
		ck_assert_int_eq(fleet_select(&f, &request, &ticket), 2);
		ck_ok(lb_report_result(f.selector, &ticket, LB_CANCELLED));
		ck_assert_int_eq(fleet_select(&f, &request, &ticket), 2);
		ck_ok(lb_report_result(f.selector, &ticket, LB_LOCAL));
		int second = fleet_select(&f, &request, &ticket);
		ck_assert(second == 0 || second == 1);
		ck_ok(lb_report_result(f.selector, &ticket, LB_LOCAL));
		ck_assert_int_eq(fleet_select(&f, &request, &ticket), 1 - second);
		ck_ok(lb_report_result(f.selector, &ticket, LB_LOCAL));
		ck_assert_int_eq(fleet_select(&f, &request, &ticket), LB_ENONE);
		ck_assert_int_eq(go(&f, &request, &reason), 2);
		fleet_close(&f);
	}
}
END_TEST

/* The host's word stands above slow start and the bound of the load; nobody else's request goes to a drained one by them. */
START_TEST(a_preference_overrules_what_is_soft)
{
	fleet f;
	fleet_plan plan;
	lb_ticket tickets[20] = {{0}};

	fleet_draw(&plan, LB_RING_HASH);
	plan.pool.ramp = &plan.ramp;
	plan.selector.bound_percent = 100;
	fleet_open(&f, &plan, 3, NULL);
	ck_assert_int_ge(fleet_pick_key(&f, 1), 0);
	ck_ok(lb_pool_set_admin(f.pool, f.e[1], LB_ADMIN_DOWN));
	ck_ok(lb_pool_set_admin(f.pool, f.e[1], LB_ADMIN_UP));
	for (uint64_t i = 0; i < 20; i++) {
		lb_request request = {.prefer = f.e[1], .key = i, .flags = LB_REQUEST_KEY};
		ck_assert_int_eq(fleet_select(&f, &request, &tickets[i]), 1);
	}
	fleet_close(&f);
}
END_TEST

Suite *suite_sticky(void)
{
	Suite *suite = suite_create("sticky");
	TCase *tc = tcase_create("sticky");

	tcase_add_test(tc, a_client_with_a_token_stays_whatever_the_algorithm);
	tcase_add_test(tc, a_drained_one_serves_tokens_only);
	tcase_add_test(tc, a_token_opens_no_other_gate);
	tcase_add_test(tc, expired_and_forged_ones_are_no_preference);
	tcase_add_test(tc, a_retry_goes_elsewhere_and_the_next_request_comes_back);
	tcase_add_test(tc, a_preference_overrules_what_is_soft);
	suite_add_tcase(suite, tc);
	return suite;
}
