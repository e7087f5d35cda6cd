/* Breakers over their generations: late results, trials that outlive their time, sliding windows, clocks that jump. */
#include "core/circuit.h"
#include "test.h"

#include <string.h>

#define TEN_YEARS (3650 * UINT64_C(86400) * LB_SECONDS)

typedef struct lone {
	world w;
	lb_breaker *breaker;
} lone;

/* The defaults, without jitter. */
static lb_breaker_config exact(void)
{
	lb_breaker_config config;

	lb_breaker_config_init(&config, sizeof config);
	config.jitter_percent = 0;
	return config;
}

/* The same by rate alone: 50 % of at least 5. */
static lb_breaker_config by_rate(void)
{
	lb_breaker_config config = exact();

	config.consecutive = 0;
	config.calls_min = 5;
	return config;
}

static void open_lone(lone *l, const lb_breaker_config *config, lb_time now)
{
	memset(l, 0, sizeof *l);
	l->w.now = now;
	lb_env env = world_env(&l->w);
	ck_ok(lb_breaker_create(&l->breaker, config, &env));
}

static void close_lone(lone *l)
{
	lb_breaker_destroy(l->breaker);
	ck_assert_int_eq(l->w.blocks, 0);
}

static lb_permit enter(lone *l)
{
	lb_permit permit;

	ck_ok(lb_breaker_enter(l->breaker, &permit));
	return permit;
}

static void calls(lone *l, int n, lb_result result)
{
	for (int i = 0; i < n; i++)
		ck_ok(lb_breaker_leave(l->breaker, enter(l), result, 0));
}

static void check_state(const lone *l, lb_breaker_state state)
{
	ck_assert_int_eq(lb_breaker_get(l->breaker, NULL), state);
}

/* A rig with one endpoint, whose calls all go there. */
static void open_one(rig *r, const lb_breaker_config *breaker)
{
	rig_open(r, LB_ROUND_ROBIN, 1, NULL, breaker);
}

static void picks(rig *r, int n, lb_result result)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(rig_pick(r, result), 0);
}

static void hold(rig *r, lb_ticket *held, int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(rig_select(r, &held[i]), 0);
}

static void report(rig *r, lb_ticket *held, int n, lb_result result)
{
	for (int i = 0; i < n; i++)
		ck_ok(lb_report_result(r->selector, &held[i], result));
}

START_TEST(in_a_pool_late_failures_do_not_fail_the_new_window)
{
	rig r;
	lb_breaker_config breaker = exact();
	lb_ticket held[20] = {{0}};

	breaker.calls_min = 10;
	open_one(&r, &breaker);
	hold(&r, held, 20);
	report(&r, held, 5, LB_TIMEOUT);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
	r.w.now += 5 * LB_SECONDS;
	picks(&r, 3, LB_SUCCESS);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
	report(&r, held + 5, 15, LB_TIMEOUT);
	picks(&r, 1, LB_FAILURE);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
	rig_close(&r);
}
END_TEST

START_TEST(in_a_pool_late_successes_do_not_dilute_the_new_window)
{
	rig r;
	lb_breaker_config breaker = by_rate();
	lb_ticket held[20] = {{0}};

	open_one(&r, &breaker);
	hold(&r, held, 20);
	ck_ok(lb_pool_set_breaker(r.pool, r.e[0], LB_FORCE_OPEN));
	ck_ok(lb_pool_set_breaker(r.pool, r.e[0], LB_FORCE_NONE));
	report(&r, held, 20, LB_SUCCESS);
	picks(&r, 4, LB_FAILURE);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
	picks(&r, 1, LB_FAILURE);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
	rig_close(&r);
}
END_TEST

START_TEST(alone_late_results_are_none_of_the_new_window)
{
	static const struct {
		lb_result late;
		int failures; /* of the new generation, all its calls */
		lb_breaker_state end;
	} rows[] = {
	    {LB_TIMEOUT, 4, LB_BREAKER_CLOSED},
	    {LB_TIMEOUT, 5, LB_BREAKER_OPEN},
	    {LB_SUCCESS, 5, LB_BREAKER_OPEN},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		lone l;
		lb_breaker_config config = by_rate();
		lb_permit late[20];
		open_lone(&l, &config, 100 * LB_SECONDS);
		for (int k = 0; k < 20; k++)
			late[k] = enter(&l);
		calls(&l, 5, LB_FAILURE);
		l.w.now += 5 * LB_SECONDS;
		calls(&l, 3, LB_SUCCESS);
		check_state(&l, LB_BREAKER_CLOSED);
		for (int k = 0; k < 20; k++)
			ck_assert_int_eq(lb_breaker_leave(l.breaker, late[k], rows[i].late, 0), LB_ESTALE);
		calls(&l, rows[i].failures, LB_FAILURE);
		check_state(&l, rows[i].end);
		close_lone(&l);
	}
}
END_TEST

