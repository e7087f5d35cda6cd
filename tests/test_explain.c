/* lb_explain: says what lb_select does then, and changes nothing by it. */
#include "base/random.h"
#include "fleet.h"

/* Two pools that live the same life; questions are asked in the second one only. */
typedef struct twins {
	fleet f[2];
	uint64_t random;
	lb_ticket held[2][24];
} twins;

static uint32_t below(twins *t, uint32_t n)
{
	t->random += LB_RANDOM_STEP;
	return (uint32_t)(lb_mix64(t->random) % n);
}

static bool exists(lb_algorithm algorithm)
{
	return lb_algorithm_name(algorithm) != NULL;
}

enum { ALGORITHMS = LB_LEAST_REQUEST + 1, STATES = 400 };

static lb_explanation explain(fleet *f, const lb_request *request)
{
	lb_explanation explanation;

	ck_ok(lb_explain(f->selector, request, &explanation, sizeof explanation));
	return explanation;
}

/* One change of state, the same in both. */
static void change(twins *t)
{
	uint32_t number = below(t, 6), kind = below(t, 12), value = below(t, 4);

	for (int i = 0; i < 2; i++) {
		fleet *f = &t->f[i];
		lb_endpoint e = f->e[number];
		lb_ticket *ticket = &t->held[i][below(t, 1) + number * 4 + value];
		switch (kind) {
		case 0:
			ck_ok(lb_pool_set_health(f->pool, e, (lb_health_status)value));
			break;
		case 1:
			ck_ok(lb_pool_set_admin(f->pool, e, value < 3 ? (lb_admin)value : LB_ADMIN_UP));
			break;
		case 2:
			ck_ok(lb_pool_set_weight(f->pool, e, value));
			break;
		case 3:
			fleet_pick(f, &(lb_request){.prefer = e}, LB_FAILURE);
			break;
		case 4:
			f->w.now += value * LB_SECONDS / 2;
			break;
		case 5:
			fleet_wait(f, value * LB_SECONDS / 2);
			break;
		case 6:
		case 7:
			/* its ticket is settled first if it is open */
			if (ticket->id != 0)
				ck_ok(lb_report_result(f->selector, ticket, LB_SUCCESS));
			break;
		case 8:
			fleet_pick(f, NULL, value < 3 ? LB_SUCCESS : LB_FAILURE);
			break;
		default:
			if (ticket->id == 0) {
				*ticket = (lb_ticket){0};
				lb_select(f->selector,
					  &(lb_request){.prefer = value < 2 ? e : LB_NO_ENDPOINT}, ticket);
			}
			break;
		}
	}
}

static void open_twins(twins *t, lb_algorithm algorithm, bool rich)
{
	memset(t, 0, sizeof *t);
	t->random = (uint64_t)algorithm * 77 + rich;
	for (int i = 0; i < 2; i++) {
		fleet_plan plan;
		fleet_draw(&plan, algorithm);
		plan.pool.breaker = &plan.breaker;
		plan.ramp.window = 4 * LB_SECONDS;
		plan.pool.ramp = rich ? &plan.ramp : NULL;
		plan.pool.panic_percent = rich ? 30 : 0;
		plan.pool.fail_mode = rich ? LB_FAIL_LAST_GOOD : LB_FAIL_CLOSED;
		bool hashes = algorithm >= LB_RING_HASH && algorithm <= LB_RENDEZVOUS;
		plan.selector.bound_percent = hashes && rich ? 125 : 0;
		/* a random start of deadlines is one of all members: too much to foresee */
		plan.selector.random_start = rich && algorithm != LB_LEAST_REQUEST;
		plan.breaker.trials = 2;
		fleet_open(&t->f[i], &plan, 0, NULL);
		for (int n = 0; n < 6; n++) {
			lb_endpoint_config config;
			char name[4] = {'e', (char)('0' + n), '\0'};
			lb_endpoint_config_init(&config, sizeof config);
			config.name = name;
			config.weight = 1 + (uint32_t)n % 3;
			config.priority = rich && n >= 4;
			config.zone = rich ? 1 + (uint32_t)n % 2 : 0;
			config.inflight_max = n == 1 ? 2 : 0;
			ck_ok(lb_pool_add_endpoint(t->f[i].pool, &config, &t->f[i].e[n]));
		}
		if (rich && algorithm % 2 == 0) {
			ck_ok(lb_pool_set_zone(t->f[i].pool, 1, 3, 0));
			ck_ok(lb_pool_set_zone(t->f[i].pool, 2, 1, 0));
		}
	}
}

static void close_twins(twins *t)
{
	for (int i = 0; i < 2; i++)
		fleet_close(&t->f[i]);
}

