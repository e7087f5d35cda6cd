/* Peak EWMA: the average alone, then the picks. */
#include "core/peak.h"
#include "core/record.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MS LB_MILLISECONDS

/* tower-rs/tower, tower/src/load/peak_ewma.rs, default_decay: 10 ms with tau = 1 s, read after 100 and 200 ms: exp(-0.1) and exp(-0.2). */
START_TEST(sinks_as_towers)
{
	lb_decay decay = lb_decay_of(LB_SECONDS);
	uint64_t average = lb_peak_next(0, &decay, 10 * MS, LB_SECONDS);

	ck_assert_uint_eq(lb_peak_read(average, &decay, 0), 10 * MS);
	ck_assert_double_eq_tol((double)lb_peak_read(average, &decay, 100 * MS), 9048374, 2000);
	ck_assert_double_eq_tol((double)lb_peak_read(average, &decay, 200 * MS), 8187308, 2000);
}
END_TEST

/* tower, compound_decay: known as 20 ms; two requests of 200 ms, the second ends 100 ms after the first. */
START_TEST(compounds_as_towers)
{
	lb_decay decay = lb_decay_of(LB_SECONDS);
	uint64_t average = lb_peak_next(0, &decay, 20 * MS, LB_SECONDS);

	ck_assert_uint_gt(lb_peak_read(average, &decay, 100 * MS) * 2, 20 * MS);
	ck_assert_uint_gt(lb_peak_read(average, &decay, 200 * MS) * 3, 40 * MS);
	/* one still open: x 2 */
	average = lb_peak_next(average, &decay, 200 * MS, 300 * MS);
	ck_assert_uint_eq(lb_peak_read(average, &decay, 0) * 2, 400 * MS);
	average = lb_peak_next(average, &decay, 200 * MS, 100 * MS);
	ck_assert_uint_eq(lb_peak_read(average, &decay, 0), 200 * MS);
	ck_assert_uint_lt(lb_peak_read(average, &decay, LB_SECONDS), 100 * MS);
	ck_assert_uint_lt(lb_peak_read(average, &decay, 11 * LB_SECONDS), 100000);
}
END_TEST

/*
 * twitter/finagle, loadbalancer/PeakEwma.scala, observe() and Ema.scala: above: the sample; below: cost x w + sample x (1 - w). w is within 6e-5 of exp(-dt / tau),
 * which is 5 % of 1 - w in the worst case, 11 ms; where dt is less it is taken otherwise.
 */
START_TEST(a_peak_is_believed_at_once_and_forgotten_slowly)
{
	lb_decay decay = lb_decay_of(10 * LB_SECONDS);
	static const lb_span steps[] = {1, 1000, 20000, LB_MICROSECONDS * 300, 5 * MS, 11 * MS, LB_SECONDS};

	for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
		uint64_t average = lb_peak_next(0, &decay, 10 * MS, LB_SECONDS);
		double expected = 2e9;
		average = lb_peak_next(average, &decay, 2 * LB_SECONDS, 1);
		ck_assert_uint_eq(lb_peak_read(average, &decay, 0), 2 * LB_SECONDS);
		long samples = (long)(20 * LB_SECONDS / steps[s]);
		samples = samples < 100000 ? samples : 100000;
		for (long i = 0; i < samples; i++) {
			double w = exp(-(double)steps[s] / 1e10);
			average = lb_peak_next(average, &decay, 10 * MS, steps[s]);
			expected = expected * w + 1e7 * (1 - w);
		}
		ck_assert_double_eq_tol((double)average / 256, expected, expected * 0.03);
	}
}
END_TEST

START_TEST(a_standing_clock_is_survived)
{
	lb_decay decay = lb_decay_of(LB_MICROSECONDS);
	uint64_t average = lb_peak_next(0, &decay, 2, 5);

	for (int i = 0; i < 2000; i++)
		average = lb_peak_next(average, &decay, 0, 0);
	ck_assert_uint_eq(average, 1);
	ck_assert_uint_eq(lb_peak_read(average, &decay, LB_NEVER), 1);
	average = lb_peak_next(average, &decay, LB_NEVER, LB_NEVER);
	ck_assert_uint_eq(lb_peak_read(average, &decay, 0), UINT64_C(1) << 50);
}
END_TEST

