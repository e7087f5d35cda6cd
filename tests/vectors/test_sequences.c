/*
 * Sequences of turns that others published: nginx's smooth weighted round robin, as nginx 1.22.1 served it (nginx.json), and
 * Envoy's slow start in its deadline scheduler (test/common/upstream/load_balancer_impl_test.cc, SlowStart cases).
 */
#include "fleet.h"
#include "recorded.h"

static char letter_of_next(fleet *f)
{
	return (char)('a' + fleet_pick(f, NULL, LB_SUCCESS));
}

START_TEST(smooth_sequences_as_nginx_served_them)
{
	json_t *root = recorded_load(__FILE__), *recording;
	const char *name;
	int sets = 0;

	json_object_foreach(root, name, recording)
	{
		uint32_t weights[8];
		fleet_plan plan;
		fleet f;
		if (strncmp(name, "rr_", 3) != 0)
			continue;
		json_t *list = json_object_get(recording, "weights");
		for (size_t i = 0; i < json_array_size(list); i++)
			weights[i] = (uint32_t)json_integer_value(json_array_get(list, i));
		fleet_draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
		fleet_open(&f, &plan, (int)json_array_size(list), weights);
		const char *sequence = json_string_value(json_object_get(recording, "seq"));
		for (const char *at = sequence; *at; at++)
			if (letter_of_next(&f) != *at)
				ck_abort_msg("%s: turn %d", name, (int)(at - sequence));
		fleet_close(&f);
		sets++;
	}
	json_decref(root);
	ck_assert_int_eq(sets, 8);
}
END_TEST

/* Endpoint a is old, b came `age` ago; the sequence begins at the scheduler's first turn. */
static void check_slow_start(lb_span window, uint32_t curve_percent, lb_span age, const char *sequence)
{
	fleet_plan plan;
	fleet f;
	char got[16] = "";

	fleet_draw(&plan, LB_LEAST_REQUEST);
	plan.ramp.window = window;
	plan.ramp.curve_percent = curve_percent;
	plan.pool.ramp = &plan.ramp;
	plan.selector.bias_percent = 0;
	fleet_open(&f, &plan, 1, NULL);
	f.w.now += 2 * LB_SECONDS;
	lb_pool_tick(f.pool);
	fleet_add(&f, 1, 1);
	f.w.now += age;
	lb_pool_tick(f.pool);
	for (size_t i = 0; i < strlen(sequence); i++)
		got[i] = letter_of_next(&f);
	ck_assert_str_eq(got, sequence);
	fleet_close(&f);
}

START_TEST(slow_start_at_a_fifth)
{
	check_slow_start(60 * LB_SECONDS, 100, 12 * LB_SECONDS, "aaaab");
}
END_TEST

START_TEST(slow_start_at_a_third)
{
	check_slow_start(60 * LB_SECONDS, 100, 20 * LB_SECONDS, "aab");
}
END_TEST

START_TEST(slow_start_with_aggression_2)
{
	check_slow_start(60 * LB_SECONDS, 200, 6 * LB_SECONDS, "aaab");
}
END_TEST

START_TEST(slow_start_at_six_tenths)
{
	check_slow_start(10 * LB_SECONDS, 100, 6 * LB_SECONDS, "abaa");
}
END_TEST

Suite *suite_sequences(void)
{
	Suite *suite = suite_create("sequences");
	TCase *tc = tcase_create("published");

	tcase_add_test(tc, smooth_sequences_as_nginx_served_them);
	tcase_add_test(tc, slow_start_at_a_fifth);
	tcase_add_test(tc, slow_start_at_a_third);
	tcase_add_test(tc, slow_start_with_aggression_2);
	tcase_add_test(tc, slow_start_at_six_tenths);
	suite_add_tcase(suite, tc);
	return suite;
}