/* Asks in the second pool, selects in both: all three say the same. */
static void compare(twins *t, int state)
{
	uint64_t key = below(t, 1000);
	uint32_t prefer = below(t, 12), token = below(t, 2);
	int got[2];
	lb_ticket tickets[2] = {{0}};
	lb_explanation says = {0};

	for (int i = 0; i < 2; i++) {
		fleet *f = &t->f[i];
		lb_request request = {.key = key, .prefer = prefer < 6 ? f->e[prefer] : LB_NO_ENDPOINT};
		request.flags = (key % 3 == 0 ? LB_REQUEST_KEY : 0) | (token ? LB_REQUEST_TOKEN : 0);
		if (i == 1)
			says = explain(f, &request);
		got[i] = fleet_select(f, &request, &tickets[i]);
		if (got[i] >= 0 && lb_report_result(f->selector, &tickets[i], LB_SUCCESS) != LB_OK)
			ck_abort_msg("no report");
	}
	int said = says.result == LB_OK ? fleet_number(&t->f[1], says.choice) : says.result;
	if (got[0] != got[1])
		ck_abort_msg("state %d: asked about it, %d became %d", state, got[0], got[1]);
	if (said != got[1])
		ck_abort_msg("state %d: %d was said, %d chosen", state, said, got[1]);
	if (got[1] >= 0 && (says.reason != tickets[1].reason || says.reason != tickets[0].reason))
		ck_abort_msg("state %d: reason %u, not %u", state, says.reason, tickets[1].reason);
	for (uint32_t i = 0; i < says.refused_n; i++)
		if (says.refused[i].why == 0 || says.refused[i].endpoint == says.choice)
			ck_abort_msg("state %d: %d was chosen and refused by %x", state, said,
				     says.refused[i].why);
	if (says.choice != LB_NO_ENDPOINT && says.choice == says.runner_up)
		ck_abort_msg("state %d: second to itself", state);
}

static void live(lb_algorithm algorithm, bool rich)
{
	twins t;

	if (!exists(algorithm))
		return;
	open_twins(&t, algorithm, rich);
	/* the first of all is a random start */
	compare(&t, -1);
	for (int state = 0; state < STATES; state++) {
		for (uint32_t n = below(&t, 4); n > 0; n--)
			change(&t);
		compare(&t, state);
	}
	close_twins(&t);
}

START_TEST(it_says_whom_a_plain_pool_chooses_and_changes_nothing)
{
	live((lb_algorithm)_i, false);
}
END_TEST

START_TEST(it_says_whom_a_pool_with_everything_chooses_and_changes_nothing)
{
	live((lb_algorithm)_i, true);
}
END_TEST

/* Asked again and again, nothing moves, be it in statistics or events. */
START_TEST(questions_leave_no_trace)
{
	fleet f;
	fleet_plan plan;
	lb_endpoint_info before, after;

	fleet_draw(&plan, (lb_algorithm)_i);
	plan.pool.breaker = &plan.breaker;
	fleet_open(&f, &plan, 3, NULL);
	ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[1]}, LB_FAILURE), 1);
	f.w.now += LB_SECONDS;
	int events = f.w.events_n;
	before = fleet_info(&f, 1);
	lb_explanation first = explain(&f, NULL);
	ck_assert_uint_eq(first.reason, LB_BY_TRIAL);
	for (int i = 0; i < 100; i++) {
		lb_explanation again = explain(&f, NULL);
		ck_assert_mem_eq(&first, &again, sizeof first);
	}
	after = fleet_info(&f, 1);
	ck_assert_mem_eq(&before, &after, sizeof before);
	ck_assert_int_eq(f.w.events_n, events);
	fleet_close(&f);
}
END_TEST

START_TEST(a_trial_that_is_out_is_nobodys)
{
	fleet f;
	fleet_plan plan;
	lb_ticket trial = {0};

	fleet_draw(&plan, LB_ROUND_ROBIN);
	plan.pool.breaker = &plan.breaker;
	fleet_open(&f, &plan, 2, NULL);
	ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[1]}, LB_FAILURE), 1);
	f.w.now += LB_SECONDS;
	ck_assert_int_eq(fleet_number(&f, explain(&f, NULL).choice), 1);
	ck_assert_int_eq(fleet_select(&f, NULL, &trial), 1);
	ck_assert_uint_eq(trial.reason, LB_BY_TRIAL);
	ck_assert_int_eq(fleet_number(&f, explain(&f, NULL).choice), 0);
	ck_assert_int_eq(fleet_pick(&f, NULL, LB_SUCCESS), 0);
	fleet_close(&f);
}
END_TEST