static void answer(rig *r, int number, lb_result result, lb_span latency)
{
	lb_ticket ticket = {0};

	ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number]}, &ticket));
	ck_ok(lb_report(r->selector, &ticket, &(lb_outcome){.result = result, .latency = latency}));
}

START_TEST(one_slow_answer_repels_at_once)
{
	rig r;

	rig_open(&r, LB_PEAK_EWMA, 2, NULL, NULL);
	for (int i = 0; i < 100; i++) {
		answer(&r, 0, LB_SUCCESS, 10 * MS);
		answer(&r, 1, LB_SUCCESS, 12 * MS);
	}
	answer(&r, 0, LB_SUCCESS, 100 * MS);
	for (int i = 0; i < 50; i++) {
		lb_ticket ticket = {0};
		ck_assert_int_eq(rig_select(&r, &ticket), 1);
		ck_ok(lb_report(r.selector, &ticket, &(lb_outcome){.latency = 12 * MS}));
	}
	rig_close(&r);
}
END_TEST

START_TEST(a_fast_failure_is_never_attractive)
{
	static const lb_result failures[] = {LB_FAILURE, LB_TIMEOUT, LB_REFUSED, LB_OVERLOAD};

	for (size_t f = 0; f < 4; f++) {
		rig r;
		rig_open(&r, LB_PEAK_EWMA, 2, NULL, NULL);
		answer(&r, 0, LB_SUCCESS, 100 * MS);
		answer(&r, 1, failures[f], LB_MICROSECONDS);
		for (int i = 0; i < 20; i++) {
			lb_ticket ticket = {0};
			ck_assert_int_eq(rig_select(&r, &ticket), 0);
			ck_ok(lb_report(r.selector, &ticket, &(lb_outcome){.latency = 100 * MS}));
		}
		rig_close(&r);
	}
}
END_TEST

START_TEST(cost_is_latency_by_load_by_weight)
{
	rig r;
	lb_ticket held[8] = {{0}};
	int served[2] = {0};

	/* 40 ms / 4 and 20 ms / 1: 8 requests: 6 to 2, after which both cost 70 and 60 */
	rig_open(&r, LB_PEAK_EWMA, 2, (uint32_t[]){4, 1}, NULL);
	answer(&r, 0, LB_SUCCESS, 40 * MS);
	answer(&r, 1, LB_SUCCESS, 21 * MS);
	for (int i = 0; i < 8; i++)
		served[rig_select(&r, &held[i])]++;
	ck_assert_int_eq(served[0], 6);
	ck_assert_int_eq(served[1], 2);
	rig_close(&r);
}
END_TEST

/* CostTest.ComputesCostWithoutRttAndZeroRequests: default_rtt, of 10 ms */
START_TEST(an_unmeasured_one_is_taken_for_the_first_latency)
{
	for (int slower = 0; slower < 2; slower++) {
		rig r;
		lb_ticket ticket = {0};
		/* 10 ms: tried at once beside one of 12 ms, not yet beside one of 9 */
		rig_open(&r, LB_PEAK_EWMA, 2, NULL, NULL);
		answer(&r, 0, LB_SUCCESS, slower ? 12 * MS : 9 * MS);
		ck_assert_int_eq(rig_select(&r, &ticket), slower);
		rig_close(&r);
	}
}
END_TEST

/*
 * Envoy's peak_ewma, CostTest.ComputesCostWithoutRttButWithRequests and ComputesCostWithRttAndRequests, as Finagle's Penalty: one
 * that has a request open and no latency yet costs more than any latency that is known, times any load.
 */
START_TEST(an_unmeasured_one_with_a_request_open_comes_last)
{
	rig r;
	lb_ticket first = {0}, held[8] = {{0}};

	rig_open(&r, LB_PEAK_EWMA, 2, NULL, NULL);
	answer(&r, 0, LB_SUCCESS, 9 * LB_SECONDS);
	ck_assert_int_eq(rig_select(&r, &first), 1);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(rig_select(&r, &held[i]), 0);
	/* it answers: known now, and the better one */
	ck_ok(lb_report(r.selector, &first, &(lb_outcome){.latency = MS}));
	ck_assert_int_eq(rig_select(&r, &first), 1);
	rig_close(&r);
}
END_TEST

