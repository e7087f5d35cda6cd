/* The standalone breaker: tables of literal times, generations, trials, forces, threads. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

typedef struct bench_breaker {
	world w;
	lb_breaker_config config;
	lb_breaker *breaker;
} bench_breaker;

static void open_breaker(bench_breaker *b)
{
	lb_env env = world_env(&b->w);

	b->w.now = 100 * LB_SECONDS;
	ck_ok(lb_breaker_create(&b->breaker, &b->config, &env));
}

static void prepare(bench_breaker *b)
{
	memset(b, 0, sizeof *b);
	lb_breaker_config_init(&b->config, sizeof b->config);
	b->config.jitter_percent = 0;
}

static void close_breaker(bench_breaker *b)
{
	lb_breaker_destroy(b->breaker);
	ck_assert_int_eq(b->w.blocks, 0);
}

/* Letters: S success, F failure, C cancelled; each enters and leaves. Small ones must be refused. Digits wait seconds. */
static void play(bench_breaker *b, const char *script)
{
	for (; *script; script++) {
		lb_permit permit;
		if (*script >= '0' && *script <= '9') {
			b->w.now += (lb_span)(*script - '0') * LB_SECONDS;
			continue;
		}
		int error = lb_breaker_enter(b->breaker, &permit);
		if (*script == 'x') {
			ck_assert_int_eq(error, LB_EOPEN);
			continue;
		}
		ck_ok(error);
		lb_result result = *script == 'S' ? LB_SUCCESS : *script == 'F' ? LB_FAILURE : LB_CANCELLED;
		ck_ok(lb_breaker_leave(b->breaker, permit, result, 0));
	}
}

static lb_breaker_state state(const bench_breaker *b)
{
	return lb_breaker_get(b->breaker, NULL);
}

