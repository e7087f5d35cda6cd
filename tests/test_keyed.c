/* Laws of every algorithm that goes by keys, in every profile that it knows. */
#include "base/random.h"
#include "fleet.h"

enum { ALGORITHMS = 64, PROFILES = LB_HASH_ENVOY + 1, ROWS = ALGORITHMS * PROFILES, KEYS = 3000 };

/* Is the row one that hashes: an algorithm with a bound, and a profile that it accepts? Opens it then. */
static bool open_row(fleet *f, fleet_plan *plan, int row, int n, const uint32_t *weights)
{
	fleet probe;
	lb_selector *selector;

	fleet_draw(plan, LB_RANDOM);
	fleet_open(&probe, plan, 0, NULL);
	plan->selector.algorithm = (lb_algorithm)(row / PROFILES);
	plan->selector.hash_profile = (lb_hash_profile)(row % PROFILES);
	plan->selector.bound_percent = 125;
	bool known = lb_selector_create(&selector, probe.pool, &plan->selector) == LB_OK;
	if (known)
		lb_selector_destroy(selector);
	fleet_close(&probe);
	plan->selector.bound_percent = 0;
	if (known)
		fleet_open(f, plan, n, weights);
	return known;
}

static uint64_t key_of(const fleet *f, uint32_t i)
{
	uint32_t mixed = (uint32_t)lb_mix64(i);

	return lb_selector_hash(f->selector, &mixed, sizeof mixed);
}

static void owners_of(fleet *f, int owners[KEYS])
{
	for (uint32_t i = 0; i < KEYS; i++) {
		owners[i] = fleet_pick_key(f, key_of(f, i));
		if (owners[i] < 0)
			ck_abort_msg("key %u: %d", i, owners[i]);
	}
}

START_TEST(eleven_rows_are_known)
{
	int known = 0;

	for (int row = 0; row < ROWS; row++) {
		fleet f;
		fleet_plan plan;
		if (!open_row(&f, &plan, row, 0, NULL))
			continue;
		known++;
		fleet_close(&f);
	}
	ck_assert_int_eq(known, 11);
}
END_TEST

/* Maglev: few others' keys; map hash: not by removal, where all parts shift, but by one that is down. */
static void check_leave(int row, bool removed)
{
	int before[KEYS], after[KEYS], moved = 0, own = 0;
	fleet f;
	fleet_plan plan;

	if (!open_row(&f, &plan, row, 9, NULL))
		return;
	lb_algorithm algorithm = plan.selector.algorithm;
	owners_of(&f, before);
	if (removed)
		ck_ok(lb_pool_remove(f.pool, f.e[4]));
	else
		ck_ok(lb_pool_set_health(f.pool, f.e[4], LB_UNHEALTHY));
	owners_of(&f, after);
	for (int i = 0; i < KEYS; i++) {
		own += before[i] == 4;
		moved += before[i] != 4 && before[i] != after[i];
		if (after[i] == 4)
			ck_abort_msg("key %d: it is gone", i);
	}
	ck_assert_int_gt(own, KEYS / 40);
	/* with one less, Envoy gives the others more points */
	bool refilled = algorithm == LB_RING_HASH && plan.selector.hash_profile == LB_HASH_ENVOY;
	int most = refilled ? KEYS / 8 : algorithm == LB_MAGLEV ? KEYS / 100 : 0;
	bool shifted = algorithm == LB_MAP_HASH && removed;
	if (moved > most && !shifted)
		ck_abort_msg("row %d: %d moved, removed %d", row, moved, removed);
	/* and back: all is as it was */
	if (!removed) {
		ck_ok(lb_pool_set_health(f.pool, f.e[4], LB_HEALTHY));
		owners_of(&f, after);
		ck_assert_mem_eq(before, after, sizeof before);
	}
	fleet_close(&f);
}

START_TEST(who_is_gone_moves_its_own_keys)
{
	for (int row = 0; row < ROWS; row++) {
		check_leave(row, true);
		check_leave(row, false);
	}
}
END_TEST

