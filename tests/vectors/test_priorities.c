/*
 * Envoy's published numbers for priorities, panic and degraded endpoints. Sources: its documentation, under
 * docs/root/intro/arch_overview/upstream/load_balancing (priority, panic_threshold, degraded), and its unit test
 * test/extensions/load_balancing_policies/common/load_balancer_impl_base_test.cc (LoadBalancerBaseTest: GentleFailover,
 * GentleFailoverWithExtraLevels, PrioritySelection, OverProvisioningFactor and WeightedPriorityHealth...).
 */
#include "core/shares.h"
#include "levels.h"

enum { LEVELS = 3 };

/* One row of a table: levels as {hosts, healthy, degraded, excluded}, and what must come of them. */
typedef struct row {
	uint32_t given[LEVELS][4];
	uint32_t n;
	uint32_t healthy[LEVELS], degraded[LEVELS];
	bool panic[LEVELS];
	uint32_t available; /* 0 = the source does not say */
} row;

/* Envoy's defaults */
static const lb_shares_rules usual = {.overprovision_percent = 140, .panic_percent = 50};

static void check_row(const row *r, const lb_shares_rules *rules, int number)
{
	lb_level levels[LEVELS] = {{0}};
	lb_shares shares;

	for (uint32_t i = 0; i < r->n; i++)
		levels[i] = (lb_level){.total = r->given[i][0] - r->given[i][3],
				       .healthy = r->given[i][1],
				       .degraded = r->given[i][2],
				       .hosts = r->given[i][0]};
	lb_shares_of(&shares, rules, levels, r->n);
	for (uint32_t i = 0; i < r->n; i++) {
		ck_assert_msg(shares.healthy[i] == r->healthy[i], "row %d, level %u: healthy %u, not %u",
			      number, i, shares.healthy[i], r->healthy[i]);
		ck_assert_msg(shares.degraded[i] == r->degraded[i], "row %d, level %u: degraded %u, not %u",
			      number, i, shares.degraded[i], r->degraded[i]);
		ck_assert_msg(shares.panic[i] == r->panic[i], "row %d, level %u: panic", number, i);
	}
	ck_assert_msg(r->available == 0 || shares.available == r->available, "row %d: available %u, not %u",
		      number, shares.available, r->available);
}

#define CHECK_ROWS(rows, rules)                                                                              \
	for (size_t i = 0; i < sizeof(rows) / sizeof(*(rows)); i++)                                          \
	check_row(&(rows)[i], rules, (int)i)