/* Hashing: the second choice of a key is who gets it when the first fails. */
START_TEST(the_runner_up_is_the_next_choice)
{
	fleet f;
	fleet_plan plan;

	fleet_draw(&plan, (lb_algorithm)(LB_RING_HASH + _i));
	fleet_open(&f, &plan, 7, NULL);
	for (uint64_t i = 0; i < 300; i++) {
		lb_ticket ticket = {0};
		lb_request request = {.key = lb_mix64(i), .flags = LB_REQUEST_KEY};
		lb_explanation says = explain(&f, &request);
		int first = fleet_select(&f, &request, &ticket);
		int second = fleet_select(&f, &request, &ticket);
		ck_assert_int_eq(fleet_number(&f, says.choice), first);
		ck_assert_int_eq(fleet_number(&f, says.runner_up), second);
		ck_ok(lb_report_result(f.selector, &ticket, LB_SUCCESS));
	}
	fleet_close(&f);
}
END_TEST

/* The least loaded but one; a full one is none. */
START_TEST(the_runner_up_of_the_least_loaded)
{
	fleet f;
	fleet_plan plan;
	lb_ticket tickets[16] = {{0}};

	fleet_draw(&plan, LB_LEAST_CONNECTIONS);
	fleet_open(&f, &plan, 4, NULL);
	for (int i = 0; i < 6; i++) {
		static const int where[6] = {0, 1, 1, 3, 3, 3};
		fleet_select(&f, &(lb_request){.prefer = f.e[where[i]]}, &tickets[i]);
	}
	lb_explanation says = explain(&f, NULL);
	ck_assert_int_eq(fleet_number(&f, says.choice), 2);
	ck_assert_int_eq(fleet_number(&f, says.runner_up), 0);
	ck_ok(lb_pool_set_admin(f.pool, f.e[2], LB_ADMIN_DOWN));
	says = explain(&f, NULL);
	ck_assert_int_eq(fleet_number(&f, says.choice), 0);
	ck_assert_int_eq(fleet_number(&f, says.runner_up), 1);
	fleet_close(&f);
}
END_TEST

static uint32_t why_of(const lb_explanation *says, lb_endpoint endpoint)
{
	for (uint32_t i = 0; i < says->refused_n; i++)
		if (says->refused[i].endpoint == endpoint)
			return says->refused[i].why;
	return 0;
}

START_TEST(every_reason_is_told)
{
	fleet f;
	fleet_plan plan;
	lb_failover *failover;
	lb_ticket tickets[8] = {{0}};

	fleet_draw(&plan, LB_RENDEZVOUS);
	plan.pool.breaker = &plan.breaker;
	plan.pool.ramp = &plan.ramp;
	plan.selector.bound_percent = 100;
	fleet_open(&f, &plan, 8, NULL);
	ck_ok(lb_failover_create(&failover, f.pool, NULL));
	ck_ok(lb_failover_set_primary(failover, f.e[0]));
	ck_ok(lb_failover_set_backup(failover, f.e[0], f.e[1]));
	fleet_pick(&f, &(lb_request){.prefer = f.e[2]}, LB_FAILURE);
	ck_ok(lb_pool_set_admin(f.pool, f.e[3], LB_ADMIN_DRAIN));
	ck_ok(lb_pool_set_health(f.pool, f.e[3], LB_UNHEALTHY));
	ck_ok(lb_pool_set_weight(f.pool, f.e[4], 0));
	ck_ok(lb_pool_set_admin(f.pool, f.e[5], LB_ADMIN_DOWN));
	ck_ok(lb_pool_set_admin(f.pool, f.e[5], LB_ADMIN_UP));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fleet_select(&f, &(lb_request){.prefer = f.e[6]}, &tickets[i]), 6);
	lb_endpoint_info info = fleet_info(&f, 7);
	lb_endpoint_config full;
	ck_ok(lb_endpoint_config_from(&full, sizeof full, &info));
	full.inflight_max = 1;
	ck_ok(lb_pool_update(f.pool, f.e[7], &full));
	ck_assert_int_eq(fleet_select(&f, &(lb_request){.prefer = f.e[7]}, &tickets[3]), 7);
	/* a key that endpoint 5 lacks: nine of ten */
	lb_request request = {.flags = LB_REQUEST_KEY};
	lb_explanation says = explain(&f, &request);
	while (why_of(&says, f.e[5]) == 0) {
		request.key++;
		says = explain(&f, &request);
	}
	static const uint32_t why[8] = {
	    0,           LB_WHY_STANDBY, LB_WHY_BREAKER, LB_WHY_ADMIN | LB_WHY_HEALTH, LB_WHY_WEIGHT,
	    LB_WHY_RAMP, LB_WHY_BOUND};
	for (int i = 0; i < 7; i++)
		ck_assert_uint_eq(why_of(&says, f.e[i]), why[i]);
	ck_assert_uint_eq(why_of(&says, f.e[7]) & ~(uint32_t)LB_WHY_BOUND, LB_WHY_FULL);
	ck_assert_uint_eq(says.refused_n, 7);
	ck_assert_int_eq(fleet_number(&f, says.choice), 0);
	/* of a removed one that waits for its ticket its info tells */
	ck_ok(lb_pool_remove(f.pool, f.e[6]));
	ck_assert_uint_eq(fleet_info(&f, 6).why & LB_WHY_REMOVED, LB_WHY_REMOVED);
	lb_failover_destroy(failover);
	fleet_close(&f);
}
END_TEST

