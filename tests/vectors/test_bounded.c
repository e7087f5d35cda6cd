/*
 * Bounded loads: Mirrokni, Thorup, Zadimoghaddam, Consistent Hashing with Bounded Loads (arXiv 1608.01350, 2016), whose bound is
 * exact here. Others': HAProxy's hash-balance-factor (chash_server_is_eligible in src/lb_chash.c) lets none above it either, but
 * deals out the slots that are left over when they are divided. Envoy's hash_balance_factor
 * (test/extensions/load_balancing_policies/common/bounded_load_hlb_test.cc) lets each have one more, and goes on in a random order
 * that the key seeds, not clockwise: of its cases only those hold here that name no next host.
 */
#include "base/random.h"
#include "fleet.h"

static const struct {
	lb_algorithm algorithm;
	lb_hash_profile profile;
} rows[] = {
    {LB_RING_HASH, LB_HASH_LBCORE},       {LB_RING_HASH, LB_HASH_NGINX},   {LB_RING_HASH, LB_HASH_KETAMA},
    {LB_RING_HASH, LB_HASH_LIBMEMCACHED}, {LB_RING_HASH, LB_HASH_ENVOY},   {LB_MAGLEV, LB_HASH_LBCORE},
    {LB_MAGLEV, LB_HASH_ENVOY},           {LB_MAP_HASH, LB_HASH_LBCORE},   {LB_MAP_HASH, LB_HASH_NGINX},
    {LB_MAP_HASH, LB_HASH_NGINX_IP},      {LB_RENDEZVOUS, LB_HASH_LBCORE},
};

enum { ROWS = sizeof rows / sizeof *rows, RINGS = 5, HELD = 400 };

static void draw(fleet_plan *plan, int row, uint32_t percent)
{
	fleet_draw(plan, rows[row].algorithm);
	plan->selector.hash_profile = rows[row].profile;
	plan->selector.bound_percent = percent;
	plan->pool.tickets_max = 10240;
}

static uint64_t key_of(const fleet *f, uint32_t i)
{
	unsigned char octets[4] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i, 1};

	return lb_selector_hash(f->selector, octets, sizeof octets);
}

/* ceil(percent x (open + 1) x weight / all / 100) */
static uint32_t most(uint32_t percent, uint64_t open, uint64_t weight, uint64_t all)
{
	return (uint32_t)((percent * (open + 1) * weight + all * 100 - 1) / (all * 100));
}

/* Requests come and go, keys over and over; no load is ever above its bound when a request was placed. */
static void fill(int row, uint32_t percent, int n, const uint32_t *weights)
{
	static lb_ticket tickets[HELD];
	fleet f;
	fleet_plan plan;
	uint32_t loads[FLEET_MAX] = {0}, open = 0;
	uint64_t all = 0;

	draw(&plan, row, percent);
	fleet_open(&f, &plan, n, weights);
	memset(tickets, 0, sizeof tickets);
	for (int i = 0; i < n; i++)
		all += weights ? weights[i] : 1;
	for (uint32_t i = 0; i < 2000; i++) {
		lb_ticket *ticket = &tickets[lb_mix64(i) % HELD];
		if (ticket->id != 0) {
			loads[fleet_number(&f, ticket->endpoint)]--;
			open--;
			ck_ok(lb_report_result(f.selector, ticket, LB_SUCCESS));
			continue;
		}
		/* half of the requests are for a few hot keys */
		uint64_t key = key_of(&f, i % 2 ? i % 10 : i * 977);
		int got = fleet_select_key(&f, key, ticket);
		if (got < 0)
			ck_abort_msg("error %d", got);
		uint32_t bound = most(percent, open, weights ? weights[got] : 1, all);
		if (++loads[got] > bound)
			ck_abort_msg("%u on %d, above %u", loads[got], got, bound);
		open++;
	}
	fleet_close(&f);
}

START_TEST(no_load_is_ever_above_the_bound)
{
	static const uint32_t percents[] = {100, 110, 125, 150, 200};

	for (size_t i = 0; i < 5; i++) {
		fill(_i, percents[i], 10, NULL);
		fill(_i, percents[i], 6, (uint32_t[]){1, 2, 3, 10, 1, 50});
	}
}
END_TEST

/* The first on the ring, clockwise from the key's place, that is not full. */
static int clockwise(const fleet *f, uint64_t place, uint32_t size, const uint32_t *loads, uint32_t bound)
{
	uint64_t point;
	lb_endpoint endpoint;
	uint32_t at = 0;

	for (; at < size; at++) {
		lb_selector_table(f->selector, at, NULL, &point);
		if (point >= place)
			break;
	}
	for (uint32_t steps = 0; steps < size; steps++, at++) {
		lb_selector_table(f->selector, at < size ? at : at - size, &endpoint, NULL);
		int number = fleet_number(f, endpoint);
		if (loads[number] + 1 <= bound)
			return number;
	}
	return -1;
}

