/* Exact sequences, and laws that hold for every row of the table of algorithms. */
#include "algo/table.h"
#include "pool/view.h"
#include "select/selector.h"
#include "test.h"

#include <string.h>

static int rows(void)
{
	int n = 0;

	while (lb_algorithm_name((lb_algorithm)n))
		n++;
	return n;
}

/* Smooth sequences that nginx 1.22.1 gave; 1,2,3 and 2,1 by its rule (the first listed of equals wins). */
START_TEST(smooth_sequences_of_nginx)
{
	static const struct {
		uint32_t weights[4];
		int n;
		const char *cycle;
	} vectors[] = {
	    {{5, 1, 1}, 3, "aabacaa"},      {{4, 2, 1}, 3, "abacaba"},
	    {{8, 4, 2}, 3, "abacaba"},      {{6, 3, 1}, 3, "abaabacaba"},
	    {{3, 2, 7}, 3, "cacbcaccbcac"}, {{10, 20, 30, 40}, 4, "dcbdacdbcd"},
	    {{1, 2, 3}, 3, "cbacbc"},       {{2, 1}, 2, "aba"},
	    {{1, 1, 1, 1}, 4, "abcd"},      {{100, 200, 100}, 3, "bacb"},
	};

	for (size_t v = 0; v < sizeof vectors / sizeof *vectors; v++) {
		rig r;
		char letters[64];
		size_t length = strlen(vectors[v].cycle);
		rig_open(&r, LB_WEIGHTED_ROUND_ROBIN, vectors[v].n, vectors[v].weights, NULL);
		for (int cycle = 0; cycle < 3; cycle++) {
			rig_letters(&r, (int)length, letters);
			ck_assert_str_eq(letters, vectors[v].cycle);
		}
		rig_close(&r);
	}
}
END_TEST

START_TEST(weights_of_any_scale_behave_alike)
{
	rig small, large;
	char a[41], b[41];

	rig_open(&small, LB_WEIGHTED_ROUND_ROBIN, 3, (uint32_t[]){1, 2, 1}, NULL);
	rig_open(&large, LB_WEIGHTED_ROUND_ROBIN, 3, (uint32_t[]){100, 200, 100}, NULL);
	rig_letters(&small, 40, a);
	rig_letters(&large, 40, b);
	ck_assert_str_eq(a, b);
	rig_close(&small);
	rig_close(&large);
}
END_TEST

START_TEST(weight_99_to_1_comes_behind_50)
{
	rig r;

	rig_open(&r, LB_WEIGHTED_ROUND_ROBIN, 2, (uint32_t[]){99, 1}, NULL);
	for (int i = 1; i <= 200; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), i % 100 == 51);
	rig_close(&r);
}
END_TEST

/* The rule as nginx writes it, kept apart from the library's way of doing it. */
START_TEST(random_weight_vectors_equal_the_naive_rule)
{
	uint64_t seed = 1;

	for (long round = 0; round < rounds(300); round++) {
		rig r;
		uint32_t weights[16];
		int64_t credit[16] = {0}, total = 0;
		int n = 1 + (int)(lb_mix64(seed++) % 16);
		for (int i = 0; i < n; i++)
			total += weights[i] = 1 + (uint32_t)(lb_mix64(seed++) % 20);
		rig_open(&r, LB_WEIGHTED_ROUND_ROBIN, n, weights, NULL);
		for (int64_t k = 0; k < 2 * total; k++) {
			int best = 0;
			for (int i = 0; i < n; i++) {
				credit[i] += weights[i];
				if (credit[i] > credit[best])
					best = i;
			}
			credit[best] -= total;
			ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), best);
		}
		rig_close(&r);
	}
}
END_TEST

