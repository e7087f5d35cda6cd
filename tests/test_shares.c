/* Who gets how much: newcomers, large weights, cycles beside each other and those that do not fit, averages. */
#include "test.h"

/* One request that takes `latency`; returns who got it. */
static int ask(rig *r, const lb_span *latencies)
{
	lb_ticket ticket = {0};
	int number = rig_select(r, &ticket);

	r->w.now += latencies[number];
	ck_ok(lb_report(r->selector, &ticket, &(lb_outcome){.latency = latencies[number]}));
	return number;
}

static void measure(rig *r, int number, lb_span latency)
{
	lb_ticket ticket = {0};

	ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number]}, &ticket));
	ck_ok(lb_report(r->selector, &ticket, &(lb_outcome){.latency = latency}));
}

/* 1 ms and 100 ms are known; then e2 comes. */
static void open_with_newcomer(rig *r)
{
	rig_open(r, LB_LEAST_RESPONSE_TIME, 2, NULL, NULL);
	measure(r, 0, LB_MILLISECONDS);
	measure(r, 1, 100 * LB_MILLISECONDS);
	ck_ok(lb_pool_add(r->pool, "new", "", 1, &r->e[2]));
}

START_TEST(a_newcomer_is_tried_at_once_and_gets_its_share)
{
	static const lb_span latencies[] = {LB_MILLISECONDS, 100 * LB_MILLISECONDS, LB_MILLISECONDS};
	rig r;
	int served[3] = {0};

	open_with_newcomer(&r);
	ck_assert_int_eq(ask(&r, latencies), 2);
	for (int i = 0; i < 1000; i++)
		served[ask(&r, latencies)]++;
	ck_assert_int_ge(served[2], 300);
	ck_assert_int_le(served[1], 1);
	rig_close(&r);
}
END_TEST

START_TEST(a_newcomer_that_never_answers_holds_a_few)
{
	rig r;
	lb_ticket held[8] = {{0}};
	int hung = 0;

	open_with_newcomer(&r);
	for (int i = 0; i < 1000 && hung < 8; i++) {
		if (rig_select(&r, &held[hung]) == 2) {
			hung++;
			continue;
		}
		r.w.now += LB_MILLISECONDS;
		ck_ok(lb_report(r.selector, &held[hung], &(lb_outcome){.latency = LB_MILLISECONDS}));
	}
	ck_assert_int_ge(hung, 1);
	ck_assert_int_le(hung, 3);
	rig_close(&r);
}
END_TEST

START_TEST(least_response_time_compares_weights_of_any_scale_exactly)
{
	static const uint32_t weights[][2] = {
	    {10, 6}, {1000000, 600000}, {1000001, 1000000}, {1048576, 1048575}};
	static const lb_span latencies[] = {10 * LB_MILLISECONDS, 10 * LB_MILLISECONDS};

	for (size_t w = 0; w < sizeof weights / sizeof *weights; w++) {
		rig r;
		rig_open(&r, LB_LEAST_RESPONSE_TIME, 2, weights[w], NULL);
		measure(&r, 0, latencies[0]);
		measure(&r, 1, latencies[1]);
		for (int i = 0; i < 200; i++) {
			lb_ticket ticket = {0};
			ck_assert_int_eq(rig_select(&r, &ticket), 0);
			ck_ok(lb_report(r.selector, &ticket, &(lb_outcome){.latency = latencies[0]}));
		}
		rig_close(&r);
	}
}
END_TEST

START_TEST(two_choices_of_3_to_1_takes_the_less_loaded)
{
	rig r;
	lb_ticket held[10] = {{0}};

	rig_open(&r, LB_TWO_CHOICES, 2, (uint32_t[]){3, 1}, NULL);
	for (int i = 0; i < 10; i++)
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &held[i]));
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	rig_close(&r);
}
END_TEST