START_TEST(a_cancelled_trial_of_an_older_generation_is_stale)
{
	lone l;
	lb_breaker_config config = exact();

	open_lone(&l, &config, 100 * LB_SECONDS);
	calls(&l, 5, LB_FAILURE);
	l.w.now += 5 * LB_SECONDS;
	lb_permit cancelled = enter(&l), local = enter(&l);
	calls(&l, 1, LB_FAILURE);
	check_state(&l, LB_BREAKER_OPEN);
	ck_assert_int_eq(lb_breaker_leave(l.breaker, cancelled, LB_CANCELLED, 0), LB_ESTALE);
	l.w.now += 10 * LB_SECONDS;
	calls(&l, 1, LB_SUCCESS);
	ck_assert_int_eq(lb_breaker_leave(l.breaker, local, LB_LOCAL, 0), LB_ESTALE);
	close_lone(&l);
}
END_TEST

START_TEST(a_trial_reported_after_its_timeout_changes_nothing)
{
	static const lb_result results[] = {LB_SUCCESS, LB_FAILURE, LB_CANCELLED};

	for (size_t i = 0; i < 3; i++) {
		lone l;
		lb_breaker_config config = exact();
		config.successes = 1;
		open_lone(&l, &config, 100 * LB_SECONDS);
		calls(&l, 5, LB_FAILURE);
		l.w.now += 5 * LB_SECONDS;
		lb_permit late = enter(&l), just = enter(&l);
		/* nobody took its place over */
		l.w.now += 30 * LB_SECONDS - 1;
		ck_ok(lb_breaker_leave(l.breaker, just, LB_CANCELLED, 0));
		l.w.now += 1;
		ck_assert_int_eq(lb_breaker_leave(l.breaker, late, results[i], 0), LB_ESTALE);
		check_state(&l, LB_BREAKER_HALF_OPEN);
		/* its place is free */
		for (int k = 0; k < 3; k++)
			enter(&l);
		close_lone(&l);
	}
}
END_TEST

START_TEST(in_a_pool_a_trial_reported_after_its_timeout_changes_nothing)
{
	static const lb_result results[] = {LB_SUCCESS, LB_FAILURE};

	for (size_t i = 0; i < 2; i++) {
		rig r;
		lb_breaker_config breaker = exact();
		lb_ticket held[3] = {{0}};
		open_one(&r, &breaker);
		picks(&r, 5, LB_FAILURE);
		r.w.now += 5 * LB_SECONDS;
		hold(&r, held, 3);
		r.w.now += 30 * LB_SECONDS;
		report(&r, held, 3, results[i]);
		ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_HALF_OPEN);
		picks(&r, 3, LB_SUCCESS);
		ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
		rig_close(&r);
	}
}
END_TEST

/* 4 of 14 is no half, 4 of 5 is. */
START_TEST(a_success_opens_when_older_ones_slid_out_of_the_window)
{
	lone l;
	rig r;
	lb_breaker_config config = by_rate();

	open_lone(&l, &config, 100 * LB_SECONDS);
	calls(&l, 10, LB_SUCCESS);
	l.w.now += 9 * LB_SECONDS;
	calls(&l, 4, LB_FAILURE);
	check_state(&l, LB_BREAKER_CLOSED);
	l.w.now += 2 * LB_SECONDS;
	calls(&l, 1, LB_SUCCESS);
	check_state(&l, LB_BREAKER_OPEN);
	close_lone(&l);

	open_one(&r, &config);
	picks(&r, 10, LB_SUCCESS);
	r.w.now += 9 * LB_SECONDS;
	picks(&r, 4, LB_FAILURE);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
	r.w.now += 2 * LB_SECONDS;
	picks(&r, 1, LB_SUCCESS);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
	rig_close(&r);
}
END_TEST

START_TEST(open_times_at_the_cap_are_jittered_too)
{
	int exactly = 0;

	for (lb_time i = 0; i < 400; i++) {
		lone l;
		lb_breaker_config config = exact();
		lb_time until;
		config.consecutive = 1;
		config.jitter_percent = 10;
		open_lone(&l, &config, 100 * LB_SECONDS + i * 12345);
		calls(&l, 1, LB_FAILURE);
		for (int k = 0; k < 6; k++) {
			lb_breaker_get(l.breaker, &l.w.now);
			calls(&l, 1, LB_FAILURE);
		}
		lb_breaker_get(l.breaker, &until);
		ck_assert_uint_ge(until - l.w.now, 54 * LB_SECONDS);
		ck_assert_uint_le(until - l.w.now, 60 * LB_SECONDS);
		exactly += until - l.w.now == 60 * LB_SECONDS;
		close_lone(&l);
	}
	ck_assert_int_le(exactly, 4);
}
END_TEST

