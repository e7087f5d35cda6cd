/* Limits, refusals and what selection makes of them: whose turns go where, what comes back, the error if nobody may. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static void set_limit(rig *r, int number, uint32_t limit)
{
	lb_endpoint_config config;
	lb_endpoint_info info = rig_info(r, number);

	ck_ok(lb_endpoint_config_from(&config, sizeof config, &info));
	config.inflight_max = limit;
	ck_ok(lb_pool_update(r->pool, r->e[number], &config));
}

/* Opens n tickets at an endpoint. */
static void load(rig *r, int number, lb_ticket *held, int n)
{
	for (int i = 0; i < n; i++)
		ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number]}, &held[i]));
}

/* Seven endpoints; the first five have the weight 100 and are full. */
static void open_five_full(rig *r, lb_algorithm algorithm, uint32_t weight_5, uint32_t weight_6)
{
	lb_ticket held[5] = {{0}};

	rig_open(r, algorithm, 7, (uint32_t[]){100, 100, 100, 100, 100, weight_5, weight_6}, NULL);
	for (int i = 0; i < 5; i++) {
		set_limit(r, i, 1);
		load(r, i, &held[i], 1);
	}
}

/* Six standard deviations of a binomial share. */
static void check_share(long served, double n, double p)
{
	double off = (double)served - n * p;

	ck_assert_msg(off * off <= 36 * n * p * (1 - p), "%ld of %.0f, due %.0f", served, n, n * p);
}

START_TEST(the_largest_limit_is_as_good_as_none)
{
	rig r;
	lb_ticket held[20] = {{0}};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	set_limit(&r, 0, UINT32_MAX);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(rig_select(&r, &held[i]), 0);
	ck_assert_uint_eq(rig_info(&r, 0).inflight, 20);
	ck_assert_uint_eq(rig_info(&r, 0).why, 0);
	rig_close(&r);
}
END_TEST

START_TEST(least_connections_finds_the_idle_one_behind_five_full_ones)
{
	rig r;
	lb_ticket held[3] = {{0}};

	open_five_full(&r, LB_LEAST_CONNECTIONS, 1, 1);
	load(&r, 6, held, 3);
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 5);
	rig_close(&r);
}
END_TEST

START_TEST(turns_of_full_ones_are_dealt_by_weight)
{
	static const lb_algorithm drawn[] = {LB_WEIGHTED_ROUND_ROBIN, LB_RANDOM};

	for (size_t a = 0; a < 2; a++) {
		rig r;
		int served[7] = {0};
		open_five_full(&r, drawn[a], 9, 1);
		for (int i = 0; i < 10000; i++)
			served[rig_pick(&r, LB_SUCCESS)]++;
		ck_assert_int_eq(served[5] + served[6], 10000);
		check_share(served[5], 10000, 0.9);
		rig_close(&r);
	}
}
END_TEST

START_TEST(a_seventh_attempt_still_goes_to_the_least_connections)
{
	rig r;
	lb_ticket held[2] = {{0}};

	rig_open(&r, LB_LEAST_CONNECTIONS, 10, (uint32_t[]){100, 100, 100, 100, 100, 100, 1, 1, 1, 1}, NULL);
	load(&r, 6, &held[0], 1);
	load(&r, 8, &held[1], 1);
	for (int i = 0; i < 200; i++) {
		lb_ticket ticket = {.attempts = 6};
		for (int j = 0; j < 6; j++)
			ticket.tried[j] = r.e[j];
		int number = rig_select(&r, &ticket);
		ck_assert(number == 7 || number == 9);
		ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	}
	rig_close(&r);
}
END_TEST

/* No tick comes between: what is published still names the dead ones. */
START_TEST(turns_of_any_number_of_dead_ones_are_dealt_to_all_living)
{
	lb_breaker_config breaker;
	long picks = rounds(20000);

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 1;
	for (int dead = 1; dead <= 8; dead++) {
		rig r;
		long served[10] = {0};
		rig_open(&r, LB_ROUND_ROBIN, 10, NULL, &breaker);
		for (int i = 0; i < dead; i++) {
			lb_ticket ticket = {0};
			load(&r, i, &ticket, 1);
			ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
		}
		for (long i = 0; i < picks; i++)
			served[rig_pick(&r, LB_SUCCESS)]++;
		for (int i = 0; i < dead; i++)
			ck_assert_int_eq(served[i], 0);
		for (int i = dead; i < 10; i++)
			/* its own turns, and its part of the dealt ones */
			check_share(served[i] - picks / 10, (double)(picks * dead / 10), 1.0 / (10 - dead));
		rig_close(&r);
	}
}
END_TEST

