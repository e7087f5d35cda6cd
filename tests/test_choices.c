/* Best of d drawn: two choices and least request with `choices` above 2. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

/* Replaces the rig's selector by one with so many choices. */
static void choose_among(rig *r, lb_algorithm algorithm, uint32_t choices)
{
	lb_selector_config config;

	lb_selector_destroy(r->selector);
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = algorithm;
	config.choices = choices;
	config.seed = 7;
	ck_ok(lb_selector_create(&r->selector, r->pool, &config));
}

static void hold(rig *r, int number, lb_ticket *tickets, int n)
{
	for (int i = 0; i < n; i++) {
		tickets[i] = (lb_ticket){0};
		ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number]}, &tickets[i]));
	}
}

/* As many choices as members: all of them are drawn, so the least loaded is never missed. */
START_TEST(as_many_choices_as_members_find_the_least_loaded)
{
	for (uint32_t choices = 3; choices <= LB_CHOICES_MAX; choices++) {
		rig r;
		lb_ticket held[16];
		int n = (int)choices, quiet = n / 2;
		rig_open(&r, LB_TWO_CHOICES, n, NULL, NULL);
		choose_among(&r, LB_TWO_CHOICES, choices);
		for (int i = 0; i < n; i++)
			if (i != quiet)
				hold(&r, i, &held[i], 1);
		for (int i = 0; i < 500; i++)
			ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), quiet);
		rig_close(&r);
	}
}
END_TEST

/* Draws by weight alone would find e0 nearly always. */
START_TEST(the_drawn_are_distinct_however_uneven_the_weights)
{
	rig r;
	lb_ticket held[40];

	rig_open(&r, LB_TWO_CHOICES, 4, (uint32_t[]){30, 1, 1, 1}, NULL);
	choose_among(&r, LB_TWO_CHOICES, 4);
	hold(&r, 0, held, 40);
	hold(&r, 1, held, 2);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_ge(rig_pick(&r, LB_SUCCESS), 2);
	rig_close(&r);
}
END_TEST

START_TEST(with_nothing_in_flight_shares_follow_the_weights)
{
	static const uint32_t weights[4] = {1, 2, 3, 4};
	long picks = rounds(100000);

	for (uint32_t choices = 3; choices <= 10; choices += 7) {
		rig r;
		long served[4] = {0};
		rig_open(&r, LB_TWO_CHOICES, 4, weights, NULL);
		choose_among(&r, LB_TWO_CHOICES, choices);
		for (long i = 0; i < picks; i++)
			served[rig_pick(&r, LB_SUCCESS)]++;
		for (int i = 0; i < 4; i++) {
			/* six standard deviations of a binomial share */
			double p = weights[i] / 10.0, n = (double)picks;
			double off = (double)served[i] - n * p;
			ck_assert(off * off <= 36 * n * p * (1 - p));
		}
		rig_close(&r);
	}
}
END_TEST

/* The published view still lists those whose breakers opened; most of the weight lies with them. */
START_TEST(the_others_share_by_weight_what_is_left_of_refused_ones)
{
	rig r;
	lb_breaker_config breaker;
	int served[8] = {0};
	uint32_t weights[8] = {1000, 1000, 1, 2, 1000, 4, 1, 1000};

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 1;
	rig_open(&r, LB_TWO_CHOICES, 8, weights, &breaker);
	choose_among(&r, LB_TWO_CHOICES, 3);
	for (int i = 0; i < 8; i++) {
		lb_ticket ticket = {0};
		if (weights[i] < 1000)
			continue;
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[i]}, &ticket));
		ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	}
	for (int i = 0; i < 8000; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	/* 1, 2, 4, 1 of 8: within six standard deviations */
	ck_assert(served[2] > 820 && served[2] < 1180);
	ck_assert(served[3] > 1760 && served[3] < 2240);
	ck_assert(served[5] > 3730 && served[5] < 4270);
	ck_assert(served[6] > 820 && served[6] < 1180);
	rig_close(&r);
}
END_TEST