/* A trial's place remembers 12 bits of its generation: 2048 rounds through half open later they are the same. */
START_TEST(a_permit_is_stale_after_any_number_of_transitions)
{
	for (int cycles = 2046; cycles <= 2049; cycles++) {
		lone l;
		lb_breaker_config config = exact();
		config.open_for = config.open_max = LB_MILLISECONDS;
		open_lone(&l, &config, 100 * LB_SECONDS);
		lb_permit call = enter(&l);
		calls(&l, 5, LB_FAILURE);
		l.w.now += LB_MILLISECONDS;
		lb_permit first = enter(&l), trial = enter(&l);
		ck_ok(lb_breaker_leave(l.breaker, first, LB_FAILURE, 0));
		for (int i = 1; i < cycles; i++) {
			l.w.now += LB_MILLISECONDS;
			calls(&l, 1, LB_FAILURE);
		}
		l.w.now += LB_MILLISECONDS;
		enter(&l);
		ck_assert_int_eq(lb_breaker_leave(l.breaker, call, LB_SUCCESS, 0), LB_ESTALE);
		ck_assert_int_eq(lb_breaker_leave(l.breaker, trial, LB_FAILURE, 0), LB_ESTALE);
		check_state(&l, LB_BREAKER_HALF_OPEN);
		close_lone(&l);
	}
}
END_TEST

/* Whoever read the word two generations ago and slept finds a newer trial in the cell: it is not his to take. */
START_TEST(a_slow_entrant_does_not_take_a_newer_trials_place)
{
	lb_circuit circuit = {0};
	lb_trial cell = {0};
	lb_circuit_rules rules;
	lb_breaker_config config = exact();
	lb_pass call, first, newer, slow, other;
	lb_turn turn;
	lb_time now = LB_SECONDS;

	config.trials = 1;
	config.consecutive = 1;
	config.open_max = config.open_for;
	ck_ok(lb_circuit_rules_from(&rules, &config));
	lb_circuit_init(&circuit, &cell, &rules);
	ck_assert(lb_circuit_enter(&circuit, &cell, &rules, now, &call, &turn));
	ck_ok(lb_circuit_leave(&circuit, &cell, &rules, now, call, true, 1, 0, &turn));
	now += 5 * LB_SECONDS;
	ck_assert(lb_circuit_enter(&circuit, &cell, &rules, now, &first, &turn));
	uint32_t seen = lb_get(&circuit.word);
	ck_ok(lb_circuit_leave(&circuit, &cell, &rules, now, first, true, 1, 0, &turn));
	now += 5 * LB_SECONDS;
	ck_assert(lb_circuit_enter(&circuit, &cell, &rules, now, &newer, &turn));
	uint32_t word = lb_get(&circuit.word);
	lb_put(&circuit.word, seen);
	ck_assert(!lb_circuit_enter(&circuit, &cell, &rules, now, &slow, &turn));
	lb_put(&circuit.word, word);
	ck_assert(!lb_circuit_enter(&circuit, &cell, &rules, now, &other, &turn));
	ck_ok(lb_circuit_leave(&circuit, &cell, &rules, now, newer, false, 0, 0, &turn));
}
END_TEST

START_TEST(a_rate_opens_at_the_end_of_time)
{
	static const lb_time starts[] = {1, 1000, UINT64_MAX - 400 * LB_SECONDS, UINT64_MAX - 3 * LB_SECONDS,
					 UINT64_MAX - 1};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		lone l;
		rig r;
		lb_breaker_config config = by_rate();
		open_lone(&l, &config, starts[i]);
		calls(&l, 3, LB_FAILURE);
		calls(&l, 1, LB_SUCCESS);
		check_state(&l, LB_BREAKER_CLOSED);
		calls(&l, 1, LB_SUCCESS);
		check_state(&l, LB_BREAKER_OPEN);
		close_lone(&l);

		open_one(&r, &config);
		r.w.now = starts[i];
		picks(&r, 4, LB_FAILURE);
		ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
		picks(&r, 1, LB_FAILURE);
		ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
		rig_close(&r);
	}
}
END_TEST

