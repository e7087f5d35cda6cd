/* Shares of priority levels: laws over all small counts, and Envoy's own arithmetic, doubles and all, beside ours. */
#include "core/shares.h"
#include "levels.h"

#include <string.h>

enum { MOST = 3 };

/* What a level of up to `hosts` endpoints may look like: {total, healthy, degraded}. Returns how many ways. */
static int all_levels(uint32_t hosts, uint32_t step, lb_level *levels)
{
	int n = 0;

	for (uint32_t total = 0; total <= hosts; total += step)
		for (uint32_t healthy = 0; healthy <= total; healthy++)
			for (uint32_t degraded = 0; degraded <= total - healthy; degraded++)
				levels[n++] = (lb_level){total, healthy, degraded, total};
	return n;
}

/* The reference: three steps over doubles and signed numbers, as they stand in load_balancer_impl.cc. */
typedef struct reference {
	int health[MOST], degraded[MOST], load[MOST], degraded_load[MOST];
	bool panic[MOST];
	int normalized;
} reference;

static int at_most(int limit, long value)
{
	return value < limit ? (int)value : limit;
}

static void reference_distribute(int *load, const int *availability, int n, int *total_load, int normalized,
				 int *first)
{
	*first = -1;
	for (int i = 0; i < n; i++) {
		if (*first < 0 && availability[i] > 0)
			*first = i;
		load[i] = at_most(*total_load, (long)availability[i] * 100 / normalized);
		*total_load -= load[i];
	}
}

static void reference_state(reference *r, long factor, const lb_level *levels, int n)
{
	int total_load = 100, first_healthy = -1, first_degraded = -1;

	for (int i = 0; i < n; i++) {
		if (levels[i].total == 0)
			continue;
		r->health[i] = at_most(100, factor * levels[i].healthy / levels[i].total);
		r->degraded[i] = at_most(100, factor * levels[i].degraded / levels[i].total);
		r->normalized = at_most(100, r->normalized + r->health[i] + r->degraded[i]);
	}
	if (r->normalized == 0)
		return;
	reference_distribute(r->load, r->health, n, &total_load, r->normalized, &first_healthy);
	reference_distribute(r->degraded_load, r->degraded, n, &total_load, r->normalized, &first_degraded);
	if (total_load != 0 && first_healthy != -1)
		r->load[first_healthy] += total_load;
	else if (total_load != 0)
		r->degraded_load[first_degraded] += total_load;
}

static void reference_total_panic(reference *r, const lb_level *levels, int n)
{
	int all = 0, total_load = 100, first = -1;

	for (int i = 0; i < n; i++)
		all += (int)levels[i].hosts;
	if (all == 0) {
		r->load[0] = 100;
		return;
	}
	for (int i = 0; i < n; i++) {
		if (first == -1 && levels[i].hosts != 0)
			first = i;
		r->load[i] = 100 * (int)levels[i].hosts / all;
		r->degraded_load[i] = 0;
		total_load -= r->load[i];
	}
	r->load[first] += total_load;
}

static void reference_panic(reference *r, uint32_t threshold, const lb_level *levels, int n)
{
	bool total_panic = true;

	if (threshold == 0 && r->normalized == 0) {
		r->load[0] = 100;
		return;
	}
	for (int i = 0; i < n; i++) {
		double count = levels[i].total;
		double healthy = count == 0 ? 0.0 : 100.0 * levels[i].healthy / count;
		double degraded = count == 0 ? 0.0 : 100.0 * levels[i].degraded / count;
		r->panic[i] = r->normalized != 100 && healthy + degraded < threshold;
		total_panic = total_panic && r->panic[i];
	}
	if (total_panic)
		reference_total_panic(r, levels, n);
}

static void compare(const lb_shares_rules *rules, const lb_level *levels, int n)
{
	reference r = {.normalized = 0};
	lb_shares shares;

	reference_state(&r, rules->overprovision_percent, levels, n);
	reference_panic(&r, rules->panic_percent, levels, n);
	lb_shares_of(&shares, rules, levels, (uint32_t)n);
	if ((int)shares.available != r.normalized)
		ck_abort_msg("available %u, not %d", shares.available, r.normalized);
	for (int i = 0; i < n; i++)
		if ((int)shares.healthy[i] != r.load[i] || (int)shares.degraded[i] != r.degraded_load[i] ||
		    shares.panic[i] != r.panic[i])
			ck_abort_msg("%u/%u/%u %u/%u/%u %u/%u/%u, level %d: %u %u %d, not %d %d %d",
				     levels[0].total, levels[0].healthy, levels[0].degraded, levels[1].total,
				     levels[1].healthy, levels[1].degraded, levels[2].total,
				     levels[2].healthy, levels[2].degraded, i, shares.healthy[i],
				     shares.degraded[i], shares.panic[i], r.load[i], r.degraded_load[i],
				     r.panic[i]);
}