/* In panic health refuses nobody. */
START_TEST(what_does_not_count_in_a_panic_is_no_reason)
{
	fleet f;
	fleet_plan plan;

	fleet_draw(&plan, LB_ROUND_ROBIN);
	plan.pool.panic_percent = 50;
	fleet_open(&f, &plan, 5, NULL);
	for (int i = 0; i < 3; i++)
		ck_ok(lb_pool_set_health(f.pool, f.e[i], LB_UNHEALTHY));
	ck_ok(lb_pool_set_admin(f.pool, f.e[4], LB_ADMIN_DOWN));
	for (int i = 0; i < 8; i++) {
		lb_explanation says = explain(&f, NULL);
		ck_assert_uint_eq(says.reason, LB_BY_PANIC);
		ck_assert_uint_eq(says.refused_n, 1);
		ck_assert_uint_eq(why_of(&says, f.e[4]), LB_WHY_ADMIN);
		fleet_pick(&f, NULL, LB_SUCCESS);
	}
	fleet_close(&f);
}
END_TEST

START_TEST(nobody_and_all_full_are_told)
{
	fleet f;
	fleet_plan plan;
	lb_ticket ticket = {0};

	fleet_draw(&plan, LB_TWO_CHOICES);
	fleet_open(&f, &plan, 0, NULL);
	ck_assert_int_eq(explain(&f, NULL).result, LB_ENONE);
	ck_assert_uint_eq(explain(&f, NULL).refused_n, 0);
	lb_endpoint_config config;
	lb_endpoint_config_init(&config, sizeof config);
	config.name = "s0";
	config.inflight_max = 1;
	ck_ok(lb_pool_add_endpoint(f.pool, &config, &f.e[0]));
	ck_assert_int_eq(fleet_select(&f, NULL, &ticket), 0);
	lb_explanation says = explain(&f, NULL);
	ck_assert_int_eq(says.result, LB_EFULL);
	ck_assert_uint_eq(says.choice, LB_NO_ENDPOINT);
	ck_assert_uint_eq(why_of(&says, f.e[0]), LB_WHY_FULL);
	ck_assert_int_eq(lb_explain(NULL, NULL, &says, sizeof says), LB_EINVAL);
	ck_assert_int_eq(lb_explain(f.selector, NULL, NULL, sizeof says), LB_EINVAL);
	ck_assert_int_eq(lb_explain(f.selector, NULL, &says, sizeof says - 1), LB_EVERSION);
	ck_assert_int_eq(lb_explain(f.selector, &(lb_request){.lane = 1}, &says, sizeof says), LB_EINVAL);
	ck_assert_int_eq(lb_explain(f.selector, &(lb_request){.flags = 64}, &says, sizeof says), LB_EINVAL);
	fleet_close(&f);
}
END_TEST

Suite *suite_explain(void)
{
	Suite *suite = suite_create("explain");
	TCase *tc = tcase_create("explain");

	tcase_add_loop_test(tc, it_says_whom_a_plain_pool_chooses_and_changes_nothing, 0, ALGORITHMS);
	tcase_add_loop_test(tc, it_says_whom_a_pool_with_everything_chooses_and_changes_nothing, 0,
			    ALGORITHMS);
	tcase_add_loop_test(tc, questions_leave_no_trace, 0, LB_LEAST_RESPONSE_TIME);
	tcase_add_test(tc, a_trial_that_is_out_is_nobodys);
	tcase_add_loop_test(tc, the_runner_up_is_the_next_choice, 0, 4);
	tcase_add_test(tc, the_runner_up_of_the_least_loaded);
	tcase_add_test(tc, every_reason_is_told);
	tcase_add_test(tc, what_does_not_count_in_a_panic_is_no_reason);
	tcase_add_test(tc, nobody_and_all_full_are_told);
	suite_add_tcase(suite, tc);
	return suite;
}