/* Cycles that do not fit: the golden-ratio walk stays near to what is due, and reaches everybody. */
START_TEST(walk_keeps_within_its_bound)
{
	static const uint32_t sets[][4] = {{1, 1048576, 3, 70001}, {1048573, 1048571, 524287, 99991}};

	for (size_t s = 0; s < 2; s++) {
		rig r;
		uint64_t total = 0, served[4] = {0};
		long picks = rounds(1000000);
		rig_open(&r, LB_WEIGHTED_ROUND_ROBIN, 4, sets[s], NULL);
		for (int i = 0; i < 4; i++)
			total += sets[s][i];
		for (long k = 1; k <= picks; k++) {
			int number = rig_pick(&r, LB_SUCCESS);
			served[number]++;
			double due = (double)k * sets[s][number] / (double)total;
			double off = (double)served[number] - due;
			ck_assert(off < 4 && off > -4);
		}
		for (int i = 0; i < 4; i++) {
			double due = (double)picks * sets[s][i] / (double)total;
			double off = (double)served[i] - due;
			ck_assert(off < 4 && off > -4);
		}
		rig_close(&r);
	}
}
END_TEST

START_TEST(shares_follow_weights)
{
	static const uint32_t weights[4] = {1, 2, 3, 4};
	long picks = rounds(200000);

	/* sequential picks: nothing in flight, so those that go by load alone are left out */
	static const lb_algorithm drawn[] = {LB_WEIGHTED_ROUND_ROBIN, LB_RANDOM, LB_TWO_CHOICES};
	for (size_t a = 0; a < 3; a++) {
		rig r;
		long served[4] = {0};
		rig_open(&r, drawn[a], 4, weights, NULL);
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

START_TEST(two_choices_1_to_2_sequential)
{
	rig r;
	int served[2] = {0};

	rig_open(&r, LB_TWO_CHOICES, 2, (uint32_t[]){1, 2}, NULL);
	for (int i = 0; i < 3000; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	ck_assert_int_gt(served[0], 850);
	ck_assert_int_lt(served[0], 1150);
	rig_close(&r);
}
END_TEST

START_TEST(two_choices_of_two_takes_the_less_loaded)
{
	rig r;
	lb_ticket held[10] = {{0}};

	rig_open(&r, LB_TWO_CHOICES, 2, NULL, NULL);
	for (int i = 0; i < 10; i++)
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &held[i]));
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	rig_close(&r);
}
END_TEST

START_TEST(least_connections_minimum_of_inflight_plus_1_by_weight)
{
	rig r;
	lb_ticket held[12] = {{0}};
	int served[3] = {0};

	rig_open(&r, LB_LEAST_CONNECTIONS, 3, (uint32_t[]){3, 2, 1}, NULL);
	for (int i = 0; i < 12; i++)
		served[rig_select(&r, &held[i])]++;
	ck_assert_int_eq(served[0], 6);
	ck_assert_int_eq(served[1], 4);
	ck_assert_int_eq(served[2], 2);
	rig_close(&r);
}
END_TEST

START_TEST(least_connections_ties_rotate_round_a_busy_one)
{
	rig r;
	lb_ticket busy = {0};
	int served[5] = {0};

	rig_open(&r, LB_LEAST_CONNECTIONS, 5, NULL, NULL);
	ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[1]}, &busy));
	for (int i = 0; i < 40; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	ck_assert_int_eq(served[1], 0);
	for (int i = 0; i < 5; i++)
		if (i != 1)
			ck_assert_int_eq(served[i], 10);
	rig_close(&r);
}
END_TEST

static void answer(rig *r, int number, lb_result result, lb_span latency)
{
	lb_ticket ticket = {0};

	ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number]}, &ticket));
	ck_ok(lb_report(r->selector, &ticket, &(lb_outcome){.result = result, .latency = latency}));
}

START_TEST(least_response_time_prefers_the_fast)
{
	rig r;

	rig_open(&r, LB_LEAST_RESPONSE_TIME, 2, NULL, NULL);
	answer(&r, 0, LB_SUCCESS, 50 * LB_MILLISECONDS);
	answer(&r, 1, LB_SUCCESS, 10 * LB_MILLISECONDS);
	for (int i = 0; i < 10; i++) {
		lb_ticket ticket = {0};
		ck_assert_int_eq(rig_select(&r, &ticket), 1);
		ck_ok(lb_report(r.selector, &ticket,
				&(lb_outcome){.result = LB_SUCCESS, .latency = 10 * LB_MILLISECONDS}));
	}
	rig_close(&r);
}
END_TEST