/* The laws that hold whatever the numbers. */
static void check_laws(const lb_shares_rules *rules, const lb_level *levels, int n)
{
	lb_shares shares;
	uint32_t sum = 0, hosts = 0;

	lb_shares_of(&shares, rules, levels, (uint32_t)n);
	for (int i = 0; i < n; i++) {
		sum += shares.healthy[i] + shares.degraded[i];
		hosts += levels[i].hosts;
	}
	if (sum != 100 || shares.available > 100)
		ck_abort_msg("loads sum to %u, available %u", sum, shares.available);
	for (int i = 0; i < n && hosts > 0; i++) {
		bool nobody = shares.available == 0 && rules->panic_percent == 0;
		bool empty = shares.panic[i] ? levels[i].hosts == 0 : levels[i].healthy == 0;
		if (shares.healthy[i] > 0 && empty && !nobody)
			ck_abort_msg("level %d gets %u %% and has nobody", i, shares.healthy[i]);
		if (shares.degraded[i] > 0 && levels[i].degraded == 0)
			ck_abort_msg("level %d gets %u %% and has no degraded", i, shares.degraded[i]);
	}
}

static void over_three(uint32_t hosts, const lb_shares_rules *rules,
		       void (*visit)(const lb_shares_rules *, const lb_level *, int))
{
	static lb_level ways[256];
	int n = all_levels(hosts, 1, ways);

	for (int a = 0; a < n; a++)
		for (int b = 0; b < n; b++)
			for (int c = 0; c < n; c++)
				visit(rules, (lb_level[]){ways[a], ways[b], ways[c]}, 3);
}

static const lb_shares_rules many_rules[] = {
    {140, 50}, {140, 0}, {100, 50}, {140, 100}, {100, 1}, {200, 67},
};

START_TEST(three_levels_agree_with_envoys_arithmetic)
{
	lb_shares_rules usual = {140, 50};

	over_three(rounds(1000) == 1000 ? 6 : 3, &usual, compare);
}
END_TEST

START_TEST(three_small_levels_agree_under_many_rules)
{
	for (size_t i = 0; i < sizeof(many_rules) / sizeof(*many_rules); i++)
		over_three(rounds(1000) == 1000 ? 4 : 2, &many_rules[i], compare);
}
END_TEST

START_TEST(two_large_levels_agree)
{
	static lb_level ways[1024];
	int n = all_levels(15, 5, ways);

	for (size_t i = 0; i < sizeof(many_rules) / sizeof(*many_rules); i++)
		for (int a = 0; a < n; a++)
			for (int b = 0; b < n; b++)
				compare(&many_rules[i], (lb_level[]){ways[a], ways[b], {0}}, 2);
}
END_TEST

START_TEST(loads_sum_to_100_and_go_where_somebody_is)
{
	for (size_t i = 0; i < sizeof(many_rules) / sizeof(*many_rules); i++)
		over_three(3, &many_rules[i], check_laws);
}
END_TEST

/* One more healthy endpoint at a level, in the place of an unhealthy one. By health only: panic may turn things over. */
static void check_monotone(const lb_shares_rules *rules, const lb_level *levels, int n)
{
	lb_shares before, after;

	lb_shares_of(&before, rules, levels, (uint32_t)n);
	for (int i = 0; i < n && before.available > 0; i++) {
		lb_level better[MOST];
		if (levels[i].healthy + levels[i].degraded >= levels[i].total)
			continue;
		memcpy(better, levels, (size_t)n * sizeof(*levels));
		better[i].healthy++;
		lb_shares_of(&after, rules, better, (uint32_t)n);
		if (after.available < before.available)
			ck_abort_msg("less is available");
		if (after.healthy[i] < before.healthy[i])
			ck_abort_msg("a healthier level %d gets %u after %u %%", i, after.healthy[i],
				     before.healthy[i]);
	}
}