/* A pool of n endpoints; each of n requests stays open. fractions[k]: of the endpoints with k requests. */
static void throw_balls(uint32_t n, lb_algorithm algorithm, uint32_t choices, double *fractions)
{
	world w = {.now = LB_SECONDS};
	lb_env env = world_env(&w);
	lb_pool_config config;
	rig r = {0};
	lb_endpoint_config *wanted = calloc(n, sizeof *wanted);
	char(*names)[8] = calloc(n, sizeof *names);
	lb_endpoint_info info;

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = n;
	config.tickets_max = n;
	config.lanes_max = 0;
	ck_ok(lb_pool_create(&r.pool, &config, &env));
	for (uint32_t i = 0; i < n; i++) {
		lb_endpoint_config_init(&wanted[i], sizeof *wanted);
		snprintf(names[i], sizeof *names, "%u", (unsigned)(i & 0xffff));
		wanted[i].name = names[i];
	}
	ck_ok(lb_pool_sync(r.pool, wanted, n));
	choose_among(&r, algorithm, choices);
	for (uint32_t i = 0; i < n; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(r.selector, NULL, &ticket));
	}
	for (lb_endpoint e = 0; (e = lb_pool_next(r.pool, e)) != LB_NO_ENDPOINT;) {
		ck_ok(lb_pool_info(r.pool, e, &info, sizeof info));
		fractions[info.inflight < 15 ? info.inflight : 15] += 1.0 / n;
	}
	lb_selector_destroy(r.selector);
	ck_ok(lb_pool_destroy(r.pool));
	free(wanted);
	free(names);
}

/*
 * n balls into n bins, by the differential equations of M. Mitzenmacher, The Power of Two Choices in Randomized Load
 * Balancing, IEEE TPDS 12 (2001), after n balls; the largest load: d = 2: 3 or 4, d = 3: 3 (Azar et al. 1999 for the order).
 */
START_TEST(balls_and_bins_as_computed)
{
	static const struct {
		uint32_t choices, most;
		double fractions[3];
	} rows[] = {
	    {2, 4, {0.23841, 0.53209, 0.22061}},
	    {3, 3, {0.17696, 0.64659, 0.17594}},
	    {4, 3, {0.14082, 0.71838, 0.14077}},
	};

	for (size_t row = 0; row < 3; row++) {
		double fractions[16] = {0};
		throw_balls(16384, LB_TWO_CHOICES, rows[row].choices, fractions);
		for (int k = 0; k < 3; k++)
			ck_assert_double_eq_tol(fractions[k], rows[row].fractions[k], 0.01);
		for (uint32_t k = rows[row].most + 1; k < 16; k++)
			ck_assert(fractions[k] == 0);
	}
}
END_TEST

START_TEST(choices_out_of_range_are_refused)
{
	static const uint32_t bad[] = {0, 1, 11, UINT32_MAX};
	rig r;

	rig_open(&r, LB_TWO_CHOICES, 1, NULL, NULL);
	for (size_t i = 0; i < 4; i++) {
		lb_selector *selector;
		lb_selector_config config;
		lb_selector_config_init(&config, sizeof config);
		config.choices = bad[i];
		ck_assert_int_eq(lb_selector_create(&selector, r.pool, &config), LB_EINVAL);
	}
	rig_close(&r);
}
END_TEST

Suite *suite_choices(void)
{
	Suite *suite = suite_create("choices");
	TCase *tests = tcase_create("choices");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, as_many_choices_as_members_find_the_least_loaded);
	tcase_add_test(tests, the_drawn_are_distinct_however_uneven_the_weights);
	tcase_add_test(tests, with_nothing_in_flight_shares_follow_the_weights);
	tcase_add_test(tests, the_others_share_by_weight_what_is_left_of_refused_ones);
	tcase_add_test(tests, balls_and_bins_as_computed);
	tcase_add_test(tests, choices_out_of_range_are_refused);
	suite_add_tcase(suite, tests);
	return suite;
}