START_TEST(full_means_that_the_limit_alone_refused)
{
	rig r;
	lb_ticket held = {0}, ticket = {0};
	lb_breaker_config breaker;

	lb_breaker_config_init(&breaker, sizeof breaker);
	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, &breaker);
	ck_ok(lb_pool_set_admin(r.pool, r.e[1], LB_ADMIN_DOWN));
	set_limit(&r, 0, 1);
	ck_assert_int_eq(rig_select(&r, &held), 0);
	ck_assert_int_eq(rig_select(&r, &ticket), LB_EFULL);
	ck_ok(lb_pool_set_breaker(r.pool, r.e[0], LB_FORCE_OPEN));
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	ck_ok(lb_pool_set_breaker(r.pool, r.e[0], LB_FORCE_NONE));
	ck_assert_int_eq(rig_select(&r, &ticket), LB_EFULL);
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_UNHEALTHY));
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	rig_close(&r);
}
END_TEST

START_TEST(a_full_one_whose_breaker_opened_by_itself_is_none)
{
	rig r;
	lb_ticket held[6] = {{0}}, ticket = {0};
	lb_breaker_config breaker;

	lb_breaker_config_init(&breaker, sizeof breaker);
	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, &breaker);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(rig_select(&r, &held[i]), 0);
	for (int i = 0; i < 5; i++)
		ck_ok(lb_report_result(r.selector, &held[i], LB_FAILURE));
	set_limit(&r, 0, 1);
	ck_assert_uint_eq(rig_info(&r, 0).why, LB_WHY_BREAKER | LB_WHY_FULL);
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	rig_close(&r);
}
END_TEST

/* A pool with panic_percent 50 and four endpoints, of which three have an open breaker. */
static void open_panic(rig *r)
{
	lb_pool_config config;
	lb_selector_config selection;

	*r = (rig){.w.now = 1000 * LB_SECONDS};
	lb_env env = world_env(&r->w);
	lb_pool_config_init(&config, sizeof config);
	config.panic_percent = 50;
	ck_ok(lb_pool_create(&r->pool, &config, &env));
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = LB_ROUND_ROBIN;
	selection.random_start = 0;
	ck_ok(lb_selector_create(&r->selector, r->pool, &selection));
	for (int i = 0; i < 4; i++)
		ck_ok(lb_pool_add(r->pool, (char[]){'e', (char)('0' + i), 0}, "", 1, &r->e[i]));
	for (int i = 1; i < 4; i++)
		for (int failures = 0; failures < 5; failures++) {
			lb_ticket ticket = {0};
			load(r, i, &ticket, 1);
			ck_ok(lb_report_result(r->selector, &ticket, LB_FAILURE));
		}
	lb_pool_tick(r->pool);
}

START_TEST(panic_uses_open_breakers_and_teaches_them_nothing)
{
	rig r;
	int served[4] = {0};

	open_panic(&r);
	int turns = world_count(&r.w, LB_EVENT_BREAKER);
	for (int i = 0; i < 400; i++) {
		lb_ticket ticket = {0};
		int number = rig_select(&r, &ticket);
		ck_assert_uint_eq(ticket.reason, LB_BY_PANIC);
		served[number]++;
		bool failed = number != 0 && i % 8 < 4;
		ck_ok(lb_report_result(r.selector, &ticket, failed ? LB_FAILURE : LB_SUCCESS));
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(served[i], 100);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(rig_info(&r, i).breaker, LB_BREAKER_OPEN);
	ck_assert_int_eq(world_count(&r.w, LB_EVENT_BREAKER), turns);
	/* they close by trials as ever: the failures did not make the open time longer */
	r.w.now += 6 * LB_SECONDS;
	for (int i = 0; i < 100; i++)
		rig_pick(&r, LB_SUCCESS);
	lb_pool_tick(r.pool);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rig_info(&r, i).breaker, LB_BREAKER_CLOSED);
	rig_close(&r);
}
END_TEST

