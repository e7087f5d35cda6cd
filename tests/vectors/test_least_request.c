/*
 * Envoy's least request load balancer and its earliest-deadline-first scheduler, by the sequences of Envoy's own tests: of
 * LeastRequestLoadBalancerTest and RoundRobinLoadBalancerTest (test/extensions/load_balancing_policies/, below it
 * least_request/least_request_lb_test.cc and round_robin/round_robin_lb_test.cc) and of EdfSchedulerTest
 * (test/common/upstream/edf_scheduler_test.cc). Real ramps play the cases of slow start in test_sequences.c; here, weights do.
 */
#include "pool/view.h"
#include "select/selector.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void use(rig *r, uint32_t bias_percent, uint32_t choices, uint32_t random_start)
{
	lb_selector_config config;

	lb_selector_destroy(r->selector);
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = LB_LEAST_REQUEST;
	config.bias_percent = bias_percent;
	config.choices = choices;
	config.random_start = random_start;
	config.seed = 11;
	ck_ok(lb_selector_create(&r->selector, r->pool, &config));
}

static void hold(rig *r, int number, lb_ticket *tickets, int n)
{
	for (int i = 0; i < n; i++) {
		tickets[i] = (lb_ticket){0};
		ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number]}, &tickets[i]));
	}
}

static void expect(rig *r, const char *letters)
{
	char picked[64];

	rig_letters(r, (int)strlen(letters), picked);
	ck_assert_str_eq(picked, letters);
}

/* bias 0: weighted round robin by deadlines, idle or not. */
typedef struct sequence {
	const char *source;
	int n;
	uint32_t weights[3];
	const char *letters;
} sequence;

static const sequence sequences[] = {
    {"RoundRobinLoadBalancerTest.Weighted", 2, {1, 2}, "babbab"},
    {"Weighted, a host was added", 3, {2, 1, 3}, "cacbaccacbac"},
    {"Weighted, other hosts came", 2, {1, 4}, "bbbabbbbab"},
    /* of equal ones the scheduler is a rotation; here beside one of another weight */
    {"equal ones keep their order", 3, {2, 2, 1}, "abcab"},
    /* a new host beside an old one */
    {"SlowStartNoWait, 12 s of 60 s: 0.2", 2, {5, 1}, "aaaab"},
    {"SlowStartNoWait, 20 s of 60 s: 0.333", 2, {3, 1}, "aab"},
    {"SlowStartNoWaitNonLinearAggression, 6 s of 60 s: sqrt(0.1)", 2, {1000000, 316228}, "aaab"},
    {"SlowStartWithActiveHC, 6 s of 10 s: 0.6", 2, {10, 6}, "abaa"},
};

START_TEST(sequences_without_load)
{
	for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
		for (uint32_t bias = 0; bias <= 100; bias += 100) {
			rig r;
			rig_open(&r, LB_RANDOM, sequences[i].n, sequences[i].weights, NULL);
			use(&r, bias, 2, 0);
			expect(&r, sequences[i].letters);
			rig_close(&r);
		}
	}
}
END_TEST

/* RoundRobinLoadBalancerTest.WeightedSeed: the same sequence one turn further on. */
START_TEST(seeded_by_one_earlier_pick)
{
	rig r;

	rig_open(&r, LB_RANDOM, 2, (uint32_t[]){1, 2}, NULL);
	use(&r, 0, 2, 0);
	rig_pick(&r, LB_SUCCESS);
	expect(&r, "abbabb");
	rig_close(&r);
}
END_TEST

/* EdfSchedulerTest.Weighted: weights 1 to 128, n (n + 1) / 2 picks: exactly as many as it weighs for each; twice over. */
START_TEST(weights_1_to_128_exactly)
{
	world w = {.now = LB_SECONDS};
	lb_env env = world_env(&w);
	rig r = {0};
	lb_endpoint ids[128];
	int served[128] = {0};

	ck_ok(lb_pool_create(&r.pool, NULL, &env));
	for (uint32_t i = 0; i < 128; i++) {
		char name[16];
		snprintf(name, sizeof name, "h%u", (unsigned)i);
		ck_ok(lb_pool_add(r.pool, name, "", i + 1, &ids[i]));
	}
	use(&r, 0, 2, 0);
	for (int round = 1; round <= 2; round++) {
		for (int k = 0; k < 128 * 129 / 2; k++) {
			lb_ticket ticket = {0};
			ck_ok(lb_select(r.selector, NULL, &ticket));
			for (int i = 0; i < 128; i++)
				served[i] += ids[i] == ticket.endpoint;
			ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
		}
		for (int i = 0; i < 128; i++)
			ck_assert_int_eq(served[i], round * (i + 1));
	}
	lb_selector_destroy(r.selector);
	ck_ok(lb_pool_destroy(r.pool));
}
END_TEST