START_TEST(trials_that_are_out_when_the_clock_steps_back_are_given_up)
{
	lone l;
	lb_breaker_config config = exact();
	lb_permit permit;
	int waited = 0;

	open_lone(&l, &config, TEN_YEARS);
	calls(&l, 5, LB_FAILURE);
	l.w.now += 5 * LB_SECONDS;
	for (int i = 0; i < 3; i++)
		enter(&l);
	ck_assert_int_eq(lb_breaker_enter(l.breaker, &permit), LB_EOPEN);
	for (l.w.now = LB_SECONDS; lb_breaker_enter(l.breaker, &permit) != LB_OK; waited++)
		l.w.now += LB_SECONDS;
	ck_assert_int_le(waited, 60);
	close_lone(&l);
}
END_TEST

START_TEST(in_a_pool_an_opened_endpoint_gets_its_trial_when_the_clock_stepped_back)
{
	rig r;
	lb_breaker_config breaker = exact();
	int served = 0;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, &breaker);
	r.w.now = TEN_YEARS;
	lb_pool_tick(r.pool);
	for (int i = 0; i < 5; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &ticket));
		ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	}
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	r.w.now = LB_SECONDS;
	for (int i = 0; i < 60; i++) {
		r.w.now += LB_SECONDS;
		lb_pool_tick(r.pool);
		served += rig_pick(&r, LB_SUCCESS) == 0;
	}
	ck_assert_int_ge(served, 3);
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
	rig_close(&r);
}
END_TEST

START_TEST(a_ticket_forgotten_before_the_clock_stepped_back_is_settled)
{
	rig r;
	lb_ticket lost = {0};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	r.w.now = TEN_YEARS;
	hold(&r, &lost, 1);
	r.w.now = LB_SECONDS;
	for (int i = 0; i < 1200; i++) {
		r.w.now += LB_SECONDS;
		lb_pool_tick(r.pool);
	}
	ck_assert_uint_eq(rig_info(&r, 0).inflight, 0);
	ck_assert_int_eq(lb_report_result(r.selector, &lost, LB_SUCCESS), LB_ESTALE);
	rig_close(&r);
}
END_TEST

/* A trial's place remembers 12 bits of its generation. */
START_TEST(a_permit_is_stale_after_forced_and_any_number_of_transitions)
{
	for (int turns = 4090; turns <= 4100; turns++) {
		lone l;
		lb_breaker_config config = exact();
		open_lone(&l, &config, 100 * LB_SECONDS);
		lb_permit call = enter(&l);
		calls(&l, 5, LB_FAILURE);
		l.w.now += 5 * LB_SECONDS;
		lb_permit trial = enter(&l);
		for (int i = 0; i < turns; i++)
			ck_ok(lb_breaker_set(l.breaker, LB_FORCE_NONE));
		ck_assert_int_eq(lb_breaker_leave(l.breaker, call, LB_SUCCESS, 0), LB_ESTALE);
		calls(&l, 5, LB_FAILURE);
		l.w.now += 5 * LB_SECONDS;
		enter(&l);
		ck_assert_int_eq(lb_breaker_leave(l.breaker, trial, LB_FAILURE, 0), LB_ESTALE);
		check_state(&l, LB_BREAKER_HALF_OPEN);
		close_lone(&l);
	}
}
END_TEST

Suite *suite_generation(void)
{
	Suite *suite = suite_create("generation");
	TCase *tests = tcase_create("generation");

	tcase_add_test(tests, in_a_pool_late_failures_do_not_fail_the_new_window);
	tcase_add_test(tests, in_a_pool_late_successes_do_not_dilute_the_new_window);
	tcase_add_test(tests, alone_late_results_are_none_of_the_new_window);
	tcase_add_test(tests, a_cancelled_trial_of_an_older_generation_is_stale);
	tcase_add_test(tests, a_trial_reported_after_its_timeout_changes_nothing);
	tcase_add_test(tests, in_a_pool_a_trial_reported_after_its_timeout_changes_nothing);
	tcase_add_test(tests, a_success_opens_when_older_ones_slid_out_of_the_window);
	tcase_add_test(tests, open_times_at_the_cap_are_jittered_too);
	tcase_add_test(tests, a_permit_is_stale_after_any_number_of_transitions);
	tcase_add_test(tests, a_slow_entrant_does_not_take_a_newer_trials_place);
	tcase_add_test(tests, a_rate_opens_at_the_end_of_time);
	tcase_add_test(tests, trials_that_are_out_when_the_clock_steps_back_are_given_up);
	tcase_add_test(tests, in_a_pool_an_opened_endpoint_gets_its_trial_when_the_clock_stepped_back);
	tcase_add_test(tests, a_ticket_forgotten_before_the_clock_stepped_back_is_settled);
	tcase_add_test(tests, a_permit_is_stale_after_forced_and_any_number_of_transitions);
	suite_add_tcase(suite, tests);
	return suite;
}