START_TEST(a_fast_failure_never_looks_attractive)
{
	rig r;

	rig_open(&r, LB_LEAST_RESPONSE_TIME, 2, NULL, NULL);
	answer(&r, 0, LB_SUCCESS, 100 * LB_MILLISECONDS);
	answer(&r, 1, LB_REFUSED, LB_MICROSECONDS);
	for (int i = 0; i < 10; i++) {
		lb_ticket ticket = {0};
		ck_assert_int_eq(rig_select(&r, &ticket), 0);
		ck_ok(lb_report(r.selector, &ticket,
				&(lb_outcome){.result = LB_SUCCESS, .latency = 100 * LB_MILLISECONDS}));
	}
	rig_close(&r);
}
END_TEST

START_TEST(an_unmeasured_one_gets_a_few_not_all)
{
	rig r;
	lb_ticket held[40] = {{0}};
	int hung = 0;

	rig_open(&r, LB_LEAST_RESPONSE_TIME, 5, NULL, NULL);
	for (int i = 0; i < 4; i++)
		answer(&r, i, LB_SUCCESS, 10 * LB_MILLISECONDS);
	/* e4 never answers, the others do at once */
	for (int i = 0; i < 40; i++) {
		if (rig_select(&r, &held[hung]) == 4)
			hung++;
		else
			ck_ok(
			    lb_report(r.selector, &held[hung],
				      &(lb_outcome){.result = LB_SUCCESS, .latency = 10 * LB_MILLISECONDS}));
	}
	ck_assert_int_ge(hung, 1);
	ck_assert_int_le(hung, 3);
	rig_close(&r);
}
END_TEST

START_TEST(an_idle_average_decays_to_another_chance)
{
	rig r;

	rig_open(&r, LB_LEAST_RESPONSE_TIME, 2, NULL, NULL);
	answer(&r, 0, LB_SUCCESS, 500 * LB_MILLISECONDS);
	answer(&r, 1, LB_SUCCESS, 10 * LB_MILLISECONDS);
	int waited = 0;
	for (; waited < 100; waited++) {
		lb_ticket ticket = {0};
		r.w.now += LB_SECONDS;
		int number = rig_select(&r, &ticket);
		ck_ok(lb_report(r.selector, &ticket,
				&(lb_outcome){.result = LB_SUCCESS, .latency = 10 * LB_MILLISECONDS}));
		if (number == 0)
			break;
	}
	/* 10 s x ln(500 / 10) = 39 s */
	ck_assert_int_ge(waited, 30);
	ck_assert_int_le(waited, 45);
	rig_close(&r);
}
END_TEST

START_TEST(a_dead_ones_turns_are_dealt_to_all_others)
{
	static const lb_algorithm rotations[] = {LB_ROUND_ROBIN, LB_WEIGHTED_ROUND_ROBIN};

	for (size_t a = 0; a < 2; a++) {
		rig r;
		lb_breaker_config breaker;
		int served[5] = {0};
		lb_breaker_config_init(&breaker, sizeof breaker);
		breaker.consecutive = 1;
		rig_open(&r, rotations[a], 5, NULL, &breaker);
		/* the breaker opens on the request path: the published view still lists e2 */
		answer(&r, 2, LB_FAILURE, 1);
		for (int i = 0; i < 5000; i++)
			served[rig_pick(&r, LB_SUCCESS)]++;
		ck_assert_int_eq(served[2], 0);
		for (int i = 0; i < 5; i++)
			if (i != 2)
				ck_assert(served[i] > 1150 && served[i] < 1350);
		rig_close(&r);
	}
}
END_TEST

START_TEST(the_cursor_survives_changes_of_membership_and_health)
{
	rig r;
	char letters[8];

	rig_open(&r, LB_ROUND_ROBIN, 5, NULL, NULL);
	rig_letters(&r, 3, letters);
	ck_assert_str_eq(letters, "abc");
	ck_ok(lb_pool_remove(r.pool, r.e[1]));
	ck_ok(lb_pool_add(r.pool, "f", "", 1, &r.e[5]));
	rig_letters(&r, 5, letters);
	ck_assert_str_eq(letters, "defac");
	ck_ok(lb_pool_set_health(r.pool, r.e[3], LB_UNHEALTHY));
	rig_letters(&r, 2, letters);
	ck_assert_str_eq(letters, "ef");
	ck_ok(lb_pool_set_health(r.pool, r.e[3], LB_HEALTHY));
	rig_letters(&r, 4, letters);
	ck_assert_str_eq(letters, "acde");
	rig_close(&r);
}
END_TEST

