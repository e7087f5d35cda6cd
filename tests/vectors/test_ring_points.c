/* Envoy's published rings (test/extensions/load_balancing_policies/ring_hash/ring_hash_lb_test.cc), and its doubles. */
#include "algo/ring_plan.h"
#include "hashing.h"

#include <math.h>

typedef struct point {
	const char *port;
	uint64_t point;
} point;

static void compare(lb_hash_profile profile, uint32_t size, const uint32_t *weights, int first_port, int n,
		    const point *expected, uint32_t points)
{
	hashing h;
	lb_algo_entry entry;

	hashing_open(&h, 16, LB_RING_HASH, profile, size);
	for (int i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof name, "127.0.0.1:%d", first_port + i);
		hashing_add(&h, name, weights ? weights[i] : 1);
	}
	ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), points);
	for (uint32_t i = 0; i < points; i++) {
		hashing_table(&h, 0, i, &entry);
		ck_assert_str_eq(strchr(hashing_name(&h, entry.slot), ':'), expected[i].port);
		ck_assert_uint_eq(entry.point, expected[i].point);
		/* a key at a point belongs to it; one behind it to the next, or to the first */
		ck_assert_str_eq(strchr(hashing_owner_of_bits(&h, expected[i].point), ':'), expected[i].port);
		ck_assert_str_eq(strchr(hashing_owner_of_bits(&h, expected[i].point + 1), ':'),
				 expected[(i + 1) % points].port);
	}
	hashing_close(&h);
}

START_TEST(the_basic_ring_of_envoy)
{
	static const point expected[12] = {
	    {":94", 833437586790550860u},   {":92", 928266305478181108u},   {":90", 1033482794131418490u},
	    {":95", 3551244743356806947u},  {":93", 3851675632748031481u},  {":91", 5583722120771150861u},
	    {":91", 6311230543546372928u},  {":93", 7700377290971790572u},  {":95", 13144177310400110813u},
	    {":92", 13444792449719432967u}, {":94", 15516499411664133160u}, {":90", 16117243373044804889u},
	};

	compare(LB_HASH_ENVOY, 12, NULL, 90, 6, expected, 12);
}
END_TEST

START_TEST(the_uneven_ring_of_envoy)
{
	static const point expected[6] = {
	    {":92", 928266305478181108u},  {":92", 4443673547860492590u},  {":91", 5583722120771150861u},
	    {":91", 6311230543546372928u}, {":92", 13444792449719432967u}, {":90", 16117243373044804889u},
	};

	compare(LB_HASH_ENVOY, 6, (uint32_t[]){1, 2, 3}, 90, 3, expected, 6);
	/* a least size of 3 is too small for the weights: it grows by itself */
	compare(LB_HASH_ENVOY, 3, (uint32_t[]){1, 2, 3}, 90, 3, expected, 6);
}
END_TEST

START_TEST(the_ring_of_envoy_for_two_hosts_and_a_least_size_of_three)
{
	static const point expected[4] = {
	    {":80", 5454692015285649509u},
	    {":81", 7859399908942313493u},
	    {":80", 13838424394637650569u},
	    {":81", 16064866803292627174u},
	};

	compare(LB_HASH_ENVOY, 3, NULL, 80, 2, expected, 4);
}
END_TEST

/* Envoy's own arithmetic: how many points each host gets. */
static void points_in_doubles(const uint32_t *weights, uint32_t n, uint32_t least, uint32_t greatest,
			      uint64_t *points)
{
	volatile double parts[64], smallest = 1, target = 0;
	uint64_t total = 0, given = 0;

	for (uint32_t i = 0; i < n; i++)
		total += weights[i];
	for (uint32_t i = 0; i < n; i++) {
		parts[i] = weights[i] / (double)total;
		smallest = parts[i] < smallest ? parts[i] : smallest;
	}
	volatile double scale = ceil(smallest * least) / smallest;
	scale = scale < greatest ? scale : greatest;
	for (uint32_t i = 0; i < n; i++) {
		volatile double more = scale * parts[i];
		target = target + more;
		points[i] = 0;
		for (; (double)given < target; given++)
			points[i]++;
	}
}

START_TEST(shares_are_those_of_doubles)
{
	static lb_atomic32 kept[64];
	static lb_member members[64];
	uint32_t weights[64];
	uint64_t random = 7, points[64];
	long differ = 0;

	for (long round = 0; round < rounds(20000); round++) {
		uint32_t n = 1 + (uint32_t)round % 64, most = 1 + (uint32_t)(round / 64) % 130;
		lb_algo_rules rules = {.profile = LB_HASH_ENVOY, .table_size = 1 + (uint32_t)round % 2000};
		lb_algo_view view = {.rules = &rules, .weights = kept};
		lb_tier tier = {.members = members, .n = n};
		for (uint32_t i = 0; i < n; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			weights[i] = 1 + (uint32_t)(random >> 40) % most;
			lb_put(&members[i].slot, i);
			lb_put(&kept[i], weights[i]);
		}
		points_in_doubles(weights, n, rules.table_size, 5000, points);
		lb_ring_plan plan = lb_ring_plan_of(&view, &tier, 5000, 1);
		for (uint32_t i = 0; i < n; i++)
			differ += lb_ring_plan_next(&plan, weights[i]) != points[i];
	}
	ck_assert_int_eq(differ, 0);
}
END_TEST

Suite *suite_ring_points(void)
{
	Suite *suite = suite_create("ring points");
	TCase *tcase = tcase_create("envoy");

	tcase_add_test(tcase, the_basic_ring_of_envoy);
	tcase_add_test(tcase, the_uneven_ring_of_envoy);
	tcase_add_test(tcase, the_ring_of_envoy_for_two_hosts_and_a_least_size_of_three);
	tcase_add_test(tcase, shares_are_those_of_doubles);
	suite_add_tcase(suite, tcase);
	return suite;
}