/* The first picks after 0, 1, 2, ... that went before, to the end of a cycle: exactly as many of each as it weighs. */
static void check_first_picks(int n, const uint32_t *weights)
{
	uint32_t first[3] = {0}, cycle = 0;

	for (int i = 0; i < n; i++)
		cycle += weights[i];
	for (uint32_t offset = 0; offset < cycle; offset++) {
		rig r;
		rig_open(&r, LB_RANDOM, n, weights, NULL);
		use(&r, 0, 2, 0);
		for (uint32_t i = 0; i < offset; i++)
			rig_pick(&r, LB_SUCCESS);
		first[rig_pick(&r, LB_SUCCESS)]++;
		rig_close(&r);
	}
	for (int i = 0; i < n; i++)
		ck_assert_uint_eq(first[i], weights[i]);
}

/* RoundRobinLoadBalancerTest.WeightedInitializationPicksAllHosts; LocalityWrrTest.WeightedAllChosen asks the same of 1, 6, 3. */
START_TEST(first_picks_over_all_offsets)
{
	check_first_picks(3, (uint32_t[]){6, 3, 1});
	check_first_picks(3, (uint32_t[]){1, 6, 3});
}
END_TEST

/* EdfSchedulerTest.SchedulerWithRandomPicksFirstPickDistribution: offsets are random there, and each is off by 1 % at most. */
START_TEST(first_picks_over_all_offsets_of_a_hundred)
{
	check_first_picks(2, (uint32_t[]){25, 75});
	check_first_picks(2, (uint32_t[]){1, 99});
	check_first_picks(3, (uint32_t[]){1, 20, 79});
}
END_TEST

START_TEST(random_start_is_any_turn_of_the_cycle)
{
	int first[3] = {0};

	for (uint64_t seed = 1; seed <= 2000; seed++) {
		rig r;
		lb_selector_config config;
		char letters[64];
		int served[3] = {0};
		rig_open(&r, LB_RANDOM, 3, (uint32_t[]){6, 3, 1}, NULL);
		lb_selector_destroy(r.selector);
		lb_selector_config_init(&config, sizeof config);
		config.algorithm = LB_LEAST_REQUEST;
		config.seed = seed;
		ck_ok(lb_selector_create(&r.selector, r.pool, &config));
		rig_letters(&r, 20, letters);
		first[letters[0] - 'a']++;
		for (int i = 0; i < 20; i++)
			served[letters[i] - 'a']++;
		/* two cycles, from wherever they begin */
		ck_assert(served[0] >= 11 && served[0] <= 13);
		ck_assert(served[1] >= 5 && served[1] <= 7);
		ck_assert(served[2] >= 1 && served[2] <= 3);
		rig_close(&r);
	}
	/* six standard deviations */
	ck_assert(first[0] > 1068 && first[0] < 1332);
	ck_assert(first[1] > 477 && first[1] < 723);
	ck_assert(first[2] > 119 && first[2] < 281);
}
END_TEST

/* LeastRequestLoadBalancerTest.WeightImbalance: one scheduler goes on through the changes of load, to 1:1 and to 4:1. */
START_TEST(weight_imbalance)
{
	rig r;
	lb_ticket held[2];

	rig_open(&r, LB_RANDOM, 2, (uint32_t[]){1, 2}, NULL);
	use(&r, 100, 2, 0);
	expect(&r, "babbab");
	hold(&r, 1, held, 1);
	expect(&r, "babab");
	ck_ok(lb_report_result(r.selector, &held[0], LB_SUCCESS));
	hold(&r, 0, held, 1);
	expect(&r, "abbbabbbba");
	rig_close(&r);
}
END_TEST

/* WeightImbalanceWithCustomActiveRequestBias: with bias 0 the load does not count. Then another one comes to it. */
START_TEST(weight_imbalance_without_bias)
{
	rig r;
	lb_ticket held[2];

	rig_open(&r, LB_RANDOM, 2, (uint32_t[]){1, 2}, NULL);
	use(&r, 0, 2, 0);
	hold(&r, 1, held, 1);
	expect(&r, "babbab");
	hold(&r, 1, held + 1, 1);
	expect(&r, "babbab");
	rig_close(&r);
}
END_TEST