/* Else one that came to a pool that is faster than the guess would never be tried. */
START_TEST(the_guess_sinks_until_it_is_tried)
{
	rig r;
	int waited = 0;

	rig_open(&r, LB_PEAK_EWMA, 2, NULL, NULL);
	for (; waited < 1000; waited++) {
		lb_ticket ticket = {0};
		if (waited > 0 && rig_select(&r, &ticket) == 1)
			break;
		if (waited == 0)
			answer(&r, 0, LB_SUCCESS, MS);
		else
			ck_ok(lb_report(r.selector, &ticket, &(lb_outcome){.latency = MS}));
		r.w.now += 100 * MS;
	}
	/* 10 s x ln(10 ms / 1 ms) = 23 s, and both sink */
	ck_assert_int_ge(waited, 220);
	ck_assert_int_le(waited, 240);
	rig_close(&r);
}
END_TEST

/* A removed one's slot is given to a new one, which begins as every new one does. */
START_TEST(a_new_one_in_an_old_slot_begins_anew)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_PEAK_EWMA, 2, NULL, NULL);
	ck_ok(lb_select(r.selector, NULL, &ticket));
	ck_ok(lb_report(r.selector, &ticket, &(lb_outcome){.result = LB_CANCELLED}));
	for (uint32_t round = 0; round < 40; round++) {
		answer(&r, 0, LB_SUCCESS, 12 * MS);
		ck_ok(lb_pool_remove(r.pool, r.e[1]));
		r.w.now += LB_SECONDS;
		lb_pool_tick(r.pool);
		ck_ok(lb_pool_add(r.pool, "e01", "", 1, &r.e[1]));
		answer(&r, 0, LB_SUCCESS, 12 * MS);
		ck_assert_int_eq(rig_select(&r, &ticket), 1);
		ck_ok(lb_report(r.selector, &ticket, &(lb_outcome){.latency = LB_SECONDS}));
		answer(&r, 0, LB_SUCCESS, 9 * MS);
	}
	rig_close(&r);
}
END_TEST

/* As long as no selector goes by them, peaks are not kept; what another kept is gone when the endpoint is. */
START_TEST(peaks_are_kept_while_a_selector_goes_by_them)
{
	rig r;
	lb_selector *other;
	lb_selector_config config;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	answer(&r, 0, LB_SUCCESS, LB_MICROSECONDS);
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = LB_PEAK_EWMA;
	ck_ok(lb_selector_create(&other, r.pool, &config));
	answer(&r, 1, LB_SUCCESS, 9 * MS);
	/* e0 is not known: taken for 10 ms */
	ck_ok(lb_select(other, NULL, &ticket));
	ck_assert_int_eq(rig_number(&r, ticket.endpoint), 1);
	lb_selector_destroy(other);
	answer(&r, 1, LB_SUCCESS, LB_SECONDS);
	ck_ok(lb_selector_create(&other, r.pool, &config));
	answer(&r, 0, LB_SUCCESS, 15 * MS);
	ck_ok(lb_report_result(r.selector, &ticket, LB_CANCELLED));
	ck_ok(lb_select(other, NULL, &ticket));
	ck_assert_int_eq(rig_number(&r, ticket.endpoint), 1);
	lb_selector_destroy(other);
	rig_close(&r);
}
END_TEST

/*
 * Finagle's P2CPeakEwmaTest: one request a tick; endpoint i answers after latencies[i] ticks, 0 = never; tau = 150 ticks. A
 * tick is 1 us here, 1 ns there. `load[i]` = the requests.
 */
enum { NODES = 100, EXTRA = NODES, LONGEST = 16 };

typedef struct trial {
	int latencies[NODES + 1];
	int n;
	long steps;
	long load[NODES + 1];
	lb_endpoint ids[NODES + 1];
} trial;

static int number_of(const trial *run, lb_endpoint endpoint)
{
	int number = 0;

	while (number < run->n && run->ids[number] != endpoint)
		number++;
	return number;
}

