/*
 * Envoy's published rings (test/extensions/load_balancing_policies/ring_hash/ring_hash_lb_test.cc; each test here names the
 * RingHashLoadBalancerTest case that it is taken from), and Envoy's doubles.
 */
#include "algo/ring_plan.h"
#include "algo/ring_points.h"
#include "hashing.h"

#include <math.h>

typedef struct point {
	const char *host; /* without what is before it in each name */
	uint64_t point;
} point;

/* Hosts that are called by a text and a number each. */
typedef struct ring {
	const char *before;
	int first, n;
	uint32_t size;           /* the least one */
	const uint32_t *weights; /* NULL = 1 for each */
	const uint32_t *zones;   /* not NULL: each host is in a zone of its own, which has this weight */
} ring;

static void open_ring(hashing *h, const ring *r)
{
	lb_endpoint endpoint;

	hashing_open(h, 16, LB_RING_HASH, LB_HASH_ENVOY, r->size);
	for (int i = 0; i < r->n; i++) {
		lb_endpoint_config config;
		char name[32];
		snprintf(name, sizeof name, "%s%d", r->before, r->first + i);
		lb_endpoint_config_init(&config, sizeof config);
		config.name = name;
		config.weight = r->weights ? r->weights[i] : 1;
		config.zone = r->zones ? 1 + (uint32_t)i : 0;
		ck_ok(lb_pool_add_endpoint(h->pool, &config, &endpoint));
		if (r->zones)
			ck_ok(lb_pool_set_zone(h->pool, config.zone, r->zones[i], 0));
	}
}

static void compare(const ring *r, const point *expected, uint32_t points)
{
	hashing h;
	lb_algo_entry entry;
	size_t skipped = strlen(r->before);

	open_ring(&h, r);
	ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), points);
	for (uint32_t i = 0; i < points; i++) {
		hashing_table(&h, 0, i, &entry);
		ck_assert_str_eq(hashing_name(&h, entry.slot) + skipped, expected[i].host);
		ck_assert_uint_eq(entry.point, expected[i].point);
		/* a key at a point belongs to it; one behind it to the next, or to the first */
		ck_assert_str_eq(hashing_owner_of_bits(&h, expected[i].point) + skipped, expected[i].host);
		ck_assert_str_eq(hashing_owner_of_bits(&h, expected[i].point + 1) + skipped,
				 expected[(i + 1) % points].host);
	}
	hashing_close(&h);
}

/* Basic */
static const ring basic = {.before = "127.0.0.1:", .first = 90, .n = 6, .size = 12};

START_TEST(the_basic_ring_of_envoy)
{
	static const point expected[12] = {
	    {"94", 833437586790550860u},   {"92", 928266305478181108u},   {"90", 1033482794131418490u},
	    {"95", 3551244743356806947u},  {"93", 3851675632748031481u},  {"91", 5583722120771150861u},
	    {"91", 6311230543546372928u},  {"93", 7700377290971790572u},  {"95", 13144177310400110813u},
	    {"92", 13444792449719432967u}, {"94", 15516499411664133160u}, {"90", 16117243373044804889u},
	};

	compare(&basic, expected, 12);
}
END_TEST

/* BasicWithHostname; BasicWithMetadataHashKey has the same ring */
START_TEST(the_ring_of_envoy_by_host_names)
{
	static const point expected[12] = {
	    {"95", 1975508444536362413u},  {"95", 2376063919839173711u},  {"93", 2386806903309390596u},
	    {"94", 6749904478991551885u},  {"93", 6803900775736438537u},  {"92", 7225015537174310577u},
	    {"90", 8787465352164086522u},  {"92", 11282020843382717940u}, {"91", 13723418369486627818u},
	    {"90", 13776502110861797421u}, {"91", 14338313586354474791u}, {"94", 15364271037087512980u},
	};

	compare(&(ring){.before = "", .first = 90, .n = 6, .size = 12}, expected, 12);
}
END_TEST

/* BasicWithRetryHostPredicate: key 0 is of :94, then come :92 and :90. */
START_TEST(a_retry_goes_on_along_the_ring_of_envoy)
{
	static const char *const expected[] = {"127.0.0.1:94", "127.0.0.1:92", "127.0.0.1:90"};
	hashing h;
	lb_ticket ticket = {0};

	open_ring(&h, &basic);
	for (int i = 0; i < 3; i++) {
		ck_ok(lb_select(h.selector, &(lb_request){.flags = LB_REQUEST_KEY}, &ticket));
		ck_assert_str_eq(ticket.name, expected[i]);
		ck_ok(lb_report_result(h.selector, &ticket, LB_REFUSED));
	}
	hashing_close(&h);
}
END_TEST

/* HostWeightedTinyRing and LocalityWeightedTinyRing */
static const point tiny[6] = {
    {"92", 928266305478181108u},  {"92", 4443673547860492590u},  {"91", 5583722120771150861u},
    {"91", 6311230543546372928u}, {"92", 13444792449719432967u}, {"90", 16117243373044804889u},
};