START_TEST(random_start_spreads_the_first_pick)
{
	int first[4] = {0};

	for (uint64_t seed = 1; seed <= 400; seed++) {
		rig r;
		lb_selector *selector;
		lb_selector_config config;
		lb_ticket ticket = {0};
		rig_open(&r, LB_RANDOM, 4, NULL, NULL);
		lb_selector_config_init(&config, sizeof config);
		config.algorithm = seed % 2 ? LB_ROUND_ROBIN : LB_WEIGHTED_ROUND_ROBIN;
		config.seed = seed;
		ck_ok(lb_selector_create(&selector, r.pool, &config));
		ck_ok(lb_select(selector, NULL, &ticket));
		first[rig_number(&r, ticket.endpoint)]++;
		lb_selector_destroy(selector);
		rig_close(&r);
	}
	for (int i = 0; i < 4; i++)
		ck_assert(first[i] > 50 && first[i] < 150);
}
END_TEST

/* One that names candidates in an order of its own leaves the first only when that is full. */
static bool ordered(int algorithm)
{
	return (lb_algo_row((lb_algorithm)algorithm)->traits & LB_ALGO_ORDERED) != 0;
}

static void limit_each(rig *r, int n, uint32_t inflight_max)
{
	lb_endpoint_config config;

	lb_endpoint_config_init(&config, sizeof config);
	config.inflight_max = inflight_max;
	for (int i = 0; i < n; i++)
		ck_ok(lb_pool_update(r->pool, r->e[i], &config));
}

/* Law: only eligible endpoints, and each of them is reached. */
START_TEST(law_only_the_eligible_and_all_of_them)
{
	for (int a = 0; a < rows(); a++) {
		rig r;
		unsigned seen = 0;
		lb_ticket held[64] = {{0}};
		rig_open(&r, (lb_algorithm)a, 7, NULL, NULL);
		if (ordered(a))
			limit_each(&r, 7, 15);
		ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_UNHEALTHY));
		ck_ok(lb_pool_set_admin(r.pool, r.e[2], LB_ADMIN_DRAIN));
		ck_ok(lb_pool_set_weight(r.pool, r.e[4], 0));
		for (int i = 0; i < 60; i++)
			seen |= 1u << rig_select(&r, &held[i]);
		ck_assert_uint_eq(seen, 1u << 1 | 1u << 3 | 1u << 5 | 1u << 6);
		rig_close(&r);
	}
}
END_TEST

START_TEST(law_none_one_and_all_refused)
{
	for (int a = 0; a < rows(); a++) {
		rig r;
		lb_ticket ticket = {0};
		rig_open(&r, (lb_algorithm)a, 0, NULL, NULL);
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), LB_ENONE);
		ck_ok(lb_pool_add(r.pool, "one", "", 1, &r.e[0]));
		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
		ck_assert_int_eq(rig_select(&r, &ticket), 0);
		ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
		ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
		rig_close(&r);
	}
}
END_TEST

START_TEST(law_a_retry_reaches_every_endpoint)
{
	for (int a = 0; a < rows(); a++) {
		rig r;
		rig_open(&r, (lb_algorithm)a, 6, (uint32_t[]){1, 1048576, 1, 5, 1, 1}, NULL);
		for (int i = 0; i < 50; i++) {
			lb_ticket ticket = {0};
			unsigned seen = 0;
			for (int number; (number = rig_select(&r, &ticket)) >= 0;) {
				seen |= 1u << number;
				ck_ok(lb_report_result(r.selector, &ticket, LB_REFUSED));
			}
			ck_assert_uint_eq(seen, 63);
		}
		rig_close(&r);
	}
}
END_TEST

