/* Powers beside libm's, and the ramp that is made of them. */
#include "core/ramp.h"
#include "test.h"

#include <math.h>

static const uint32_t percents[] = {1, 33, 50, 99, 101, 150, 250, 333, 777, 999};

START_TEST(powers_are_exact_to_a_millionth_and_never_decrease)
{
	for (size_t p = 0; p < sizeof(percents) / sizeof(*percents); p++) {
		uint64_t last = 0;
		for (uint64_t x = 1; x <= UINT32_MAX; x += 1 + x / 64) {
			uint64_t got = lb_power((uint32_t)x, percents[p]);
			long double exact = powl((long double)x, percents[p] / 100.0L) * 16777216.0L;
			if (got < last)
				ck_abort_msg("%u ^ %u %% decreases", (unsigned)x, percents[p]);
			if (exact < 1.8e19L ? fabsl((long double)got / exact - 1) > 1e-6L
					    : got != UINT64_MAX && exact > 1.85e19L)
				ck_abort_msg("%u ^ %u %%: %Lg", (unsigned)x, percents[p],
					     (long double)got / exact);
			last = got;
		}
	}
}
END_TEST

START_TEST(whole_exponents_are_exact_and_stop_at_the_most)
{
	ck_assert_uint_eq(lb_power(7, 0), 1u << 24);
	ck_assert_uint_eq(lb_power(0, 0), 1u << 24);
	ck_assert_uint_eq(lb_power(0, 50), 0);
	ck_assert_uint_eq(lb_power(0, 300), 0);
	ck_assert_uint_eq(lb_power(7, 100), UINT64_C(7) << 24);
	ck_assert_uint_eq(lb_power(7, 1000), UINT64_C(282475249) << 24);
	ck_assert_uint_eq(lb_power(UINT32_MAX, 100), (uint64_t)UINT32_MAX << 24);
	ck_assert_uint_eq(lb_power(UINT32_MAX, 200), UINT64_MAX);
	ck_assert_uint_eq(lb_power(2, 1000), UINT64_C(1024) << 24);
	ck_assert_uint_eq(lb_power(1, 999), 1u << 24);
	ck_assert_uint_eq(lb_power(UINT32_MAX, 999), UINT64_MAX);
}
END_TEST

START_TEST(parts_are_exact_to_a_millionth_and_never_decrease)
{
	static const uint64_t wholes[] = {1, 3, 1000, 60000000000, UINT64_C(1) << 62};
	static const uint32_t curves[] = {1, 50, 99, 100, 101, 200, 1000};

	for (size_t w = 0; w < 5; w++)
		for (size_t c = 0; c < 7; c++) {
			uint64_t last = 0;
			for (uint64_t part = 1; part <= wholes[w]; part += 1 + part / 50) {
				uint64_t got = lb_power_of_part(part, wholes[w], curves[c]);
				long double exact =
				    powl((long double)part / (long double)wholes[w], 100.0L / curves[c]) *
				    4294967296.0L;
				if (fabsl((long double)got - exact) >
				    0.500001L + (curves[c] == 100 ? 0 : exact * 1e-6L))
					ck_abort_msg("whole %zu, curve %u: %Lg, not %Lg", w, curves[c],
						     (long double)got, exact);
				if (got < last)
					ck_abort_msg("decreases");
				last = got;
			}
		}
}
END_TEST

static const lb_ramp_rules minute = {.window = 60 * LB_SECONDS, .curve_percent = 100, .min_percent = 10};

START_TEST(no_ramp_is_the_whole)
{
	lb_ramp ramp = {0};
	lb_ramp_rules rules = minute;

	rules.successes = 4;
	ck_assert(!lb_ramp_running(&ramp));
	lb_ramp_prove(&ramp, 3);
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 7), LB_WHOLE);
	/* what was proven before counts for nothing */
	lb_ramp_begin(&ramp, 0);
	ck_assert(lb_ramp_running(&ramp));
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 0), 429496730);
	lb_ramp_end(&ramp);
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 0), LB_WHOLE);
}
END_TEST

START_TEST(successes_end_it_sooner)
{
	lb_ramp ramp = {0};
	lb_ramp_rules rules = minute;

	rules.successes = 4;
	lb_ramp_begin(&ramp, LB_SECONDS);
	for (uint64_t i = 1; i <= 4; i++) {
		lb_ramp_prove(&ramp, i);
		ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, LB_SECONDS), LB_WHOLE / 4 * i);
		ck_assert_uint_eq(lb_ramp_factor(&ramp, &minute, LB_SECONDS), 429496730);
	}
	lb_ramp_prove(&ramp, UINT64_C(1) << 32); /* more than its word holds are enough, too */
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, LB_SECONDS), LB_WHOLE);
	lb_ramp_begin(&ramp, LB_SECONDS); /* anew: nothing is proven; and time goes on, too */
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 46 * LB_SECONDS), LB_WHOLE / 4 * 3);
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 61 * LB_SECONDS), LB_WHOLE);
}
END_TEST

START_TEST(a_clock_that_steps_back_starts_the_time_anew)
{
	lb_ramp ramp = {0};

	lb_ramp_begin(&ramp, 100 * LB_SECONDS);
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &minute, 50 * LB_SECONDS), 429496730);
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &minute, 80 * LB_SECONDS), LB_WHOLE / 2);
}
END_TEST

/* Envoy's least time passed */
START_TEST(a_millisecond_has_always_passed)
{
	lb_ramp ramp = {0};
	lb_ramp_rules rules = {.window = 8 * LB_MILLISECONDS, .curve_percent = 100, .min_percent = 1};

	lb_ramp_begin(&ramp, 9);
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 9), LB_WHOLE / 8);
	rules.window = LB_MILLISECONDS;
	ck_assert_uint_eq(lb_ramp_factor(&ramp, &rules, 9), LB_WHOLE);
}
END_TEST

/* HAProxy's slowstart: linear from 1 % */
START_TEST(linear_from_one_percent)
{
	lb_ramp ramp = {0};
	lb_ramp_rules rules = {.window = 100 * LB_SECONDS, .curve_percent = 100, .min_percent = 1};

	lb_ramp_begin(&ramp, LB_SECONDS);
	for (uint64_t t = 0; t <= 100; t++) {
		double part = (t > 0 ? (double)t : 1.0) / 100;
		double got = (double)lb_ramp_factor(&ramp, &rules, (1 + t) * LB_SECONDS) / (double)LB_WHOLE;
		ck_assert(fabs(got - part) < 1e-9);
	}
}
END_TEST

Suite *suite_ramp(void)
{
	Suite *suite = suite_create("ramp");
	TCase *tc = tcase_create("power");

	tcase_add_test(tc, powers_are_exact_to_a_millionth_and_never_decrease);
	tcase_add_test(tc, whole_exponents_are_exact_and_stop_at_the_most);
	tcase_add_test(tc, parts_are_exact_to_a_millionth_and_never_decrease);
	suite_add_tcase(suite, tc);
	tc = tcase_create("ramp");
	tcase_add_test(tc, no_ramp_is_the_whole);
	tcase_add_test(tc, successes_end_it_sooner);
	tcase_add_test(tc, a_clock_that_steps_back_starts_the_time_anew);
	tcase_add_test(tc, a_millisecond_has_always_passed);
	tcase_add_test(tc, linear_from_one_percent);
	suite_add_tcase(suite, tc);
	return suite;
}