START_TEST(a_key_goes_to_its_first_one_clockwise_that_is_not_full)
{
	static lb_ticket tickets[HELD];
	fleet f;
	fleet_plan plan;
	uint32_t loads[FLEET_MAX] = {0}, full = 0;

	draw(&plan, _i, 125);
	fleet_open(&f, &plan, 9, NULL);
	uint32_t size = lb_selector_table(f.selector, 0, NULL, NULL);
	ck_assert_uint_gt(size, 100);
	for (uint32_t i = 0; i < HELD; i++) {
		uint64_t key = key_of(&f, i * 31);
		uint64_t place = rows[_i].profile == LB_HASH_LBCORE || rows[_i].profile == LB_HASH_ENVOY
				     ? key
				     : (uint32_t)key;
		uint32_t bound = most(125, i, 1, 9), none[FLEET_MAX] = {0};
		int due = clockwise(&f, place, size, loads, bound);
		tickets[i] = (lb_ticket){0};
		int got = fleet_select_key(&f, key, &tickets[i]);
		if (got != due)
			ck_abort_msg("key %u: %d, not %d", i, got, due);
		ck_assert_uint_eq(tickets[i].reason, LB_BY_ALGORITHM);
		full += due != clockwise(&f, place, size, none, bound);
		loads[got]++;
	}
	ck_assert_uint_gt(full, 10);
	fleet_close(&f);
}
END_TEST

/* The other algorithms: in the order in which their retries name them. */
START_TEST(a_key_goes_to_its_first_choice_that_is_not_full)
{
	static lb_ticket tickets[HELD];
	fleet f, plain;
	fleet_plan plan;
	uint32_t loads[FLEET_MAX] = {0}, moved = 0;

	draw(&plan, _i, 110);
	fleet_open(&f, &plan, 7, NULL);
	plan.selector.bound_percent = 0;
	fleet_open(&plain, &plan, 7, NULL);
	for (uint32_t i = 0; i < HELD; i++) {
		lb_ticket walk = {0};
		uint64_t key = key_of(&f, i * 31);
		uint32_t bound = most(110, i, 1, 7);
		int due = fleet_select_key(&plain, key, &walk);
		for (int n = 1; n < 7 && loads[due] + 1 > bound; n++) {
			due = fleet_select_key(&plain, key, &walk);
			moved++;
		}
		ck_ok(lb_report_result(plain.selector, &walk, LB_SUCCESS));
		tickets[i] = (lb_ticket){0};
		int got = fleet_select_key(&f, key, &tickets[i]);
		if (got != due)
			ck_abort_msg("key %u: %d, not %d", i, got, due);
		loads[got]++;
	}
	ck_assert_uint_gt(moved, 5);
	fleet_close(&f);
	fleet_close(&plain);
}
END_TEST

enum { KEYS = 10000 };

/*
 * Where 10,000 keys come to be that are placed in order, one of 50 endpoints left out (or none, -1). All stay open; then each
 * comes again, twice, when the bound is that of all of them.
 */
static void place_all(uint32_t percent, int without, int *places)
{
	static lb_ticket tickets[KEYS];
	fleet f;
	fleet_plan plan;

	draw(&plan, 0, percent);
	fleet_open(&f, &plan, 50, NULL);
	if (without >= 0)
		ck_ok(lb_pool_remove(f.pool, f.e[without]));
	memset(tickets, 0, sizeof tickets);
	for (uint32_t i = 0; i < 3 * KEYS; i++) {
		lb_ticket *ticket = &tickets[i % KEYS];
		if (ticket->id != 0 && lb_report_result(f.selector, ticket, LB_SUCCESS) != LB_OK)
			ck_abort_msg("no report");
		places[i % KEYS] = fleet_select_key(&f, key_of(&f, i % KEYS), ticket);
	}
	fleet_close(&f);
}

START_TEST(a_removal_moves_few_more_than_its_own_keys)
{
	static int before[KEYS], after[KEYS];
	static const struct {
		uint32_t percent;
		double most;
	} limits[] = {{125, 1.3}, {110, 1.6}};

	for (size_t row = 0; row < 2; row++) {
		double moved = 0, own = 0;
		place_all(limits[row].percent, -1, before);
		place_all(limits[row].percent, 23, after);
		for (int i = 0; i < KEYS; i++) {
			own += before[i] == 23;
			moved += before[i] != after[i];
		}
		ck_assert_double_ge(own, 100);
		ck_assert_double_le(moved / own, limits[row].most);
	}
}
END_TEST