static void go(trial *run, uint64_t seed)
{
	world w = {.now = 1000 * LB_SECONDS};
	lb_env env = world_env(&w);
	lb_pool_config config;
	lb_selector_config selection;
	lb_pool *pool;
	lb_selector *selector;
	static lb_ticket open[LONGEST][8];
	int open_n[LONGEST] = {0};

	lb_pool_config_init(&config, sizeof config);
	config.decay = 150 * LB_MICROSECONDS;
	ck_ok(lb_pool_create(&pool, &config, &env));
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = LB_PEAK_EWMA;
	selection.seed = seed;
	ck_ok(lb_selector_create(&selector, pool, &selection));
	for (int i = 0; i < run->n; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", i);
		ck_ok(lb_pool_add(pool, name, "", 1, &run->ids[i]));
	}
	for (long step = 0; step < run->steps; step++, w.now += LB_MICROSECONDS) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(selector, NULL, &ticket));
		int number = number_of(run, ticket.endpoint);
		int latency = run->latencies[number];
		run->load[number]++;
		if (latency > 0) {
			long due = (step + latency) % LONGEST;
			open[due][open_n[due]++] = ticket;
		}
		for (int i = 0; i < open_n[step % LONGEST]; i++)
			ck_ok(lb_report_result(selector, &open[step % LONGEST][i], LB_SUCCESS));
		open_n[step % LONGEST] = 0;
	}
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
}

/*
 * Finagle's assertEven (P2CSuite) compares the means of 1, 2, ... load[i], half of the loads, and asks for 0.0005 x R from the
 * first one's, for its one seed: loads within 100. Here within 80 of the mean, for more seeds: three standard deviations and a
 * half; a draw without comparing would have loads off by 95.
 */
static void assert_even(const trial *run)
{
	long sum = 0;

	for (int i = 0; i < NODES; i++)
		sum += run->load[i];
	for (int i = 0; i < NODES; i++)
		ck_assert_int_le(labs(run->load[i] - sum / NODES), run->steps / 1250);
}

/* "Balances evenly across identical nodes" */
START_TEST(identical_ones_are_served_evenly)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		trial run = {.n = NODES, .steps = 100000};
		for (int i = 0; i < NODES; i++)
			run.latencies[i] = 5;
		go(&run, seed);
		assert_even(&run);
	}
}
END_TEST

/* "Probe a node without latency history at most once": there the others answer after a tick, and that one after all is over. */
START_TEST(one_that_never_answers_is_picked_exactly_once)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		trial run = {.n = NODES + 1, .steps = 100000};
		for (int i = 0; i < NODES; i++)
			run.latencies[i] = 1 + 4 * (seed == 2);
		go(&run, seed);
		assert_even(&run);
		ck_assert_int_eq(run.load[EXTRA], 1);
	}
}
END_TEST

/* "Balances proportionally across nodes with varying latencies", which asks only that it gets no less (by means, again). */
START_TEST(one_of_twice_the_latency_gets_half)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		trial run = {.n = NODES + 1, .steps = 100000};
		for (int i = 0; i < NODES; i++)
			run.latencies[i] = 5;
		run.latencies[EXTRA] = 10;
		go(&run, seed);
		assert_even(&run);
		double half = (double)run.load[0] / 2;
		ck_assert_double_eq_tol((double)run.load[EXTRA], half, 0.0005 * (double)run.steps);
	}
}
END_TEST

Suite *suite_peak_ewma(void)
{
	Suite *suite = suite_create("peak_ewma");
	TCase *average = tcase_create("average"), *picks = tcase_create("picks");

	tcase_set_timeout(picks, 60);
	tcase_add_test(average, sinks_as_towers);
	tcase_add_test(average, compounds_as_towers);
	tcase_add_test(average, a_peak_is_believed_at_once_and_forgotten_slowly);
	tcase_add_test(average, a_standing_clock_is_survived);
	tcase_add_test(picks, one_slow_answer_repels_at_once);
	tcase_add_test(picks, a_fast_failure_is_never_attractive);
	tcase_add_test(picks, cost_is_latency_by_load_by_weight);
	tcase_add_test(picks, an_unmeasured_one_is_taken_for_the_first_latency);
	tcase_add_test(picks, an_unmeasured_one_with_a_request_open_comes_last);
	tcase_add_test(picks, the_guess_sinks_until_it_is_tried);
	tcase_add_test(picks, a_new_one_in_an_old_slot_begins_anew);
	tcase_add_test(picks, peaks_are_kept_while_a_selector_goes_by_them);
	tcase_add_test(picks, identical_ones_are_served_evenly);
	tcase_add_test(picks, one_that_never_answers_is_picked_exactly_once);
	tcase_add_test(picks, one_of_twice_the_latency_gets_half);
	suite_add_tcase(suite, average);
	suite_add_tcase(suite, picks);
	return suite;
}