START_TEST(the_tiny_ring_of_envoy_by_weights)
{
	ring r = {.before = "127.0.0.1:", .first = 90, .n = 3, .size = 6, .weights = (uint32_t[]){1, 2, 3}};

	compare(&r, tiny, 6);
	/* a least size of 3 is too small for the weights: it grows by itself */
	r.size = 3;
	compare(&r, tiny, 6);
}
END_TEST

static const ring by_zones = {
    .before = "127.0.0.1:", .first = 90, .n = 4, .size = 6, .zones = (const uint32_t[]){1, 2, 3, 0}};

/* LocalityWeightedTinyRing: the fourth host, in a zone of weight 0, has no point. */
START_TEST(a_zone_of_weight_0_has_no_point)
{
	compare(&by_zones, tiny, 6);
}
END_TEST

/* HostAndLocalityWeightedTinyRing and HostAndLocalityWeightedLargeRing: zones of weight 1 and 2, hosts of weight 1 and 2 in each. */
static void open_both(hashing *h, uint32_t size)
{
	lb_endpoint endpoint;

	hashing_open(h, 16, LB_RING_HASH, LB_HASH_ENVOY, size);
	for (uint32_t i = 0; i < 4; i++) {
		lb_endpoint_config config;
		char name[32];
		snprintf(name, sizeof name, "127.0.0.1:%u", 90 + i);
		lb_endpoint_config_init(&config, sizeof config);
		config.name = name;
		config.weight = 1 + i % 2;
		config.zone = 1 + i / 2;
		ck_ok(lb_pool_add_endpoint(h->pool, &config, &endpoint));
		ck_ok(lb_pool_set_zone(h->pool, config.zone, config.zone, 0));
	}
}

START_TEST(the_tiny_ring_of_envoy_by_weights_and_zones)
{
	static const point expected[9] = {
	    {"92", 928266305478181108u},   {"93", 3851675632748031481u},  {"91", 5583722120771150861u},
	    {"91", 6311230543546372928u},  {"93", 7700377290971790572u},  {"93", 12559126875973811811u},
	    {"92", 13444792449719432967u}, {"93", 13784988426630141778u}, {"90", 16117243373044804889u},
	};
	hashing h;
	lb_algo_entry entry;

	open_both(&h, 9);
	ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), 9);
	for (uint32_t i = 0; i < 9; i++) {
		hashing_table(&h, 0, i, &entry);
		ck_assert_str_eq(hashing_name(&h, entry.slot) + 10, expected[i].host);
		ck_assert_uint_eq(entry.point, expected[i].point);
	}
	hashing_close(&h);
}
END_TEST

START_TEST(the_large_ring_of_envoy_by_weights_and_zones)
{
	static const uint32_t counts[4] = {924, 2009, 2053, 4014};
	hashing h;
	lb_algo_entry entry;
	uint32_t got[4] = {0};

	open_both(&h, 9216);
	for (uint32_t i = 0; i < 9000; i++)
		got[hashing_owner_of_bits(&h, i * (UINT64_MAX / 9000))[11] - '0']++;
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(got[i], counts[i]);
	ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), 9216);
	hashing_close(&h);
}
END_TEST

/* How many of so many keys, evenly round the ring, each host owns. */
static void check_large(ring r, uint32_t size, uint32_t keys, const uint32_t counts[4])
{
	hashing h;
	lb_algo_entry entry;
	uint32_t got[4] = {0};

	r.size = size;
	open_ring(&h, &r);
	ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), size);
	for (uint32_t i = 0; i < keys; i++)
		got[hashing_owner_of_bits(&h, i * (UINT64_MAX / keys))[11] - '0']++;
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(got[i], counts[i]);
	hashing_close(&h);
}

/* HostWeightedLargeRing, LocalityWeightedLargeRing */
START_TEST(the_large_rings_of_envoy)
{
	ring r = {.before = "127.0.0.1:", .first = 90, .n = 3, .weights = (uint32_t[]){1, 2, 3}};

	check_large(r, 6144, 6000, (uint32_t[]){987, 1932, 3081, 0});
	check_large(by_zones, 6144, 6000, (uint32_t[]){987, 1932, 3081, 0});
}
END_TEST

