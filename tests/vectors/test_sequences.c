/*
 * Sequences of turns that others published: nginx's smooth weighted round robin, as nginx 1.22.1 served it (nginx.json), and
 * Envoy's slow start in its deadline scheduler (the SlowStart cases below test/extensions/load_balancing_policies/, of
 * round_robin/round_robin_lb_test.cc and least_request/least_request_lb_test.cc).
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

enum { OLD = -1, HOSTS = 4 };

/* What hosts are there, and what comes of them from the first turn on of a scheduler that begins then. */
typedef struct start {
	const char *source;
	lb_span window;            /* in seconds */
	uint32_t curve, min, bias; /* per cent */
	int n, ages[HOSTS];        /* in seconds, since each came or came back */
	int load;                  /* requests open at the first one */
	const char *sequence;
} start;

static const start starts[] = {
    {"RoundRobin SlowStartNoWait: 0.2", 60, 100, 10, 0, 2, {OLD, 12}, 0, "aaaab"},
    {"RoundRobin SlowStartNoWait: 0.33", 60, 100, 10, 0, 2, {OLD, 20}, 0, "aab"},
    {"RoundRobin SlowStartWithActiveHC: 0.6", 10, 100, 10, 0, 2, {OLD, 6}, 0, "abaa"},
    {"RoundRobin SlowStartWithActiveHC: the first, 0.5", 10, 100, 10, 0, 2, {5, OLD}, 0, "babbab"},
    {"RoundRobin SlowStartWithRuntimeAggression: 0.5, 0.5", 10, 100, 10, 0, 3, {OLD, 5, 5}, 0, "abcaa"},
    {"RoundRobin SlowStartWithRuntimeAggression: 0.93, 0.1", 10, 150, 10, 0, 4, {OLD, 9, 9, 0}, 0, "abcabc"},
    {"RoundRobin SlowStartWithRuntimeAggression: 0.93", 10, 150, 10, 0, 4, {OLD, OLD, OLD, 9}, 0, "abcd"},
    {"RoundRobin SlowStartNoWaitNonLinearAggression: 0.31", 60, 200, 10, 0, 2, {OLD, 6}, 0, "aaab"},
    {"RoundRobin SlowStartNoWaitNonLinearAggression: 0.65", 60, 200, 10, 0, 2, {OLD, 26}, 0, "abaababa"},
    {"RoundRobin SlowStartNoWaitMinWeightPercent35: 0.35", 60, 100, 35, 0, 2, {OLD, 12}, 0, "aabaaab"},
    {"RoundRobin SlowStartNoWaitMinWeightPercent35: 0.5", 60, 100, 35, 0, 2, {OLD, 30}, 0, "abaabaa"},
    {"LeastRequest SlowStartNoWait: 0.66", 60, 100, 10, 100, 2, {OLD, 40}, 1, "bababab"},
    {"LeastRequest SlowStartWithActiveHC: 0.35, 0.78", 10, 90, 10, 90, 2, {7, 8}, 1, "bbabbabbabbab"},
    {"LeastRequest SlowStartWithActiveHC: 0.5", 10, 100, 10, 100, 2, {OLD, 5}, 0, "abaaba"},
};

/* Hosts have been there for long; those that are to be new go away, and come back at their times. */
static void let_come(fleet *f, const start *s)
{
	fleet_wait(f, 2 * LB_SECONDS);
	for (int i = 0; i < s->n; i++)
		if (s->ages[i] != OLD)
			ck_ok(lb_pool_set_health(f->pool, f->e[i], LB_UNHEALTHY));
	for (int age = (int)s->window; age >= 0; age--) {
		for (int i = 0; i < s->n; i++)
			if (s->ages[i] == age)
				ck_ok(lb_pool_set_health(f->pool, f->e[i], LB_HEALTHY));
		if (age > 0)
			fleet_wait(f, LB_SECONDS);
	}
}

START_TEST(slow_start_as_in_envoys_unit_tests)
{
	const start *s = &starts[_i];
	fleet_plan plan;
	fleet f;
	char got[16] = "";

	fleet_draw(&plan, LB_LEAST_REQUEST);
	plan.ramp.window = s->window * LB_SECONDS;
	plan.ramp.curve_percent = s->curve;
	plan.ramp.min_percent = s->min;
	plan.pool.ramp = &plan.ramp;
	plan.selector.bias_percent = s->bias;
	fleet_open(&f, &plan, s->n, NULL);
	let_come(&f, s);
	for (int i = 0; i < s->load; i++) {
		lb_ticket open = {0};
		ck_assert_int_eq(fleet_select(&f, &(lb_request){.prefer = f.e[0]}, &open), 0);
	}
	for (size_t i = 0; i < strlen(s->sequence); i++)
		got[i] = letter_of_next(&f);
	ck_assert_msg(strcmp(got, s->sequence) == 0, "%s: %s, not %s", s->source, got, s->sequence);
	fleet_close(&f);
}
END_TEST

Suite *suite_sequences(void)
{
	Suite *suite = suite_create("sequences");
	TCase *tc = tcase_create("published");

	tcase_add_test(tc, smooth_sequences_as_nginx_served_them);
	tcase_add_loop_test(tc, slow_start_as_in_envoys_unit_tests, 0, sizeof starts / sizeof *starts);
	suite_add_tcase(suite, tc);
	return suite;
}