/* Callers that know the same loads choose alike: another lane, another order of addition. */
START_TEST(callers_agree_on_next_choices)
{
	static lb_ticket tickets[2][HELD];
	fleet f, other;
	fleet_plan plan;
	uint32_t lane;

	draw(&plan, _i, 125);
	fleet_open(&f, &plan, 8, NULL);
	fleet_open(&other, &plan, 0, NULL);
	/* map hash goes by the order of addition */
	bool ordered = rows[_i].algorithm == LB_MAP_HASH || rows[_i].profile != LB_HASH_LBCORE;
	for (int i = 0; i < 8; i++)
		fleet_add(&other, ordered ? i : 7 - i, 1);
	ck_ok(lb_pool_join(other.pool, 5, &lane));
	for (uint32_t i = 0; i < HELD / 2; i++) {
		lb_request request = {.key = key_of(&f, i * 7), .flags = LB_REQUEST_KEY};
		tickets[0][i] = tickets[1][i] = (lb_ticket){0};
		int one = fleet_select(&f, &request, &tickets[0][i]);
		request.lane = lane;
		int two = fleet_select(&other, &request, &tickets[1][i]);
		if (one != two)
			ck_abort_msg("key %u: %d and %d", i, one, two);
	}
	fleet_close(&f);
	fleet_close(&other);
}
END_TEST

/* Two of five open their breakers, and no view was made since: the three divide it all, none takes more than its part. */
START_TEST(those_left_share_what_others_cannot_take)
{
	static lb_ticket tickets[HELD];
	fleet f;
	fleet_plan plan;
	uint32_t loads[FLEET_MAX] = {0};

	draw(&plan, _i, 125);
	plan.pool.breaker = &plan.breaker;
	fleet_open(&f, &plan, 5, NULL);
	ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[1]}, LB_FAILURE), 1);
	ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[4]}, LB_FAILURE), 4);
	for (uint32_t i = 0; i < 300; i++) {
		tickets[i] = (lb_ticket){0};
		/* one hot key */
		int got = fleet_select_key(&f, key_of(&f, 7), &tickets[i]);
		if (got < 0 || got == 1 || got == 4 || ++loads[got] > most(125, i, 1, 3))
			ck_abort_msg("request %u: %d, with %u", i, got, got < 0 ? 0 : loads[got]);
	}
	fleet_close(&f);
}
END_TEST

/*
 * Envoy's NoHostEverOverloaded, OneHostOverloaded and MultipleHostOverloaded: keys of hosts that are not full stay, those of full
 * ones go to one that is not, and always to the same. (To which is another matter there.)
 */
START_TEST(keys_of_full_hosts_go_to_others)
{
	for (int full = 0; full <= 3; full++) {
		fleet f;
		fleet_plan plan;
		int owners[100];
		draw(&plan, _i, 100);
		fleet_open(&f, &plan, 5, NULL);
		for (uint32_t i = 0; i < 100; i++)
			owners[i] = fleet_pick_key(&f, key_of(&f, i * 31));
		/* of up to five requests, each may have one */
		for (int i = 0; i < full; i++) {
			lb_ticket held = {0};
			ck_assert_int_eq(fleet_select(&f, &(lb_request){.prefer = f.e[i]}, &held), i);
		}
		for (uint32_t i = 0; i < 100; i++) {
			int got = fleet_pick_key(&f, key_of(&f, i * 31));
			ck_assert_int_eq(fleet_pick_key(&f, key_of(&f, i * 31)), got);
			if (owners[i] < full ? got < full : got != owners[i])
				ck_abort_msg("%d full, key %u of %d: %d", full, i, owners[i], got);
		}
		fleet_close(&f);
	}
}
END_TEST

START_TEST(a_bound_is_for_hashing_and_at_least_the_fair_share)
{
	fleet f;
	fleet_plan plan;
	lb_selector *selector;

	draw(&plan, 0, 0);
	fleet_open(&f, &plan, 1, NULL);
	for (uint32_t percent = 1; percent <= 1002; percent++) {
		int due = percent >= 100 && percent <= 1000 ? LB_OK : LB_EINVAL;
		plan.selector.bound_percent = percent;
		ck_assert_int_eq(lb_selector_create(&selector, f.pool, &plan.selector), due);
		if (due == LB_OK)
			lb_selector_destroy(selector);
	}
	plan.selector.bound_percent = 125;
	plan.selector.algorithm = LB_TWO_CHOICES;
	ck_assert_int_eq(lb_selector_create(&selector, f.pool, &plan.selector), LB_EINVAL);
	fleet_close(&f);
}
END_TEST

Suite *suite_bounded(void)
{
	Suite *suite = suite_create("bounded");
	TCase *tc = tcase_create("bounded");

	tcase_add_loop_test(tc, no_load_is_ever_above_the_bound, 0, ROWS);
	tcase_add_loop_test(tc, a_key_goes_to_its_first_one_clockwise_that_is_not_full, 0, RINGS);
	tcase_add_loop_test(tc, a_key_goes_to_its_first_choice_that_is_not_full, 0, ROWS);
	tcase_add_test(tc, a_removal_moves_few_more_than_its_own_keys);
	tcase_add_loop_test(tc, callers_agree_on_next_choices, 0, ROWS);
	tcase_add_loop_test(tc, those_left_share_what_others_cannot_take, 0, ROWS);
	tcase_add_loop_test(tc, keys_of_full_hosts_go_to_others, 0, ROWS);
	tcase_add_test(tc, a_bound_is_for_hashing_and_at_least_the_fair_share);
	suite_add_tcase(suite, tc);
	return suite;
}