/* UnevenHosts, before and after one of the two is replaced */
START_TEST(the_rings_of_envoy_for_two_hosts_and_a_least_size_of_three)
{
	static const point expected[4] = {
	    {"80", 5454692015285649509u},
	    {"81", 7859399908942313493u},
	    {"80", 13838424394637650569u},
	    {"81", 16064866803292627174u},
	};
	static const point replaced[4] = {
	    {"81", 7859399908942313493u},
	    {"82", 8241336090459785962u},
	    {"82", 12882406409176325258u},
	    {"81", 16064866803292627174u},
	};

	compare(&(ring){.before = "127.0.0.1:", .first = 80, .n = 2, .size = 3}, expected, 4);
	compare(&(ring){.before = "127.0.0.1:", .first = 81, .n = 2, .size = 3}, replaced, 4);
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

/* The labels of each of n members, on a ring of just this size. */
static void share_out_by(lb_hash_profile profile, uint32_t size, const uint32_t *weights, uint32_t n,
			 uint32_t *labels)
{
	static lb_atomic32 kept[1024];
	static lb_member members[1024];
	lb_algo_rules rules = {.profile = profile, .table_size = size};
	lb_algo_view view = {.rules = &rules, .weights = kept};
	lb_tier tier = {.members = members, .n = n};

	for (uint32_t i = 0; i < n; i++) {
		lb_put(&members[i].slot, i);
		lb_put(&kept[i], weights[i]);
	}
	lb_ring_plan plan = lb_ring_plan_of(&view, &tier, size, 1);
	for (uint32_t i = 0; i < n; i++)
		labels[i] = lb_ring_plan_next(&plan, weights[i]);
}

static void share_out(uint32_t size, const uint32_t *weights, uint32_t n, uint32_t *labels)
{
	share_out_by(LB_HASH_ENVOY, size, weights, n, labels);
}

/* Those of a zone without weight, in panic: there are no labels for them, and for the others they are not there. */
START_TEST(a_weight_of_0_has_no_label_and_changes_nobody_elses)
{
	static const uint32_t weights[] = {0, 3, 0, 1, 2, 0, 7}, others[] = {3, 1, 2, 7};
	static const lb_hash_profile profiles[] = {LB_HASH_LBCORE, LB_HASH_NGINX, LB_HASH_KETAMA,
						   LB_HASH_LIBMEMCACHED, LB_HASH_ENVOY};
	uint32_t got[7], expected[4];

	for (size_t p = 0; p < sizeof profiles / sizeof *profiles; p++) {
		share_out_by(profiles[p], 1000, weights, 7, got);
		share_out_by(profiles[p], 1000, others, 4, expected);
		for (int i = 0, other = 0; i < 7; i++)
			ck_assert_uint_eq(got[i], weights[i] != 0 ? expected[other++] : 0);
	}
}
END_TEST

/* LargeFractionalScale */
START_TEST(an_odd_size_gives_one_of_two_hosts_a_point_more)
{
	uint32_t labels[2];

	share_out(1023, (uint32_t[]){1, 1}, 2, labels);
	ck_assert_uint_eq(labels[0], 512);
	ck_assert_uint_eq(labels[1], 511);
}
END_TEST

/*
 * LopsidedWeightSmallScale: one host in a zone of weight 127, 1023 in one of weight 1, and 1024 points: 1016 are the first
 * one's, of the others every 128th has one. The points are those that are published.
 */
START_TEST(of_many_light_hosts_every_128th_has_a_point)
{
	static const uint64_t points[8] = {
	    11664790346325243808u, 15894554872961148518u, 13958138884277627155u, 15803774069438192949u,
	    3829253010855396576u,  17918147347826565154u, 6442769608292299103u,  5881074926069334434u};
	static uint32_t weights[1024], labels[1024];
	uint32_t found = 0;

	for (uint32_t i = 0; i < 1024; i++)
		weights[i] = i == 0 ? 127 * 1023 : 1;
	share_out(1024, weights, 1024, labels);
	ck_assert_uint_eq(labels[0], 1016);
	for (uint32_t i = 1; i < 1024; i++) {
		char name[32];
		lb_labels of_host;
		uint64_t first[4];
		bool due = i == 1 || (i % 128 == 0);
		if (labels[i] != due)
			ck_abort_msg("host %u has %u", i, labels[i]);
		if (!due)
			continue;
		snprintf(name, sizeof name, "127.0.0.1:%u", i);
		lb_labels_begin(&of_host, LB_HASH_ENVOY, name);
		lb_labels_next(&of_host, first);
		ck_assert_uint_eq(first[0], points[found]);
		found++;
	}
	ck_assert_uint_eq(found, 8);
}
END_TEST

Suite *suite_ring_points(void)
{
	Suite *suite = suite_create("ring points");
	TCase *tcase = tcase_create("envoy");

	tcase_add_test(tcase, the_basic_ring_of_envoy);
	tcase_add_test(tcase, the_ring_of_envoy_by_host_names);
	tcase_add_test(tcase, a_retry_goes_on_along_the_ring_of_envoy);
	tcase_add_test(tcase, the_tiny_ring_of_envoy_by_weights);
	tcase_add_test(tcase, a_zone_of_weight_0_has_no_point);
	tcase_add_test(tcase, the_tiny_ring_of_envoy_by_weights_and_zones);
	tcase_add_test(tcase, the_large_ring_of_envoy_by_weights_and_zones);
	tcase_add_test(tcase, the_large_rings_of_envoy);
	tcase_add_test(tcase, the_rings_of_envoy_for_two_hosts_and_a_least_size_of_three);
	tcase_add_test(tcase, shares_are_those_of_doubles);
	tcase_add_test(tcase, a_weight_of_0_has_no_label_and_changes_nobody_elses);
	tcase_add_test(tcase, an_odd_size_gives_one_of_two_hosts_a_point_more);
	tcase_add_test(tcase, of_many_light_hosts_every_128th_has_a_point);
	suite_add_tcase(suite, tcase);
	return suite;
}
