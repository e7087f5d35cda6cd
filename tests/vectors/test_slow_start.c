/*
 * Envoy's slow start: the factors that the comments of its unit tests give (test/extensions/load_balancing_policies/, below it
 * round_robin/round_robin_lb_test.cc and least_request/least_request_lb_test.cc), and the formula that is behind them
 * (slow_start.rst; applySlowStartFactor in load_balancer_impl.cc). The sequences that come of them are in test_sequences.c.
 */
#include "core/ramp.h"
#include "test.h"

#include <math.h>

typedef struct row {
	const char *source;
	lb_span window, t;   /* in seconds */
	uint32_t curve, min; /* per cent */
	int hundredths;      /* as published, which cuts off what is less than a hundredth */
} row;

static const row rows[] = {
    {"RoundRobinLoadBalancerTest.SlowStartNoWait", 60, 12, 100, 10, 20},
    {"RoundRobinLoadBalancerTest.SlowStartNoWait", 60, 20, 100, 10, 33},
    {"RoundRobinLoadBalancerTest.SlowStartWithActiveHC", 10, 6, 100, 10, 60},
    {"RoundRobinLoadBalancerTest.SlowStartWithActiveHC", 10, 5, 100, 10, 50},
    {"RoundRobinLoadBalancerTest.SlowStartWithRuntimeAggression", 10, 9, 150, 10, 93},
    {"RoundRobinLoadBalancerTest.SlowStartWithRuntimeAggression", 10, 0, 150, 10, 10},
    {"RoundRobinLoadBalancerTest.SlowStartNoWaitNonLinearAggression", 60, 5, 200, 10, 28},
    {"RoundRobinLoadBalancerTest.SlowStartNoWaitNonLinearAggression", 60, 6, 200, 10, 31},
    {"RoundRobinLoadBalancerTest.SlowStartNoWaitNonLinearAggression", 60, 26, 200, 10, 65},
    {"RoundRobinLoadBalancerTest.SlowStartNoWaitNonLinearAggression", 60, 0, 200, 10, 10},
    {"RoundRobinLoadBalancerTest.SlowStartNoWaitMinWeightPercent35", 60, 12, 100, 35, 35},
    {"RoundRobinLoadBalancerTest.SlowStartNoWaitMinWeightPercent35", 60, 30, 100, 35, 50},
    {"LeastRequestLoadBalancerTest.SlowStartNoWait", 60, 5, 100, 10, 10},
    {"LeastRequestLoadBalancerTest.SlowStartNoWait", 60, 10, 100, 10, 16},
    {"LeastRequestLoadBalancerTest.SlowStartNoWait", 60, 40, 100, 10, 66},
    {"LeastRequestLoadBalancerTest.SlowStartWithActiveHC", 10, 8, 90, 10, 78},
};

static double factor(const row *r, lb_span t)
{
	lb_ramp ramp = {0};
	lb_ramp_rules rules = {
	    .window = r->window * LB_SECONDS, .curve_percent = r->curve, .min_percent = r->min};

	lb_ramp_begin(&ramp, 5);
	return (double)lb_ramp_factor(&ramp, &rules, 5 + t) / (double)LB_WHOLE;
}

START_TEST(factors_are_those_of_the_unit_tests)
{
	const row *r = &rows[_i];
	double time_factor = fmax((double)r->t, 0.001) / (double)r->window;
	double exact = fmax(pow(time_factor, 100.0 / r->curve), r->min / 100.0);
	double got = factor(r, r->t * LB_SECONDS);

	ck_assert_msg((int)floor(got * 100 + 1e-6) == r->hundredths, "%s: %f, not 0.%d", r->source, got,
		      r->hundredths);
	ck_assert_msg(fabs(got - exact) < 1e-6, "%s: %f, not %f", r->source, got, exact);
}
END_TEST

START_TEST(a_ramp_starts_at_its_least_and_ends_whole)
{
	const row *r = &rows[_i];

	ck_assert(fabs(factor(r, 0) - r->min / 100.0) < 1e-9);
	ck_assert(factor(r, r->window * LB_SECONDS - LB_MILLISECONDS) < 1);
	ck_assert(factor(r, r->window * LB_SECONDS) == 1);
}
END_TEST

Suite *suite_slow_start(void)
{
	Suite *suite = suite_create("slow_start");
	TCase *tc = tcase_create("published");
	int n = sizeof rows / sizeof *rows;

	tcase_add_loop_test(tc, factors_are_those_of_the_unit_tests, 0, n);
	tcase_add_loop_test(tc, a_ramp_starts_at_its_least_and_ends_whole, 0, n);
	suite_add_tcase(suite, tc);
	return suite;
}