/* load_balancers.rst's example: weight 2 with 4 active requests is 2 / (4 + 1) = 0.4; with the bias squared 2 / 25 = 0.08. */
START_TEST(load_to_the_power_of_the_bias)
{
	static const struct {
		uint32_t bias;
		int turns_of_other; /* weight 1, idle, for each of the loaded one's */
	} rows[] = {{100, 250}, {200, 1250}, {50, 112}};

	for (size_t row = 0; row < 3; row++) {
		rig r;
		lb_ticket held[4];
		int served[2] = {0};
		rig_open(&r, LB_RANDOM, 2, (uint32_t[]){2, 1}, NULL);
		use(&r, rows[row].bias, 2, 0);
		hold(&r, 0, held, 4);
		while (served[0] < 100)
			served[rig_pick(&r, LB_SUCCESS)]++;
		/* sqrt(5) / 2 = 1.118 */
		ck_assert_int_ge(served[1], rows[row].turns_of_other - 13);
		ck_assert_int_le(served[1], rows[row].turns_of_other + 13);
		rig_close(&r);
	}
}
END_TEST

/*
 * LeastRequestLoadBalancerTest.Normal and PNC: of equal weights the least loaded of those drawn. Envoy may draw one twice, so
 * PNC says what is drawn; here all that are drawn differ, and five choices of four are all.
 */
START_TEST(equal_weights_take_the_least_loaded)
{
	rig r;
	lb_ticket held[10];
	int n = 0;

	rig_open(&r, LB_RANDOM, 2, NULL, NULL);
	use(&r, 100, 2, 0);
	hold(&r, 0, held, 1);
	hold(&r, 1, held + 1, 2);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
	hold(&r, 0, held + 3, 2);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	rig_close(&r);
	rig_open(&r, LB_RANDOM, 4, NULL, NULL);
	use(&r, 100, 5, 0);
	for (int i = 0; i < 4; i++) {
		hold(&r, i, held + n, 4 - i);
		n += 4 - i;
	}
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 3);
	rig_close(&r);
}
END_TEST

/* FullScanOneHostWithLeastRequests and FullScanMultipleHostsWithLeastRequests: here it is another algorithm, and ties rotate. */
START_TEST(a_full_scan_takes_the_least_loaded_of_all)
{
	static const struct {
		int loads[5], served[5];
	} rows[] = {{{4, 3, 2, 1, 5}, {0, 0, 0, 300, 0}}, {{3, 3, 1, 1, 1}, {0, 0, 100, 100, 100}}};

	for (size_t row = 0; row < 2; row++) {
		rig r;
		lb_ticket held[16];
		int n = 0, served[5] = {0};
		rig_open(&r, LB_LEAST_CONNECTIONS, 5, NULL, NULL);
		for (int i = 0; i < 5; n += rows[row].loads[i], i++)
			hold(&r, i, held + n, rows[row].loads[i]);
		for (int i = 0; i < 300; i++)
			served[rig_pick(&r, LB_SUCCESS)]++;
		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(served[i], rows[row].served[i]);
		rig_close(&r);
	}
}
END_TEST

/* One that was away owes nobody turns, and is owed none. */
START_TEST(one_that_returns_gets_its_share_and_no_more)
{
	rig r;
	int served[2] = {0};

	rig_open(&r, LB_RANDOM, 2, (uint32_t[]){1, 2}, NULL);
	use(&r, 100, 2, 0);
	expect(&r, "babbab");
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_UNHEALTHY));
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 1);
	ck_ok(lb_pool_set_health(r.pool, r.e[0], LB_HEALTHY));
	for (int i = 0; i < 30; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	ck_assert_int_ge(served[0], 9);
	ck_assert_int_le(served[0], 11);
	/* the other way round */
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_UNHEALTHY));
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_HEALTHY));
	served[0] = 0;
	for (int i = 0; i < 30; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	ck_assert_int_ge(served[0], 9);
	ck_assert_int_le(served[0], 11);
	rig_close(&r);
}
END_TEST