/* Law: whatever a lane's cursor holds (here: all words of the state before the tables), picks are right. */
START_TEST(law_cursors_before_a_wrap)
{
	static const uint64_t presets[] = {INT32_MAX - 1u, UINT32_MAX - 1u, INT64_MAX - 1u, UINT64_MAX - 1u};

	for (int a = 0; a < rows(); a++) {
		for (size_t p = 0; p < 4; p++) {
			for (int n = 1; n <= 13; n++) {
				rig r;
				int served[16] = {0};
				rig_open(&r, (lb_algorithm)a, n, NULL, NULL);
				/* those whose state begins with a cursor */
				if (a == LB_ROUND_ROBIN || a == LB_WEIGHTED_ROUND_ROBIN ||
				    a == LB_LEAST_CONNECTIONS || a == LB_LEAST_RESPONSE_TIME) {
					uint64_t *words = r.selector->state;
					words[0] = presets[p];
				}
				for (int i = 0; i < 6 * n; i++) {
					int number = rig_pick(&r, LB_SUCCESS);
					ck_assert(number >= 0 && number < n);
					served[number]++;
				}
				for (int i = 0;
				     i < n && (a == LB_ROUND_ROBIN || a == LB_WEIGHTED_ROUND_ROBIN); i++)
					ck_assert_int_eq(served[i], 6);
				rig_close(&r);
			}
		}
	}
}
END_TEST

START_TEST(law_the_same_seed_gives_the_same_picks)
{
	for (int a = 0; a < rows(); a++) {
		rig one, two;
		char x[101], y[101];
		rig_open(&one, (lb_algorithm)a, 9, NULL, NULL);
		rig_open(&two, (lb_algorithm)a, 9, NULL, NULL);
		rig_letters(&one, 100, x);
		rig_letters(&two, 100, y);
		ck_assert_str_eq(x, y);
		rig_close(&one);
		rig_close(&two);
	}
}
END_TEST

START_TEST(law_own_lanes_pick_as_lane_0_does)
{
	for (int a = 0; a < rows(); a++) {
		rig r;
		uint32_t lane;
		unsigned seen = 0;
		rig_open(&r, (lb_algorithm)a, 5, NULL, NULL);
		ck_ok(lb_pool_join(r.pool, 9, &lane));
		if (ordered(a))
			limit_each(&r, 5, 12);
		for (int i = 0; i < (ordered(a) ? 60 : 200); i++) {
			lb_ticket ticket = {0};
			ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, &ticket));
			seen |= 1u << rig_number(&r, ticket.endpoint);
			r.w.now += 10 * LB_MILLISECONDS;
			if (!ordered(a))
				ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
		}
		ck_assert_uint_eq(seen, 31);
		ck_ok(lb_pool_leave(r.pool, lane));
		rig_close(&r);
	}
}
END_TEST

/* A scripted random hook that never changes: nothing loops, everything is answered. */
START_TEST(law_a_constant_random_hook_is_survived)
{
	static const uint64_t values[] = {0, UINT64_MAX, 1, UINT64_C(1) << 63};

	for (int a = 0; a < rows(); a++) {
		for (size_t v = 0; v < 4; v++) {
			world w = {.now = LB_SECONDS, .random = values[v]};
			lb_env env = world_env_random(&w);
			lb_pool *pool;
			lb_selector *selector;
			lb_selector_config config;
			ck_ok(lb_pool_create(&pool, NULL, &env));
			lb_selector_config_init(&config, sizeof config);
			config.algorithm = (lb_algorithm)a;
			ck_ok(lb_selector_create(&selector, pool, &config));
			ck_ok(lb_pool_add(pool, "a", "", 1, NULL));
			ck_ok(lb_pool_add(pool, "b", "", 3, NULL));
			ck_ok(lb_pool_add(pool, "c", "", 2, NULL));
			for (int i = 0; i < 20; i++) {
				lb_ticket ticket = {0};
				int tries = 0;
				while (lb_select(selector, NULL, &ticket) == LB_OK) {
					tries++;
					ck_ok(lb_report_result(selector, &ticket, LB_LOCAL));
				}
				ck_assert_int_eq(tries, 3);
			}
			lb_selector_destroy(selector);
			ck_ok(lb_pool_destroy(pool));
		}
	}
}
END_TEST