START_TEST(a_healthier_level_never_gets_less)
{
	over_three(rounds(1000) == 1000 ? 4 : 3, &(lb_shares_rules){140, 0}, check_monotone);
	over_three(3, &(lb_shares_rules){100, 0}, check_monotone);
}
END_TEST

/* One third and one sixth are 50 % well: no panic. In doubles such sums may come out below. */
START_TEST(panic_compares_exactly)
{
	lb_shares shares;

	for (uint32_t total = 1; total <= 600; total++)
		for (uint32_t healthy = 0; healthy <= total; healthy++) {
			uint32_t well = 100 * healthy / total;
			bool whole = well * total == 100 * healthy;
			if (well == 0 || !whole)
				continue;
			lb_level level = {total, healthy / 3, healthy - healthy / 3, total};
			lb_shares_of(&shares, &(lb_shares_rules){100, well}, &level, 1);
			ck_assert(!shares.panic[0]);
			lb_shares_of(&shares, &(lb_shares_rules){100, well + 1}, &level, 1);
			ck_assert(shares.panic[0] == (well < 100));
		}
}
END_TEST

START_TEST(the_largest_numbers_do_not_overflow)
{
	lb_shares shares;
	lb_level levels[LB_LEVELS];

	for (int i = 0; i < LB_LEVELS; i++)
		levels[i] = (lb_level){UINT32_MAX, UINT32_MAX / 10, 0, UINT32_MAX};
	lb_shares_of(&shares, &(lb_shares_rules){100, 0}, levels, LB_LEVELS); /* 9 % each */
	ck_assert_uint_eq(shares.available, 72);
	ck_assert_uint_eq(shares.healthy[0], 16);
	ck_assert_uint_eq(shares.healthy[7], 12);
	lb_shares_of(&shares, &(lb_shares_rules){100, 50}, levels, LB_LEVELS); /* all in panic */
	ck_assert_uint_eq(shares.healthy[0], 16);
	ck_assert_uint_eq(shares.healthy[7], 12);
	ck_assert(shares.panic[7]);
	lb_shares_of(&shares, &(lb_shares_rules){UINT32_MAX, UINT32_MAX}, levels, LB_LEVELS);
	ck_assert_uint_eq(shares.healthy[0], 100);
	ck_assert(!shares.panic[0]);
}
END_TEST

START_TEST(hundred_numbers_are_dealt_by_the_loads)
{
	static const lb_level levels[] = {{7, 1, 2, 7}, {5, 1, 1, 5}, {9, 2, 0, 9}};
	lb_pool_config config = crowd_config();
	lb_shares shares;
	crowd c;
	uint32_t healthy[MOST] = {0}, degraded[MOST] = {0};

	lb_shares_of(&shares, &(lb_shares_rules){100, 0}, levels, MOST);
	config.overprovision_percent = 100;
	crowd_open(&c, &config, LB_ROUND_ROBIN, true);
	for (uint32_t i = 0; i < MOST; i++)
		level_add(&c, i, levels[i].total, levels[i].healthy, levels[i].degraded);
	for (uint64_t i = 0; i < 100; i++) {
		int e = level_pick_at(&c, i * 7 + 12300, NULL);
		(c.health[e] == LB_DEGRADED ? degraded : healthy)[c.priority[e]]++;
	}
	crowd_close(&c);
	for (int i = 0; i < MOST; i++) {
		ck_assert_uint_eq(healthy[i], shares.healthy[i]);
		ck_assert_uint_eq(degraded[i], shares.degraded[i]);
	}
}
END_TEST

Suite *suite_levels(void)
{
	Suite *suite = suite_create("levels");
	TCase *tc = tcase_create("shares");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, three_levels_agree_with_envoys_arithmetic);
	tcase_add_test(tc, three_small_levels_agree_under_many_rules);
	tcase_add_test(tc, two_large_levels_agree);
	tcase_add_test(tc, loads_sum_to_100_and_go_where_somebody_is);
	tcase_add_test(tc, a_healthier_level_never_gets_less);
	tcase_add_test(tc, panic_compares_exactly);
	tcase_add_test(tc, the_largest_numbers_do_not_overflow);
	tcase_add_test(tc, hundred_numbers_are_dealt_by_the_loads);
	suite_add_tcase(suite, tc);
	return suite;
}
