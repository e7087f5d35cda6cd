/* Rendezvous hashing: shares, what moves, and the order of next choices. */
#include "base/random.h"
#include "pool/view.h"
#include "select/selector.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { NAMES = 12 };

/* A rig of rendezvous: endpoint i is "e00", "e01", ... */
static void open_in_order(rig *r, int n, const uint32_t *weights, const int *order)
{
	rig_open(r, LB_RENDEZVOUS, 0, NULL, NULL);
	for (int i = 0; i < n; i++) {
		int number = order ? order[i] : i;
		char name[8] = {'e', (char)('0' + number / 10), (char)('0' + number % 10), '\0'};
		ck_ok(lb_pool_add(r->pool, name, "", weights ? weights[number] : 1, &r->e[number]));
	}
}

static int pick_key(rig *r, uint64_t key)
{
	lb_ticket ticket = {0};
	lb_request request = {.key = key, .flags = LB_REQUEST_KEY};

	/* an assertion of Check's writes a note of where it is: not for each key */
	if (lb_select(r->selector, &request, &ticket) != LB_OK || ticket.reason != LB_BY_ALGORITHM)
		ck_abort_msg("nobody");
	if (lb_report_result(r->selector, &ticket, LB_SUCCESS) != LB_OK)
		ck_abort_msg("no report");
	return rig_number(r, ticket.endpoint);
}

/* What the algorithm names for a key, one after another; nothing is told to be refused. */
static int names_of(const rig *r, uint64_t key, int numbers[NAMES])
{
	lb_view_hold hold = lb_view_hold_now(r->pool);
	lb_tier tier = lb_view_tier_at(r->pool, &hold, 0);
	lb_pick pick = {.lane = &r->pool->lanes[0].algo, .rules = &r->selector->rules, .key = key};
	int n = 0;
	uint32_t slot;

	for (; (slot = r->selector->algo->pick(r->selector->state, &tier, &pick)) != LB_NO_SLOT;
	     pick.attempt++) {
		if (n == NAMES)
			ck_abort_msg("more names than members");
		numbers[n++] = rig_number(r, lb_pool_id_of(r->pool, slot));
	}
	return n;
}

START_TEST(shares_follow_weights_however_far_apart)
{
	static const uint32_t sets[][4] = {
	    {1, 1, 1, 1}, {1, 2, 3, 4}, {1, 1000, 1, 3000}, {1048576, 524288, 262144, 1}};
	long keys = rounds(200000);

	for (size_t s = 0; s < 4; s++) {
		rig r;
		double total = 0, served[4] = {0};
		open_in_order(&r, 4, sets[s], NULL);
		for (int i = 0; i < 4; i++)
			total += sets[s][i];
		for (long key = 0; key < keys; key++)
			served[pick_key(&r, (uint64_t)key)]++;
		for (int i = 0; i < 4; i++) {
			/* six standard deviations, and a handful where next to nothing is due */
			double p = sets[s][i] / total, due = p * (double)keys;
			ck_assert_double_le(fabs(served[i] - due), 6 * sqrt(due * (1 - p)) + 5);
		}
		rig_close(&r);
	}
}
END_TEST