/* After a change of weights the ratio is the new one within a cycle (sequences differ between Envoy's versions). */
START_TEST(a_change_of_weight_converges_within_a_cycle)
{
	rig r;
	int served[2] = {0};

	rig_open(&r, LB_RANDOM, 2, (uint32_t[]){2, 1}, NULL);
	use(&r, 0, 2, 0);
	for (int i = 0; i < 7; i++)
		rig_pick(&r, LB_SUCCESS);
	ck_ok(lb_pool_set_weight(r.pool, r.e[0], 1));
	ck_ok(lb_pool_set_weight(r.pool, r.e[1], 2));
	for (int i = 0; i < 3; i++)
		rig_pick(&r, LB_SUCCESS);
	for (int i = 0; i < 300; i++)
		served[rig_pick(&r, LB_SUCCESS)]++;
	ck_assert_int_ge(served[0], 99);
	ck_assert_int_le(served[0], 101);
	rig_close(&r);
}
END_TEST

/* Deadlines of thirds tie with whole ones for tens of thousands of turns. */
START_TEST(ties_of_thirds_last)
{
	rig r;

	rig_open(&r, LB_RANDOM, 2, (uint32_t[]){3, 1}, NULL);
	use(&r, 0, 2, 0);
	for (long cycle = 0; cycle < rounds(10000); cycle++)
		expect(&r, "aaba");
	rig_close(&r);
}
END_TEST

/* A question whose answer is not used: the same as the next pick's, and not a byte of the state moves. */
START_TEST(a_dry_pick_takes_no_turn)
{
	rig r;

	rig_open(&r, LB_RANDOM, 3, (uint32_t[]){6, 3, 1}, NULL);
	use(&r, 100, 2, 0);
	lb_selector *s = r.selector;
	size_t size = s->algo->size(&r.pool->shape, &s->rules);
	void *before = malloc(size);
	lb_algo_lane dry = r.pool->lanes[0].algo;
	dry.dry = true;
	for (int i = 0; i < 50; i++) {
		lb_view_hold hold = lb_view_hold_now(r.pool);
		lb_tier tier = lb_view_tier_at(r.pool, &hold, 0);
		lb_pick pick = {.lane = &dry, .rules = &s->rules, .now = r.w.now};
		memcpy(before, s->state, size);
		uint32_t slot = s->algo->pick(s->state, &tier, &pick);
		ck_assert_int_eq(memcmp(before, s->state, size), 0);
		ck_assert_uint_eq(lb_endpoint_slot(r.e[rig_pick(&r, LB_SUCCESS)]), slot);
	}
	free(before);
	rig_close(&r);
}
END_TEST

/* A request that has been at one goes to the next by deadline, and to each once. */
START_TEST(retries_follow_the_deadlines)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_RANDOM, 3, (uint32_t[]){1, 4, 2}, NULL);
	use(&r, 0, 2, 0);
	/* due at 1, 0.25, 0.5; of the retries, none has been at e0 */
	ck_assert_int_eq(rig_select(&r, &ticket), 1);
	ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	ck_assert_int_eq(rig_select(&r, &ticket), 2);
	ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	ck_assert_int_eq(rig_select(&r, &ticket), 0);
	ck_ok(lb_report_result(r.selector, &ticket, LB_FAILURE));
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	rig_close(&r);
}
END_TEST

Suite *suite_least_request(void)
{
	Suite *suite = suite_create("least_request");
	TCase *tests = tcase_create("least_request");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, sequences_without_load);
	tcase_add_test(tests, seeded_by_one_earlier_pick);
	tcase_add_test(tests, weights_1_to_128_exactly);
	tcase_add_test(tests, first_picks_over_all_offsets);
	tcase_add_test(tests, first_picks_over_all_offsets_of_a_hundred);
	tcase_add_test(tests, random_start_is_any_turn_of_the_cycle);
	tcase_add_test(tests, weight_imbalance);
	tcase_add_test(tests, weight_imbalance_without_bias);
	tcase_add_test(tests, load_to_the_power_of_the_bias);
	tcase_add_test(tests, equal_weights_take_the_least_loaded);
	tcase_add_test(tests, a_full_scan_takes_the_least_loaded_of_all);
	tcase_add_test(tests, one_that_returns_gets_its_share_and_no_more);
	tcase_add_test(tests, a_change_of_weight_converges_within_a_cycle);
	tcase_add_test(tests, ties_of_thirds_last);
	tcase_add_test(tests, a_dry_pick_takes_no_turn);
	tcase_add_test(tests, retries_follow_the_deadlines);
	suite_add_tcase(suite, tests);
	return suite;
}