/* priority.rst, the table of one failover level */
START_TEST(a_level_spills_over_below_72_percent)
{
	static const row rows[] = {
	    {.given = {{100, 100}, {100, 100}}, .n = 2, .healthy = {100, 0}},
	    {.given = {{100, 72}, {100, 100}}, .n = 2, .healthy = {100, 0}},
	    {.given = {{100, 71}, {100, 100}}, .n = 2, .healthy = {99, 1}},
	    {.given = {{100, 50}, {100, 100}}, .n = 2, .healthy = {70, 30}},
	    {.given = {{100, 25}, {100, 100}}, .n = 2, .healthy = {35, 65}},
	    {.given = {{100, 0}, {100, 100}}, .n = 2, .healthy = {0, 100}},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* priority.rst, the tables of two and of three levels */
START_TEST(levels_fill_up_in_order)
{
	static const row rows[] = {
	    {.given = {{100, 100}, {100, 100}}, .n = 2, .healthy = {100, 0}},
	    {.given = {{100, 72}, {100, 72}}, .n = 2, .healthy = {100, 0}},
	    {.given = {{100, 71}, {100, 71}}, .n = 2, .healthy = {99, 1}},
	    {.given = {{100, 50}, {100, 50}}, .n = 2, .healthy = {70, 30}},
	    {.given = {{100, 25}, {100, 100}}, .n = 2, .healthy = {35, 65}},
	    {.given = {{100, 25}, {100, 25}}, .n = 2, .healthy = {50, 50}, .panic = {true, true}},
	    {.given = {{100, 25}, {100, 100}, {100, 100}}, .n = 3, .healthy = {35, 65, 0}},
	    {.given = {{100, 25}, {100, 25}, {100, 100}}, .n = 3, .healthy = {35, 35, 30}},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* priority.rst says 36 / 36 / 28; Envoy's code gives level 0 all that rounding left. Its loads there are by health: no panic */
START_TEST(rounding_goes_to_the_first_level_as_in_the_code_not_the_docs)
{
	static const row rows[] = {
	    {.given = {{100, 25}, {100, 25}, {100, 20}}, .n = 3, .healthy = {37, 35, 28}, .available = 98},
	};
	CHECK_ROWS(rows, (&(lb_shares_rules){.overprovision_percent = 140}));
}
END_TEST

/*
 * panic_threshold.rst. Of 50 and 60 it says 50 / 50, of 25 and 100 it says 25 / 75, against its own first table and against the
 * code; of the last row 7 / 93, which leaves out the rest of the rounding.
 */
START_TEST(panic_needs_too_little_capacity_and_a_sick_level)
{
	static const row rows[] = {
	    {.given = {{100, 72}, {100, 72}}, .n = 2, .healthy = {100, 0}, .available = 100},
	    {.given = {{100, 71}, {100, 71}}, .n = 2, .healthy = {99, 1}, .available = 100},
	    {.given = {{100, 50}, {100, 60}}, .n = 2, .healthy = {70, 30}, .available = 100},
	    {.given = {{100, 25}, {100, 100}}, .n = 2, .healthy = {35, 65}, .available = 100},
	    {.given = {{100, 25}, {100, 25}},
	     .n = 2,
	     .healthy = {50, 50},
	     .panic = {true, true},
	     .available = 70},
	    {.given = {{100, 5}, {100, 65}}, .n = 2, .healthy = {8, 92}, .panic = {true}, .available = 98},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

START_TEST(a_panic_threshold_of_0_is_never)
{
	static const row rows[] = {
	    {.given = {{6, 2}}, .n = 1, .healthy = {100}, .available = 46},
	    {.given = {{6, 0}}, .n = 1, .healthy = {100}},
	    {.given = {{6, 0}, {3, 0}}, .n = 2, .healthy = {100, 0}},
	};
	CHECK_ROWS(rows, (&(lb_shares_rules){.overprovision_percent = 140}));
}
END_TEST

/* round_robin_lb_test.cc, MaxUnhealthyPanic: 2 of 6 use all, 4 of 6 the healthy ones only */
START_TEST(two_of_six_healthy_is_panic_four_are_not)
{
	static const row rows[] = {
	    {.given = {{6, 2}}, .n = 1, .healthy = {100}, .panic = {true}},
	    {.given = {{6, 4}}, .n = 1, .healthy = {100}, .available = 93},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* degraded.rst */
START_TEST(degraded_ones_get_what_healthy_ones_cannot_take)
{
	static const row rows[] = {
	    {.given = {{100, 100, 0}}, .n = 1, .healthy = {100}},
	    {.given = {{100, 71, 0}}, .n = 1, .healthy = {100}},
	    {.given = {{100, 71, 29}}, .n = 1, .healthy = {99}, .degraded = {1}},
	    {.given = {{100, 25, 65}}, .n = 1, .healthy = {35}, .degraded = {65}},
	    {.given = {{100, 5, 0}}, .n = 1, .healthy = {100}, .panic = {true}},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* GentleFailover */
START_TEST(unit_test_two_levels)
{
	static const row rows[] = {
	    {.given = {{1, 1}, {1, 1}}, .n = 2, .healthy = {100, 0}},
	    {.given = {{2, 1}, {2, 1}}, .n = 2, .healthy = {70, 30}},
	    {.given = {{4, 1}, {2, 2}}, .n = 2, .healthy = {35, 65}},
	    {.given = {{4, 1}, {4, 1}}, .n = 2, .healthy = {50, 50}, .panic = {true, true}},
	    {.given = {{4, 1, 0, 3}, {5, 1}}, .n = 2, .healthy = {100, 0}},
	    {.given = {{4, 0, 0, 4}, {4, 1}}, .n = 2, .healthy = {50, 50}, .panic = {true, true}},
	    {.given = {{4, 0, 0, 1}, {6, 1, 0, 2}}, .n = 2, .healthy = {40, 60}, .panic = {true, true}},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* GentleFailoverWithExtraLevels, by health */
START_TEST(unit_test_three_levels)
{
	static const row rows[] = {
	    {.given = {{1, 1}, {1, 1}, {1, 1}}, .n = 3, .healthy = {100, 0, 0}},
	    {.given = {{2, 1}, {2, 1}, {2, 1}}, .n = 3, .healthy = {70, 30, 0}},
	    {.given = {{4, 1}, {2, 2}, {2, 1}}, .n = 3, .healthy = {35, 65, 0}},
	    {.given = {{4, 1}, {4, 1}, {4, 1}}, .n = 3, .healthy = {35, 35, 30}},
	    {.given = {{5, 0}, {5, 0}, {5, 5}}, .n = 3, .healthy = {0, 0, 100}},
	    {.given = {{5, 0}, {5, 0}, {5, 4}}, .n = 3, .healthy = {0, 0, 100}},
	    {.given = {{5, 0, 5}, {5, 2, 2}, {5, 2}}, .n = 3, .healthy = {0, 56, 44}},
	    {.given = {{5, 0, 1}, {5, 0, 5}, {5, 1}}, .n = 3, .healthy = {0, 0, 28}, .degraded = {28, 44, 0}},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* The same: the first degraded level takes the rest of the rounding if none has healthy ones */
START_TEST(unit_test_three_levels_no_panic)
{
	static const row rows[] = {
	    {.given = {{5, 0}, {5, 0, 2}, {5, 0, 1}}, .n = 3, .degraded = {0, 67, 33}},
	};
	CHECK_ROWS(rows, (&(lb_shares_rules){.overprovision_percent = 140}));
}
END_TEST

/* GentleFailoverWithExtraLevels and PrioritySelection */
START_TEST(unit_test_all_in_panic_counts_heads)
{
	static const bool all[LEVELS] = {true, true, true};
	static const struct {
		uint32_t given[LEVELS][4], n, healthy[LEVELS];
	} heads[] = {
	    {{{5, 1}, {5, 1}, {5, 1}}, 3, {34, 33, 33}},
	    {{{5, 0}, {5, 0}, {5, 2}}, 3, {34, 33, 33}},
	    {{{5, 0}, {3, 0}, {2, 0}}, 3, {50, 30, 20}},
	    {{{5, 0}, {6, 2}, {3, 1}}, 3, {37, 42, 21}},
	    {{{5}, {5, 0, 2}, {5, 0, 1}}, 3, {34, 33, 33}},
	    {{{3, 0}, {3, 0}, {3, 0}}, 3, {34, 33, 33}},
	    {{{0, 0}, {6, 0}, {3, 0}}, 3, {0, 67, 33}},
	    {{{1, 0}, {1, 0}}, 2, {50, 50}},
	    {{{1, 0}, {2, 0}}, 2, {34, 66}},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		row r = {.n = heads[i].n};
		memcpy(r.given, heads[i].given, sizeof(r.given));
		memcpy(r.healthy, heads[i].healthy, sizeof(r.healthy));
		memcpy(r.panic, all, sizeof(all));
		check_row(&r, &usual, (int)i);
	}
}
END_TEST

/* PrioritySelection: a healthy level 2 ends the panic of the others */
START_TEST(unit_test_a_healthy_third_level_ends_the_panic)
{
	static const row rows[] = {
	    {.given = {{1, 0}, {2, 0}, {1, 1}}, .n = 3, .healthy = {0, 0, 100}, .available = 100},
	    {.given = {{1, 1}, {2, 0}, {1, 1}}, .n = 3, .healthy = {100, 0, 0}, .available = 100},
	};
	CHECK_ROWS(rows, &usual);
}
END_TEST

/* OverProvisioningFactor and WeightedPriorityHealth, Excluded, Degraded: the last three in weight */
START_TEST(unit_test_overprovisioning_of_1)
{
	static const row rows[] = {
	    {.given = {{4, 2}, {4, 2}}, .n = 2, .healthy = {50, 50}},
	    {.given = {{10, 6}, {1, 1}}, .n = 2, .healthy = {60, 40}},
	    {.given = {{20, 4, 0, 10}, {1, 1}}, .n = 2, .healthy = {40, 60}},
	    {.given = {{10, 4, 3}, {10, 1, 9}}, .n = 2, .healthy = {40, 10}, .degraded = {30, 20}},
	};
	CHECK_ROWS(rows, (&(lb_shares_rules){.overprovision_percent = 100, .panic_percent = 50}));
}
END_TEST

/* choosePriority: the first whose cumulative load reaches hash % 100 + 1, healthy ones of all levels first */
START_TEST(the_last_two_digits_of_a_hash_choose)
{
	crowd c;
	static const struct {
		uint64_t hash;
		uint32_t level;
		bool degraded;
	} picks[] = {
	    {0, 2, false}, {27, 2, false}, {28, 0, true},   {55, 0, true},
	    {56, 1, true}, {99, 1, true},  {100, 2, false}, {UINT64_MAX, 2, false}, /* 15 */
	};

	level_open(&c, 50);
	level_add(&c, 0, 5, 0, 1); /* 0, 0, 28 and 28, 44, 0 */
	level_add(&c, 1, 5, 0, 5);
	level_add(&c, 2, 5, 1, 0);
	for (int keyed = 0; keyed < 2; keyed++) {
		if (keyed)
			crowd_choose_by(&c, LB_MAP_HASH);
		for (size_t i = 0; i < sizeof(picks) / sizeof(*picks); i++) {
			lb_request key = {.key = picks[i].hash, .flags = LB_REQUEST_KEY};
			int e = keyed ? crowd_pick(&c, &key, NULL) : level_pick_at(&c, picks[i].hash, NULL);
			ck_assert_uint_eq(c.priority[e], picks[i].level);
			ck_assert_int_eq(c.health[e], picks[i].degraded ? LB_DEGRADED : LB_HEALTHY);
		}
	}
	crowd_close(&c);
}
END_TEST

Suite *suite_priorities(void)
{
	Suite *suite = suite_create("priorities");
	TCase *tc = tcase_create("published");

	tcase_add_test(tc, a_level_spills_over_below_72_percent);
	tcase_add_test(tc, levels_fill_up_in_order);
	tcase_add_test(tc, rounding_goes_to_the_first_level_as_in_the_code_not_the_docs);
	tcase_add_test(tc, panic_needs_too_little_capacity_and_a_sick_level);
	tcase_add_test(tc, a_panic_threshold_of_0_is_never);
	tcase_add_test(tc, two_of_six_healthy_is_panic_four_are_not);
	tcase_add_test(tc, degraded_ones_get_what_healthy_ones_cannot_take);
	tcase_add_test(tc, unit_test_two_levels);
	tcase_add_test(tc, unit_test_three_levels);
	tcase_add_test(tc, unit_test_three_levels_no_panic);
	tcase_add_test(tc, unit_test_all_in_panic_counts_heads);
	tcase_add_test(tc, unit_test_a_healthy_third_level_ends_the_panic);
	tcase_add_test(tc, unit_test_overprovisioning_of_1);
	tcase_add_test(tc, the_last_two_digits_of_a_hash_choose);
	suite_add_tcase(suite, tc);
	return suite;
}