START_TEST(our_profile_is_a_function_of_names_and_weights)
{
	static const lb_algorithm algorithms[] = {LB_RING_HASH, LB_MAGLEV, LB_RENDEZVOUS};
	static const uint32_t weights[7] = {1, 2, 3, 1, 5, 1, 8};
	long orders = rounds(1000);

	for (int a = 0; a < 3; a++) {
		fleet first, f;
		fleet_plan plan;
		fleet_draw(&plan, algorithms[a]);
		plan.selector.table_size = algorithms[a] == LB_MAGLEV ? 1021 : 0;
		plan.selector.table_size = algorithms[a] == LB_RING_HASH ? 700 : plan.selector.table_size;
		plan.pool.endpoints_max = 8;
		plan.pool.tickets_max = 16;
		fleet_open(&first, &plan, 7, weights);
		for (uint64_t order = 0; order < (uint64_t)orders; order++) {
			int numbers[7] = {0, 1, 2, 3, 4, 5, 6};
			fleet_open(&f, &plan, 0, NULL);
			for (uint64_t i = 7; i > 0; i--) {
				uint64_t at = lb_mix64(order * 8 + i) % i;
				fleet_add(&f, numbers[at], weights[numbers[at]]);
				numbers[at] = numbers[i - 1];
			}
			for (uint32_t i = 0; i < 40; i++)
				if (fleet_pick_key(&first, key_of(&first, i)) !=
				    fleet_pick_key(&f, key_of(&f, i)))
					ck_abort_msg("order %d", (int)order);
			fleet_close(&f);
		}
		fleet_close(&first);
	}
}
END_TEST

/* "a" and 11 beside "a1" and 1: whatever number a profile writes behind a name, both serve. */
START_TEST(names_that_concatenate_alike_share_fairly)
{
	static const char *const names[] = {"a", "a1", "a11", "a-1", "a_1"};

	for (int row = 0; row < ROWS; row++) {
		fleet f;
		fleet_plan plan;
		int owners[KEYS], served[5] = {0};
		if (!open_row(&f, &plan, row, 0, NULL))
			continue;
		for (int i = 0; i < 5; i++)
			ck_ok(lb_pool_add(f.pool, names[i], NULL, 1, &f.e[i]));
		owners_of(&f, owners);
		for (int i = 0; i < KEYS; i++)
			served[owners[i]]++;
		for (int i = 0; i < 5; i++)
			if (served[i] < KEYS / 5 / 2 || served[i] > KEYS / 5 * 2)
				ck_abort_msg("row %d: %s has %d", row, names[i], served[i]);
		fleet_close(&f);
	}
}
END_TEST

START_TEST(requests_without_a_key_are_spread)
{
	for (int row = 0; row < ROWS; row++) {
		fleet f;
		fleet_plan plan;
		int served[5] = {0};
		if (!open_row(&f, &plan, row, 5, NULL))
			continue;
		for (int i = 0; i < KEYS; i++)
			served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
		for (int i = 0; i < 5; i++)
			if (served[i] < KEYS / 5 / 2 || served[i] > KEYS / 5 * 2)
				ck_abort_msg("row %d: %d has %d", row, i, served[i]);
		/* a key of 0 is one */
		int zero = fleet_pick_key(&f, 0);
		for (int i = 0; i < 20; i++)
			ck_assert_int_eq(fleet_pick_key(&f, 0), zero);
		fleet_close(&f);
	}
}
END_TEST

/* Lanes, a second selector, another pool: one answer, for retries, too. */
START_TEST(all_callers_agree)
{
	for (int row = 0; row < ROWS; row++) {
		fleet f, other;
		fleet_plan plan;
		uint32_t lane;
		if (!open_row(&f, &plan, row, 6, (uint32_t[]){1, 2, 3, 1, 1, 4}))
			continue;
		fleet_open(&other, &plan, 6, (uint32_t[]){1, 2, 3, 1, 1, 4});
		ck_ok(lb_pool_join(other.pool, 9, &lane));
		/* loads and random numbers have no part in it */
		lb_ticket held = {0};
		ck_assert_int_ge(fleet_select(&f, NULL, &held), 0);
		for (uint32_t i = 0; i < 300; i++) {
			lb_request request = {.key = key_of(&f, i), .flags = LB_REQUEST_KEY};
			lb_ticket one = {0}, two = {0};
			for (int n = 0; n < 4; n++) {
				request.lane = 0;
				int a = fleet_select(&f, &request, &one);
				request.lane = lane;
				int b = fleet_select(&other, &request, &two);
				if (a != b)
					ck_abort_msg("row %d, key %u, choice %d: %d and %d", row, i, n, a, b);
			}
			ck_ok(lb_report_result(f.selector, &one, LB_SUCCESS));
			ck_ok(lb_report_result(other.selector, &two, LB_SUCCESS));
		}
		fleet_close(&f);
		fleet_close(&other);
	}
}
END_TEST

Suite *suite_keyed(void)
{
	Suite *suite = suite_create("keyed");
	TCase *tc = tcase_create("laws");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, eleven_rows_are_known);
	tcase_add_test(tc, who_is_gone_moves_its_own_keys);
	tcase_add_test(tc, our_profile_is_a_function_of_names_and_weights);
	tcase_add_test(tc, names_that_concatenate_alike_share_fairly);
	tcase_add_test(tc, requests_without_a_key_are_spread);
	tcase_add_test(tc, all_callers_agree);
	suite_add_tcase(suite, tc);
	return suite;
}