START_TEST(priorities_and_degraded_ones_serve_in_order)
{
	rig r;
	lb_endpoint_config config;

	rig_open(&r, LB_ROUND_ROBIN, 4, NULL, NULL);
	for (uint32_t i = 2; i < 4; i++) {
		lb_endpoint_config_init(&config, sizeof config);
		config.priority = 1;
		ck_ok(lb_pool_update(r.pool, r.e[i], &config));
	}
	char letters[9];
	rig_letters(&r, 4, letters);
	ck_assert_str_eq(letters, "abab");
	/* one of two healthy: 70 % stay, 30 % go on to the next priority */
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_DEGRADED));
	int stayed = 0;
	for (int i = 0; i < 1000; i++) {
		int number = rig_pick(&r, LB_SUCCESS);
		ck_assert_int_ne(number, 0);
		stayed += number == 1;
	}
	/* within six standard deviations */
	ck_assert(stayed > 613 && stayed < 787);
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_UNHEALTHY));
	rig_letters(&r, 8, letters);
	ck_assert(strspn(letters, "cd") == 8);
	ck_ok(lb_pool_set_admin(r.pool, r.e[2], LB_ADMIN_DOWN));
	ck_ok(lb_pool_set_health(r.pool, r.e[3], LB_UNHEALTHY));
	rig_letters(&r, 3, letters);
	ck_assert_str_eq(letters, "aaa");
	ck_ok(lb_pool_set_health(r.pool, r.e[3], LB_UNKNOWN));
	rig_letters(&r, 3, letters);
	ck_assert_str_eq(letters, "ddd");
	rig_close(&r);
}
END_TEST

Suite *suite_algorithms(void)
{
	Suite *suite = suite_create("algorithms");
	TCase *exact = tcase_create("exact"), *laws = tcase_create("laws");

	tcase_set_timeout(exact, 60);
	tcase_set_timeout(laws, 60);
	tcase_add_test(exact, smooth_sequences_of_nginx);
	tcase_add_test(exact, weights_of_any_scale_behave_alike);
	tcase_add_test(exact, weight_99_to_1_comes_behind_50);
	tcase_add_test(exact, random_weight_vectors_equal_the_naive_rule);
	tcase_add_test(exact, walk_keeps_within_its_bound);
	tcase_add_test(exact, shares_follow_weights);
	tcase_add_test(exact, two_choices_1_to_2_sequential);
	tcase_add_test(exact, two_choices_of_two_takes_the_less_loaded);
	tcase_add_test(exact, least_connections_minimum_of_inflight_plus_1_by_weight);
	tcase_add_test(exact, least_connections_ties_rotate_round_a_busy_one);
	tcase_add_test(exact, least_response_time_prefers_the_fast);
	tcase_add_test(exact, a_fast_failure_never_looks_attractive);
	tcase_add_test(exact, an_unmeasured_one_gets_a_few_not_all);
	tcase_add_test(exact, an_idle_average_decays_to_another_chance);
	tcase_add_test(exact, a_dead_ones_turns_are_dealt_to_all_others);
	tcase_add_test(exact, the_cursor_survives_changes_of_membership_and_health);
	tcase_add_test(exact, random_start_spreads_the_first_pick);
	tcase_add_test(exact, priorities_and_degraded_ones_serve_in_order);
	tcase_add_test(laws, law_only_the_eligible_and_all_of_them);
	tcase_add_test(laws, law_none_one_and_all_refused);
	tcase_add_test(laws, law_a_retry_reaches_every_endpoint);
	tcase_add_test(laws, law_cursors_before_a_wrap);
	tcase_add_test(laws, law_the_same_seed_gives_the_same_picks);
	tcase_add_test(laws, law_own_lanes_pick_as_lane_0_does);
	tcase_add_test(laws, law_a_constant_random_hook_is_survived);
	suite_add_tcase(suite, exact);
	suite_add_tcase(suite, laws);
	return suite;
}