/* No checker, and the breaker closes after fewer successes (3) than the failover asks for (5). */
START_TEST(a_primary_that_broke_gets_its_traffic_back_by_itself)
{
	rig r;
	lb_breaker_config breaker;
	lb_failover *failover;
	int waited = 0;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.jitter_percent = 0;
	rig_open(&r, LB_TWO_CHOICES, 2, NULL, &breaker);
	ck_ok(lb_failover_create(&failover, r.pool, NULL));
	ck_ok(lb_failover_set_primary(failover, r.e[0]));
	ck_ok(lb_failover_set_backup(failover, r.e[0], r.e[1]));
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(rig_pick(&r, LB_FAILURE), 0);
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	for (lb_failover_status s = {0}; s.active != r.e[0] && waited < 600; waited++) {
		r.w.now += 100 * LB_MILLISECONDS;
		rig_pick(&r, LB_SUCCESS);
		lb_pool_tick(r.pool);
		ck_ok(lb_failover_get(failover, r.e[0], &s, sizeof s));
	}
	/* 5 s open, 30 s of hold_up, and the trials */
	ck_assert_int_ge(waited, 350);
	ck_assert_int_le(waited, 370);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
	lb_failover_destroy(failover);
	rig_close(&r);
}
END_TEST

typedef struct flip {
	rig r;
	atomic_bool stop;
	atomic_long selected, wrong;
} flip;

static void *select_on(void *arg)
{
	flip *f = arg;
	lb_ticket ticket = {0};

	while (!atomic_load(&f->stop)) {
		if (lb_select(f->r.selector, NULL, &ticket) != LB_OK) {
			atomic_fetch_add(&f->wrong, 1);
			continue;
		}
		atomic_fetch_add(&f->selected, 1);
		lb_report_result(f->r.selector, &ticket, LB_SUCCESS);
	}
	return NULL;
}

/* The primary's gate is shut a moment before its backup's opens. */
START_TEST(a_switch_between_primary_and_backup_leaves_nobody_without)
{
	flip f = {.stop = false};
	pthread_t threads[2];
	lb_failover *failover;
	lb_failover_config config;

	rig_open(&f.r, LB_ROUND_ROBIN, 2, NULL, NULL);
	lb_failover_config_init(&config, sizeof config);
	config.hold_up = 0;
	config.successes = 0;
	ck_ok(lb_failover_create(&failover, f.r.pool, &config));
	ck_ok(lb_failover_set_primary(failover, f.r.e[0]));
	ck_ok(lb_failover_set_backup(failover, f.r.e[0], f.r.e[1]));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, select_on, &f), 0);
	for (long i = 0, n = rounds(100000); i < n || atomic_load(&f.selected) < n / 10; i++)
		ck_ok(lb_pool_set_health(f.r.pool, f.r.e[0], i % 2 ? LB_HEALTHY : LB_UNHEALTHY));
	atomic_store(&f.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(atomic_load(&f.wrong), 0);
	lb_failover_destroy(failover);
	rig_close(&f.r);
}
END_TEST

Suite *suite_refusal(void)
{
	Suite *suite = suite_create("refusal");
	TCase *tests = tcase_create("refusal");

	tcase_add_test(tests, the_largest_limit_is_as_good_as_none);
	tcase_add_test(tests, least_connections_finds_the_idle_one_behind_five_full_ones);
	tcase_add_test(tests, turns_of_full_ones_are_dealt_by_weight);
	tcase_add_test(tests, a_seventh_attempt_still_goes_to_the_least_connections);
	tcase_add_test(tests, turns_of_any_number_of_dead_ones_are_dealt_to_all_living);
	tcase_add_test(tests, full_means_that_the_limit_alone_refused);
	tcase_add_test(tests, a_full_one_whose_breaker_opened_by_itself_is_none);
	tcase_add_test(tests, panic_uses_open_breakers_and_teaches_them_nothing);
	tcase_add_test(tests, a_primary_that_broke_gets_its_traffic_back_by_itself);
	tcase_add_test(tests, a_switch_between_primary_and_backup_leaves_nobody_without);
	suite_add_tcase(suite, tests);
	return suite;
}