START_TEST(scripts)
{
	static const struct {
		uint32_t consecutive, calls_min, percent, trials, successes;
		const char *script;
		lb_breaker_state end;
	} rows[] = {
	    {5, 20, 0, 3, 3, "FFFFSFFFF", LB_BREAKER_CLOSED},
	    {5, 20, 0, 3, 3, "FFFFSFFFFF", LB_BREAKER_OPEN},
	    {3, 20, 0, 3, 3, "FFFx4x1SSS", LB_BREAKER_CLOSED},
	    {3, 20, 0, 3, 3, "FFF5SSFx", LB_BREAKER_OPEN},
	    {3, 20, 0, 1, 1, "FFF5S", LB_BREAKER_CLOSED},
	    {3, 20, 0, 1, 2, "FFF5CCCSS", LB_BREAKER_CLOSED},
	    /* resilience4j: the success that completes the minimum opens, too (60 % of 5) */
	    {0, 5, 50, 3, 3, "FFFS", LB_BREAKER_CLOSED},
	    {0, 5, 50, 3, 3, "FFFSS", LB_BREAKER_OPEN},
	    {0, 5, 50, 3, 3, "S1S1S1F1F", LB_BREAKER_CLOSED},
	    /* 3 of 6 is 50 %: reached is reached */
	    {0, 5, 50, 3, 3, "S1S1S1F1F1F", LB_BREAKER_OPEN},
	    /* what is older than the window counts no more */
	    {0, 5, 50, 3, 3, "SSSS991FF1F", LB_BREAKER_CLOSED},
	    {0, 5, 50, 3, 3, "FFFF991SSSSS", LB_BREAKER_CLOSED},
	    {0, 1, 100, 3, 3, "F", LB_BREAKER_OPEN},
	    /* after closing all counts begin anew */
	    {0, 5, 50, 3, 3, "FFFFF5SSSFFFF", LB_BREAKER_CLOSED},
	    {0, 5, 50, 3, 3, "FFFFF5SSSFFFFF", LB_BREAKER_OPEN},
	    {0, 1, 0, 3, 3, "FFFFFFFFFFFFFFFFFFFFFFFFFF", LB_BREAKER_CLOSED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench_breaker b;
		prepare(&b);
		b.config.consecutive = rows[i].consecutive;
		b.config.calls_min = rows[i].calls_min;
		b.config.failure_percent = rows[i].percent;
		b.config.trials = rows[i].trials;
		b.config.successes = rows[i].successes;
		open_breaker(&b);
		play(&b, rows[i].script);
		ck_assert_msg(state(&b) == rows[i].end, "row %zu: %s", i, rows[i].script);
		close_breaker(&b);
	}
}
END_TEST

START_TEST(open_times_grow_are_capped_and_start_anew)
{
	static const lb_span spans[] = {5, 10, 20, 40, 60, 60};
	bench_breaker b;
	lb_time until;

	prepare(&b);
	b.config.consecutive = 1;
	open_breaker(&b);
	for (size_t i = 0; i < 6; i++) {
		play(&b, "F");
		ck_assert_int_eq(lb_breaker_get(b.breaker, &until), LB_BREAKER_OPEN);
		ck_assert_uint_eq(until, b.w.now + spans[i] * LB_SECONDS);
		b.w.now = until - 1;
		play(&b, "x");
		b.w.now = until;
		ck_assert_int_eq(state(&b), LB_BREAKER_HALF_OPEN);
	}
	play(&b, "SSS");
	ck_assert_int_eq(lb_breaker_get(b.breaker, &until), LB_BREAKER_CLOSED);
	ck_assert_uint_eq(until, 0);
	play(&b, "F");
	lb_breaker_get(b.breaker, &until);
	ck_assert_uint_eq(until, b.w.now + 5 * LB_SECONDS);
	close_breaker(&b);
}
END_TEST

START_TEST(open_times_are_jittered)
{
	lb_time least = LB_NEVER, most = 0;

	for (lb_time i = 0; i < 200; i++) {
		bench_breaker b;
		lb_time until;
		prepare(&b);
		b.config.consecutive = 1;
		b.config.jitter_percent = 10;
		open_breaker(&b);
		b.w.now += i * 7919;
		play(&b, "F");
		lb_breaker_get(b.breaker, &until);
		lb_span span = until - b.w.now;
		ck_assert(span >= 4500 * LB_MILLISECONDS && span <= 5500 * LB_MILLISECONDS);
		least = span < least ? span : least;
		most = span > most ? span : most;
		close_breaker(&b);
	}
	ck_assert_uint_lt(least, 4600 * LB_MILLISECONDS);
	ck_assert_uint_gt(most, 5400 * LB_MILLISECONDS);
}
END_TEST

START_TEST(results_of_an_older_generation_change_nothing)
{
	bench_breaker b;
	lb_permit old[3];

	prepare(&b);
	b.config.consecutive = 2;
	b.config.successes = 1;
	open_breaker(&b);
	for (int i = 0; i < 3; i++)
		ck_ok(lb_breaker_enter(b.breaker, &old[i]));
	play(&b, "FF");
	lb_time until;
	lb_breaker_get(b.breaker, &until);
	/* while open: the open time is not prolonged, nor ended */
	b.w.now += LB_SECONDS;
	ck_assert_int_eq(lb_breaker_leave(b.breaker, old[0], LB_FAILURE, 0), LB_ESTALE);
	lb_time same;
	lb_breaker_get(b.breaker, &same);
	ck_assert_uint_eq(same, until);
	b.w.now = until;
	lb_permit trial;
	ck_ok(lb_breaker_enter(b.breaker, &trial));
	/* while half open: no success of before closes, no failure opens */
	ck_assert_int_eq(lb_breaker_leave(b.breaker, old[1], LB_SUCCESS, 0), LB_ESTALE);
	ck_assert_int_eq(state(&b), LB_BREAKER_HALF_OPEN);
	ck_assert_int_eq(lb_breaker_leave(b.breaker, old[2], LB_FAILURE, 0), LB_ESTALE);
	ck_assert_int_eq(state(&b), LB_BREAKER_HALF_OPEN);
	ck_ok(lb_breaker_leave(b.breaker, trial, LB_SUCCESS, 0));
	ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
	ck_assert_int_eq(lb_breaker_leave(b.breaker, trial, LB_FAILURE, 0), LB_ESTALE);
	close_breaker(&b);
}
END_TEST

START_TEST(a_trial_that_never_comes_back_expires)
{
	bench_breaker b;
	lb_permit lost[3], next[4];

	prepare(&b);
	b.config.consecutive = 1;
	open_breaker(&b);
	play(&b, "F5");
	for (int i = 0; i < 3; i++)
		ck_ok(lb_breaker_enter(b.breaker, &lost[i]));
	play(&b, "x");
	b.w.now += 30 * LB_SECONDS - 1;
	play(&b, "x");
	b.w.now += 1;
	for (int i = 0; i < 3; i++)
		ck_ok(lb_breaker_enter(b.breaker, &next[i]));
	ck_assert_int_eq(lb_breaker_enter(b.breaker, &next[3]), LB_EOPEN);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(lb_breaker_leave(b.breaker, lost[i], LB_FAILURE, 0), LB_ESTALE);
	ck_assert_int_eq(state(&b), LB_BREAKER_HALF_OPEN);
	for (int i = 0; i < 3; i++)
		ck_ok(lb_breaker_leave(b.breaker, next[i], LB_SUCCESS, 0));
	ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
	close_breaker(&b);
}
END_TEST

START_TEST(every_outcome_gives_the_trials_place_back)
{
	for (int result = LB_SUCCESS; result <= LB_LOCAL; result++) {
		bench_breaker b;
		lb_permit permit;
		prepare(&b);
		b.config.consecutive = 1;
		b.config.trials = 1;
		open_breaker(&b);
		play(&b, "F5");
		ck_ok(lb_breaker_enter(b.breaker, &permit));
		play(&b, "x");
		ck_ok(lb_breaker_leave(b.breaker, permit, (lb_result)result, 0));
		bool failed = result >= LB_FAILURE && result <= LB_OVERLOAD;
		ck_assert_int_eq(state(&b), failed ? LB_BREAKER_OPEN : LB_BREAKER_HALF_OPEN);
		if (!failed)
			ck_ok(lb_breaker_enter(b.breaker, &permit));
		close_breaker(&b);
	}
}
END_TEST

START_TEST(forced_states)
{
	bench_breaker b;
	lb_time until;

	prepare(&b);
	b.config.consecutive = 2;
	open_breaker(&b);
	ck_ok(lb_breaker_set(b.breaker, LB_FORCE_OPEN));
	ck_assert_int_eq(lb_breaker_get(b.breaker, &until), LB_BREAKER_OPEN);
	ck_assert_uint_eq(until, LB_NEVER);
	b.w.now += UINT64_C(1000) * 86400 * LB_SECONDS;
	play(&b, "xx");
	ck_ok(lb_breaker_set(b.breaker, LB_FORCE_CLOSED));
	play(&b, "FFFFFF");
	ck_ok(lb_breaker_set(b.breaker, LB_FORCE_METRICS_ONLY));
	play(&b, "FFFFFF");
	ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
	ck_ok(lb_breaker_set(b.breaker, LB_FORCE_NONE));
	play(&b, "F");
	ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
	play(&b, "F");
	ck_assert_int_eq(state(&b), LB_BREAKER_OPEN);
	ck_ok(lb_breaker_set(b.breaker, LB_FORCE_NONE));
	ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
	/* open, closed, (closed, closed), open, closed */
	ck_assert_int_eq(world_count(&b.w, LB_EVENT_BREAKER), 4);
	close_breaker(&b);
}
END_TEST

START_TEST(the_clock_steps_back)
{
	bench_breaker b;

	prepare(&b);
	b.config.consecutive = 1;
	open_breaker(&b);
	b.w.now = UINT64_C(1000000) * LB_SECONDS;
	play(&b, "F");
	b.w.now = LB_SECONDS;
	/* an end that lies further ahead than any open time is over */
	ck_assert_int_eq(state(&b), LB_BREAKER_HALF_OPEN);
	play(&b, "SSS");
	ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
	close_breaker(&b);
}
END_TEST

START_TEST(idle_gaps_and_their_tags)
{
	/* gaps in windows; buckets are numbered modulo 256, so 25.6 windows are the dangerous ones */
	static const uint64_t gaps_tenths[] = {
	    10, 11, 100, 255, 256, 257, 2560, 10000, UINT64_C(10000000000)};

	for (size_t g = 0; g < sizeof gaps_tenths / sizeof *gaps_tenths; g++) {
		bench_breaker b;
		prepare(&b);
		b.config.consecutive = 0;
		b.config.calls_min = 10;
		open_breaker(&b);
		play(&b, "SSSSSFFFF");
		ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
		b.w.now += gaps_tenths[g] * LB_SECONDS;
		/* 9 failures alone are fewer than calls_min: old ones must not count */
		play(&b, "FFFFFFFFF");
		ck_assert_int_eq(state(&b), LB_BREAKER_CLOSED);
		play(&b, "F");
		ck_assert_int_eq(state(&b), LB_BREAKER_OPEN);
		close_breaker(&b);
	}
}
END_TEST

START_TEST(bad_configs_and_permits)
{
	lb_breaker *breaker = NULL;
	bench_breaker b;
	lb_permit permit = {0};

#define BAD(field, value)                                                                                    \
	do {                                                                                                 \
		lb_breaker_config c;                                                                         \
		lb_breaker_config_init(&c, sizeof c);                                                        \
		c.field = value;                                                                             \
		ck_assert_int_eq(lb_breaker_create(&breaker, &c, NULL),                                      \
				 offsetof(lb_breaker_config, field) ? LB_EINVAL : LB_EVERSION);              \
		ck_assert_ptr_null(breaker);                                                                 \
	} while (0)
	BAD(size, 0);
	BAD(size, sizeof(lb_breaker_config) + 8);
	BAD(window, 0);
	BAD(window, 9999);
	BAD(calls_min, 0);
	BAD(failure_percent, 101);
	BAD(open_for, 0);
	BAD(open_max, 1);
	BAD(jitter_percent, 101);
	BAD(trials, 0);
	BAD(trials, LB_TRIALS_MAX + 1);
	BAD(successes, 0);
	BAD(trial_timeout, 0);
#undef BAD
	prepare(&b);
	open_breaker(&b);
	ck_assert_int_eq(lb_breaker_leave(b.breaker, permit, LB_SUCCESS, 0), LB_EINVAL);
	permit.id = UINT64_MAX;
	ck_assert_int_eq(lb_breaker_leave(b.breaker, permit, LB_SUCCESS, 0), LB_EINVAL);
	ck_assert_int_eq(lb_breaker_enter(b.breaker, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_breaker_set(b.breaker, (lb_breaker_force)4), LB_EINVAL);
	ck_ok(lb_breaker_enter(b.breaker, &permit));
	ck_assert_int_eq(lb_breaker_leave(b.breaker, permit, (lb_result)99, 0), LB_EINVAL);
	close_breaker(&b);
}
END_TEST

/* 16 threads at the half-open instant: exactly the permitted number of trials, one event. */
enum { THREADS = 16 };

static atomic_int admitted, gate;

static void *rush(void *arg)
{
	lb_breaker *breaker = arg;
	lb_permit permit;

	atomic_fetch_add(&gate, 1);
	while (atomic_load(&gate) < THREADS)
		;
	if (lb_breaker_enter(breaker, &permit) == LB_OK)
		atomic_fetch_add(&admitted, 1);
	return NULL;
}

START_TEST(sixteen_threads_at_the_half_open_instant)
{
	for (long round = 0; round < rounds(100); round++) {
		bench_breaker b;
		pthread_t threads[THREADS];
		prepare(&b);
		b.config.consecutive = 1;
		open_breaker(&b);
		play(&b, "F5");
		atomic_store(&admitted, 0);
		atomic_store(&gate, 0);
		for (int i = 0; i < THREADS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, rush, b.breaker), 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_eq(atomic_load(&admitted), 3);
		ck_assert_int_eq(world_count(&b.w, LB_EVENT_BREAKER), 2);
		close_breaker(&b);
	}
}
END_TEST

START_TEST(in_a_pool_the_first_tick_or_select_finds_the_trial)
{
	rig r;
	lb_breaker_config breaker;
	int trials = 0;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 2;
	breaker.jitter_percent = 0;
	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, &breaker);
	for (int i = 0; i < 2; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[1]}, &ticket));
		ck_ok(lb_report_result(r.selector, &ticket, LB_TIMEOUT));
	}
	ck_assert_uint_eq(rig_info(&r, 1).why, LB_WHY_BREAKER);
	lb_pool_tick(r.pool);
	for (int i = 0; i < 10; i++)
		ck_assert_int_ne(rig_pick(&r, LB_SUCCESS), 1);
	r.w.now += 5 * LB_SECONDS;
	lb_ticket held[3] = {{0}}, retry = {.tried = {r.e[0]}, .attempts = 1};
	/* a request that failed already is spared */
	ck_ok(lb_select(r.selector, NULL, &retry));
	ck_assert_int_eq(rig_number(&r, retry.endpoint), 2);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_select(&r, &held[i]), 1);
		trials += held[i].reason == LB_BY_TRIAL;
	}
	ck_assert_int_eq(trials, 3);
	ck_assert_int_ne(rig_pick(&r, LB_SUCCESS), 1);
	for (int i = 0; i < 3; i++)
		ck_ok(lb_report_result(r.selector, &held[i], LB_SUCCESS));
	ck_assert_uint_eq(rig_info(&r, 1).why, 0);
	ck_assert_int_eq(world_count(&r.w, LB_EVENT_BREAKER), 3);
	rig_close(&r);
}
END_TEST

