/* Envoy's published numbers for slow start: its documentation (slow_start.rst) and unit test round_robin_lb_test.cc. */
#include "core/ramp.h"
#include "test.h"

#include <math.h>

static double factor(lb_span window, uint32_t curve, lb_span t)
{
	lb_ramp ramp = {0};
	lb_ramp_rules rules = {.window = window, .curve_percent = curve, .min_percent = 10};

	lb_ramp_begin(&ramp, 5);
	return (double)lb_ramp_factor(&ramp, &rules, 5 + t) / (double)LB_WHOLE;
}

START_TEST(a_fifth_of_the_window_is_a_fifth_of_the_weight)
{
	ck_assert(fabs(factor(60 * LB_SECONDS, 100, 12 * LB_SECONDS) - 0.2) < 1e-9);
}
END_TEST

START_TEST(a_third_of_the_window_is_a_third_of_the_weight)
{
	ck_assert(fabs(factor(60 * LB_SECONDS, 100, 20 * LB_SECONDS) - 1.0 / 3) < 1e-9);
}
END_TEST

START_TEST(an_aggression_of_2_is_the_square_root)
{
	ck_assert(fabs(factor(60 * LB_SECONDS, 200, 6 * LB_SECONDS) - sqrt(0.1)) < 1e-7);
}
END_TEST

START_TEST(six_of_ten_seconds_are_six_tenths)
{
	ck_assert(fabs(factor(10 * LB_SECONDS, 100, 6 * LB_SECONDS) - 0.6) < 1e-9);
}
END_TEST

START_TEST(a_ramp_starts_at_ten_percent_and_ends_whole)
{
	ck_assert(fabs(factor(60 * LB_SECONDS, 100, 0) - 0.1) < 1e-9);
	ck_assert(factor(60 * LB_SECONDS, 100, 60 * LB_SECONDS) == 1);
}
END_TEST

Suite *suite_slow_start(void)
{
	Suite *suite = suite_create("slow_start");
	TCase *tc = tcase_create("published");

	tcase_add_test(tc, a_fifth_of_the_window_is_a_fifth_of_the_weight);
	tcase_add_test(tc, a_third_of_the_window_is_a_third_of_the_weight);
	tcase_add_test(tc, an_aggression_of_2_is_the_square_root);
	tcase_add_test(tc, six_of_ten_seconds_are_six_tenths);
	tcase_add_test(tc, a_ramp_starts_at_ten_percent_and_ends_whole);
	suite_add_tcase(suite, tc);
	return suite;
}