/* The score as the paper writes it, in floating point; `second` tells how clear it is. */
static int best_by_formula(int n, const uint32_t *weights, uint64_t key, double *margin)
{
	int best = 0;
	double highest = 0, second = 0;

	for (int i = 0; i < n; i++) {
		char name[4] = {'e', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
		uint64_t h = lb_mix64(lb_mix64(key + LB_RANDOM_STEP) ^ lb_hash(name, 3, 0));
		double y = (double)(UINT64_MAX - h) / 18446744073709551616.0;
		double score = weights[i] / -log1p(-y);
		if (score > highest) {
			second = highest;
			highest = score;
			best = i;
		} else if (score > second) {
			second = score;
		}
	}
	*margin = (highest - second) / highest;
	return best;
}

START_TEST(the_winner_is_the_one_of_the_formula)
{
	static const uint32_t weights[NAMES] = {1, 2, 3, 5, 8, 13, 100, 1000, 1, 1, 1048576, 7};
	int unclear = 0;
	long keys = rounds(50000);
	rig r;

	for (int n = 2; n <= NAMES; n += 5) {
		open_in_order(&r, n, weights, NULL);
		for (long i = 0; i < keys; i++) {
			uint64_t key = lb_mix64((uint64_t)i);
			double margin;
			int best = best_by_formula(n, weights, key, &margin);
			/* the fixed-point logarithm is within 3e-5 */
			if (margin <= 6e-5)
				unclear++;
			else if (pick_key(&r, key) != best)
				ck_abort_msg("key %llu", (unsigned long long)key);
		}
		rig_close(&r);
	}
	ck_assert_int_lt(unclear, keys / 1000 + 5);
}
END_TEST

START_TEST(the_order_of_addition_does_not_matter)
{
	static const int orders[][6] = {{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {3, 0, 5, 1, 4, 2}};
	static const uint32_t weights[] = {3, 1, 4, 1, 5, 9};
	rig r[3];

	for (int i = 0; i < 3; i++)
		open_in_order(&r[i], 6, weights, orders[i]);
	for (uint64_t key = 0; key < 2000; key++) {
		int a[NAMES], b[NAMES], c[NAMES];
		ck_assert_int_eq(names_of(&r[0], key, a), 6);
		ck_assert_int_eq(names_of(&r[1], key, b), 6);
		ck_assert_int_eq(names_of(&r[2], key, c), 6);
		ck_assert_mem_eq(a, b, 6 * sizeof *a);
		ck_assert_mem_eq(a, c, 6 * sizeof *a);
	}
	for (int i = 0; i < 3; i++)
		rig_close(&r[i]);
}
END_TEST

/* So a key whose endpoint goes away moves to where its retries would have gone. */
START_TEST(one_that_leaves_moves_its_own_keys_to_their_next_choices)
{
	static const uint32_t sets[][6] = {{1, 1, 1, 1, 1, 1}, {3, 1, 4, 1, 5, 9}};

	for (size_t s = 0; s < 2; s++) {
		rig r;
		static int before[4000][NAMES];
		int moved = 0;
		open_in_order(&r, 6, sets[s], NULL);
		for (uint64_t key = 0; key < 4000; key++)
			ck_assert_int_eq(names_of(&r, key, before[key]), 6);
		ck_ok(lb_pool_remove(r.pool, r.e[2]));
		for (uint64_t key = 0; key < 4000; key++) {
			bool own = before[key][0] == 2;
			moved += own;
			ck_assert_int_eq(pick_key(&r, key), before[key][own ? 1 : 0]);
		}
		ck_assert_int_gt(moved, 400);
		/* and it gets the same ones again when it comes back */
		ck_ok(lb_pool_add(r.pool, "e02", "", sets[s][2], &r.e[2]));
		for (uint64_t key = 0; key < 4000; key++)
			ck_assert_int_eq(pick_key(&r, key), before[key][0]);
		rig_close(&r);
	}
}
END_TEST

START_TEST(a_heavier_one_takes_keys_and_gives_none_away)
{
	rig r;
	static int before[20000];
	int taken = 0;

	open_in_order(&r, 5, NULL, NULL);
	for (uint64_t key = 0; key < 20000; key++)
		before[key] = pick_key(&r, key);
	ck_ok(lb_pool_set_weight(r.pool, r.e[3], 2));
	for (uint64_t key = 0; key < 20000; key++) {
		int now = pick_key(&r, key);
		ck_assert(now == before[key] || now == 3);
		taken += now != before[key];
	}
	/* from 1/5 to 2/6 */
	ck_assert_int_gt(taken, 2300);
	ck_assert_int_lt(taken, 3050);
	rig_close(&r);
}
END_TEST

START_TEST(next_choices_are_all_of_them_each_once)
{
	rig r;
	int second[NAMES] = {0};

	open_in_order(&r, NAMES, NULL, NULL);
	for (uint64_t key = 0; key < 6000; key++) {
		int numbers[NAMES];
		unsigned seen = 0;
		ck_assert_int_eq(names_of(&r, key, numbers), NAMES);
		for (int i = 0; i < NAMES; i++)
			seen |= 1u << numbers[i];
		ck_assert_uint_eq(seen, (1u << NAMES) - 1);
		second[numbers[1]] += numbers[0] == 0;
	}
	/* the keys of one are dealt to all others: 500 / 11 each */
	for (int i = 1; i < NAMES; i++)
		ck_assert(second[i] > 15 && second[i] < 90);
	rig_close(&r);
}
END_TEST

START_TEST(a_retry_goes_to_the_next_choice)
{
	rig r;

	open_in_order(&r, 6, (uint32_t[]){3, 1, 4, 1, 5, 9}, NULL);
	for (uint64_t key = 0; key < 200; key++) {
		int numbers[NAMES];
		lb_ticket ticket = {0};
		lb_request request = {.key = key, .flags = LB_REQUEST_KEY};
		ck_assert_int_eq(names_of(&r, key, numbers), 6);
		for (int i = 0; i < 6; i++) {
			ck_ok(lb_select(r.selector, &request, &ticket));
			ck_assert_int_eq(rig_number(&r, ticket.endpoint), numbers[i]);
			ck_ok(lb_report_result(r.selector, &ticket, LB_REFUSED));
		}
		ck_assert_int_eq(lb_select(r.selector, &request, &ticket), LB_ENONE);
	}
	rig_close(&r);
}
END_TEST

START_TEST(it_knows_our_profile_and_no_table)
{
	rig r;
	lb_selector *selector;
	lb_selector_config config;

	open_in_order(&r, 2, NULL, NULL);
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = LB_RENDEZVOUS;
	config.hash_profile = LB_HASH_ENVOY;
	ck_assert_int_eq(lb_selector_create(&selector, r.pool, &config), LB_EINVAL);
	config.hash_profile = LB_HASH_LBCORE;
	config.table_size = 7;
	ck_assert_int_eq(lb_selector_create(&selector, r.pool, &config), LB_EINVAL);
	ck_assert_uint_eq(lb_selector_hash(r.selector, "key", 3), lb_hash("key", 3, 0));
	rig_close(&r);
}
END_TEST

Suite *suite_rendezvous(void)
{
	Suite *suite = suite_create("rendezvous");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, shares_follow_weights_however_far_apart);
	tcase_add_test(all, the_winner_is_the_one_of_the_formula);
	tcase_add_test(all, the_order_of_addition_does_not_matter);
	tcase_add_test(all, one_that_leaves_moves_its_own_keys_to_their_next_choices);
	tcase_add_test(all, a_heavier_one_takes_keys_and_gives_none_away);
	tcase_add_test(all, next_choices_are_all_of_them_each_once);
	tcase_add_test(all, a_retry_goes_to_the_next_choice);
	tcase_add_test(all, it_knows_our_profile_and_no_table);
	suite_add_tcase(suite, all);
	return suite;
}