START_TEST(in_a_pool_a_forgotten_trial_gives_its_place_back)
{
	rig r;
	lb_breaker_config breaker;
	lb_ticket lost = {0};

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 1;
	breaker.jitter_percent = 0;
	breaker.trials = 1;
	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, &breaker);
	rig_pick(&r, LB_FAILURE);
	r.w.now += 5 * LB_SECONDS;
	ck_assert_int_eq(rig_select(&r, &lost), 0);
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), LB_ENONE);
	r.w.now += 30 * LB_SECONDS;
	lb_ticket next = {0};
	ck_assert_int_eq(rig_select(&r, &next), 0);
	ck_ok(lb_report_result(r.selector, &lost, LB_FAILURE));
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_HALF_OPEN);
	ck_ok(lb_report_result(r.selector, &next, LB_FAILURE));
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
	rig_close(&r);
}
END_TEST

START_TEST(in_a_pool_the_failure_rate_counts_all_lanes)
{
	rig r;
	lb_breaker_config breaker;
	uint32_t lane;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 0;
	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, &breaker);
	ck_ok(lb_pool_join(r.pool, 1, &lane));
	for (int i = 0; i < 40; i++) {
		lb_ticket ticket = {0};
		ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_CLOSED);
		ck_ok(lb_select(r.selector, &(lb_request){.lane = i % 2 ? lane : 0}, &ticket));
		/* 21 successes, then failures: the 21st makes it half */
		ck_ok(lb_report_result(r.selector, &ticket, i < 20 ? LB_SUCCESS : LB_FAILURE));
	}
	ck_assert_int_eq(rig_info(&r, 0).breaker, LB_BREAKER_OPEN);
	rig_close(&r);
}
END_TEST

Suite *suite_breaker(void)
{
	Suite *suite = suite_create("breaker");
	TCase *tests = tcase_create("breaker");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, scripts);
	tcase_add_test(tests, open_times_grow_are_capped_and_start_anew);
	tcase_add_test(tests, open_times_are_jittered);
	tcase_add_test(tests, results_of_an_older_generation_change_nothing);
	tcase_add_test(tests, a_trial_that_never_comes_back_expires);
	tcase_add_test(tests, every_outcome_gives_the_trials_place_back);
	tcase_add_test(tests, forced_states);
	tcase_add_test(tests, the_clock_steps_back);
	tcase_add_test(tests, idle_gaps_and_their_tags);
	tcase_add_test(tests, bad_configs_and_permits);
	tcase_add_test(tests, sixteen_threads_at_the_half_open_instant);
	tcase_add_test(tests, in_a_pool_the_first_tick_or_select_finds_the_trial);
	tcase_add_test(tests, in_a_pool_a_forgotten_trial_gives_its_place_back);
	tcase_add_test(tests, in_a_pool_the_failure_rate_counts_all_lanes);
	suite_add_tcase(suite, tests);
	return suite;
}