START_TEST(a_cycle_keeps_its_sequence_beside_a_large_priority)
{
	rig r = {.w.now = LB_SECONDS};
	lb_env env = world_env(&r.w);
	lb_selector_config selection;
	lb_endpoint_config config;

	ck_ok(lb_pool_create(&r.pool, NULL, &env));
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = LB_WEIGHTED_ROUND_ROBIN;
	selection.random_start = 0;
	ck_ok(lb_selector_create(&r.selector, r.pool, &selection));
	lb_endpoint_config_init(&config, sizeof config);
	config.priority = 3;
	for (int i = 0; i < 240; i++) {
		config.name = (char[]){'b', (char)('a' + i / 16), (char)('a' + i % 16), '\0'};
		config.weight = 1 + (uint32_t)i;
		ck_ok(lb_pool_add_endpoint(r.pool, &config, NULL));
	}
	ck_ok(lb_pool_add(r.pool, "heavy", "", 99, &r.e[0]));
	ck_ok(lb_pool_add(r.pool, "light", "", 1, &r.e[1]));
	for (int i = 1; i <= 1000; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), i % 100 == 51);
	rig_close(&r);
}
END_TEST

/* Weights whose members come off by more than 4 within 150000 turns. */
START_TEST(walk_keeps_within_the_bound_that_it_names)
{
	static const struct {
		int n;
		uint32_t weights[6];
	} rows[] = {
	    {5, {765849, 817245, 793071, 347652, 441517}},
	    {6, {364125, 89627, 930225, 932530, 844640, 989483}},
	    {5, {780904, 322363, 698855, 882504, 437963}},
	};

	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		rig r;
		double total = 0, served[6] = {0}, logarithm = -0.5772;
		long picks = rounds(150000);
		rig_open(&r, LB_WEIGHTED_ROUND_ROBIN, rows[row].n, rows[row].weights, NULL);
		for (int i = 0; i < rows[row].n; i++)
			total += rows[row].weights[i];
		for (long k = 1; k <= picks; k++) {
			/* 1 + 1/2 + ... + 1/k - 0.5772 */
			logarithm += 1.0 / (double)k;
			double bound = 2 + 0.62 * logarithm;
			served[rig_pick(&r, LB_SUCCESS)]++;
			for (int i = 0; i < rows[row].n; i++) {
				double off = served[i] - (double)k * rows[row].weights[i] / total;
				/* asserts write to a pipe: not each time */
				if (off >= bound || off <= -bound)
					ck_abort_msg("row %zu, e%d is off by %f after %ld", row, i, off, k);
			}
		}
		rig_close(&r);
	}
}
END_TEST

START_TEST(one_slow_answer_behind_many_fast_ones_moves_the_average_a_little)
{
	rig r;
	lb_endpoint_stats stats;

	rig_open(&r, LB_LEAST_RESPONSE_TIME, 1, NULL, NULL);
	for (int i = 0; i < 1000; i++) {
		measure(&r, 0, LB_MILLISECONDS);
		r.w.now += LB_MICROSECONDS;
	}
	measure(&r, 0, LB_SECONDS);
	ck_ok(lb_stats_endpoint(r.pool, r.e[0], &stats, sizeof stats));
	ck_assert_uint_gt(stats.latency_decayed, LB_MILLISECONDS);
	ck_assert_uint_lt(stats.latency_decayed, 3 * LB_MILLISECONDS);
	rig_close(&r);
}
END_TEST

Suite *suite_shares(void)
{
	Suite *suite = suite_create("shares");
	TCase *tests = tcase_create("shares");

	tcase_add_test(tests, a_newcomer_is_tried_at_once_and_gets_its_share);
	tcase_add_test(tests, a_newcomer_that_never_answers_holds_a_few);
	tcase_add_test(tests, least_response_time_compares_weights_of_any_scale_exactly);
	tcase_add_test(tests, two_choices_of_3_to_1_takes_the_less_loaded);
	tcase_add_test(tests, a_cycle_keeps_its_sequence_beside_a_large_priority);
	tcase_add_test(tests, walk_keeps_within_the_bound_that_it_names);
	tcase_add_test(tests, one_slow_answer_behind_many_fast_ones_moves_the_average_a_little);
	suite_add_tcase(suite, tests);
	return suite;
}
