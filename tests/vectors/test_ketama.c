/*
 * ketama's published numbers: libketama's (RJ/ketama: libketama/test.sh, a digest over what ketama_test.c prints of a million keys,
 * and python_ketama/tests.py), libmemcached's of weighted ketama (awesomized/libmemcached: test/tests/memcached/ketama.cpp with
 * test/fixtures/ketama.hpp), and the floats by which both share out points.
 */
#include "algo/ring_plan.h"
#include "algo/ring_points.h"
#include "base/md5.h"
#include "hashing.h"

#include <math.h>
#include <stdlib.h>

static const uint32_t memories[8] = {600, 300, 200, 350, 1000, 800, 950, 100};

enum { POINTS = 1264 };

typedef struct ring {
	hashing h;
	lb_algo_entry entries[POINTS];
} ring;

/* The eight servers of both tests. */
static void open_ring(ring *r, lb_hash_profile profile)
{
	hashing_open(&r->h, 8, LB_RING_HASH, profile, 0);
	for (int i = 0; i < 8; i++) {
		char name[32];
		snprintf(name, sizeof name, "10.0.1.%d:11211", i + 1);
		hashing_add(&r->h, name, memories[i]);
	}
	ck_assert_uint_eq(hashing_table(&r->h, 0, 0, &r->entries[0]), POINTS);
	for (uint32_t i = 0; i < POINTS; i++)
		hashing_table(&r->h, 0, i, &r->entries[i]);
}

/* The first point that is not before the hash, looked for without the ring's own index. */
static const lb_algo_entry *point_of(const ring *r, uint32_t hash)
{
	uint32_t low = 0, high = POINTS;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (r->entries[middle].point < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return &r->entries[low < POINTS ? low : 0];
}

START_TEST(a_million_keys_of_libketama_have_its_digest)
{
	static const uint32_t expected[4] = {0x31b17256, 0xa25a1f39, 0x6a9380b2, 0x74ea1eec};
	static ring r;
	long keys = rounds(1000000);
	long differ = 0;
	size_t length = 1;
	char *lines = malloc((size_t)keys * 64);
	uint32_t digest[4];

	ck_assert_ptr_nonnull(lines);
	lines[0] = '\n'; /* its program begins with an error message, an empty one */
	open_ring(&r, LB_HASH_KETAMA);
	for (long i = 0; i < keys; i++) {
		char key[16];
		int n = snprintf(key, sizeof key, "%ld", i);
		uint64_t bits = lb_selector_hash(r.h.selector, key, (size_t)n);
		const lb_algo_entry *entry = point_of(&r, (uint32_t)bits);
		const char *name = hashing_name(&r.h, entry->slot);
		differ += strcmp(hashing_owner_of_bits(&r.h, bits), name) != 0;
		length += (size_t)snprintf(lines + length, 64, "%u %u %s\n", (unsigned)bits,
					   (unsigned)entry->point, name);
	}
	ck_assert_int_eq(differ, 0);
	lb_md5(lines, length, digest);
	if (keys == 1000000)
		ck_assert_mem_eq(digest, expected, sizeof digest);
	free(lines);
	hashing_close(&r.h);
}
END_TEST

START_TEST(the_memories_of_libketama_are_shared_within_a_tenth)
{
	static ring r;
	int counts[8] = {0};
	double off = 0;

	open_ring(&r, LB_HASH_KETAMA);
	for (int i = 0; i < 100000; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		counts[hashing_owner(&r.h, key)[7] - '1']++;
	}
	for (int i = 0; i < 8; i++)
		off += fabs(counts[i] / 1e5 - memories[i] / 4300.0);
	ck_assert(off < 0.1);
	hashing_close(&r.h);
}
END_TEST

/* python_ketama/tests.py: test_hashing, test_hashi and test_points */
START_TEST(a_key_of_libketama)
{
	hashing h;
	lb_algo_entry entry;
	uint32_t at = 0;

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_KETAMA, 0);
	hashing_add(&h, "127.0.0.1:11211", 600);
	hashing_add(&h, "127.0.0.1:11212", 400);
	ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), 160 * 2);
	ck_assert_uint_eq(lb_selector_hash(h.selector, "test", 4), 3446378249u);
	ck_assert_str_eq(hashing_owner(&h, "test"), "127.0.0.1:11211");
	while (hashing_table(&h, 0, at, &entry) > 0 && entry.point < 3446378249u)
		at++;
	ck_assert_uint_eq(entry.point, 3454255383u);
	hashing_close(&h);
}
END_TEST

/* ketama.hpp: the first four of ketama_test_cases, which are 99 */
START_TEST(keys_of_libmemcached)
{
	static const struct {
		const char *key;
		uint32_t hash, point;
		const char *server;
	} vectors[] = {
	    {"SVa_]_V41)", 443691461u, 445379617u, "10.0.1.7:11211"},
	    {"*/Z;?V(.\\8", 1422915503u, 1428303028u, "10.0.1.1:11211"},
	    {"30C1*Z*S/_", 1473165754u, 1480075959u, "10.0.1.2:11211"},
	    {"ERR:EC58G>", 2148406511u, 2168579133u, "10.0.1.7:11211"},
	};
	static ring r;

	open_ring(&r, LB_HASH_LIBMEMCACHED);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		const char *key = vectors[i].key;
		ck_assert_uint_eq(lb_selector_hash(r.h.selector, key, strlen(key)), vectors[i].hash);
		ck_assert_uint_eq(point_of(&r, vectors[i].hash)->point, vectors[i].point);
		ck_assert_str_eq(hashing_owner(&r.h, key), vectors[i].server);
	}
	hashing_close(&r.h);
}
END_TEST

/* ketama.cpp, "generate hash": VDEAAAAA; the last point is what the rule makes it */
START_TEST(a_key_above_the_last_point_of_libmemcached_wraps_round)
{
	static ring r;

	open_ring(&r, LB_HASH_LIBMEMCACHED);
	ck_assert_uint_eq(lb_selector_hash(r.h.selector, "VDEAAAAA", 8), 0xfffcd1b5);
	ck_assert_uint_eq(r.entries[POINTS - 1].point, 4294696831u);
	ck_assert_str_eq(hashing_owner(&r.h, "VDEAAAAA"), hashing_name(&r.h, r.entries[0].slot));
	hashing_close(&r.h);
}
END_TEST

/* ketama.cpp, "auto_eject_hosts": the third server */
START_TEST(a_server_of_libmemcached_that_died_gets_its_keys_back)
{
	static ring r;
	static char before[200][64];
	lb_endpoint third;
	char key[16];

	open_ring(&r, LB_HASH_LIBMEMCACHED);
	ck_ok(lb_pool_find(r.h.pool, "10.0.1.3:11211", &third));
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof key, "k%d", i);
		strcpy(before[i], hashing_owner(&r.h, key));
	}
	ck_ok(lb_pool_set_admin(r.h.pool, third, LB_ADMIN_DOWN));
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof key, "k%d", i);
		ck_assert_str_ne(hashing_owner(&r.h, key), "10.0.1.3:11211");
	}
	ck_ok(lb_pool_set_admin(r.h.pool, third, LB_ADMIN_UP));
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof key, "k%d", i);
		ck_assert_str_eq(hashing_owner(&r.h, key), before[i]);
	}
	hashing_close(&r.h);
}
END_TEST

/* The first point of a name. */
static uint64_t first_point(lb_hash_profile profile, const char *name)
{
	lb_labels labels;
	uint64_t points[4];

	lb_labels_begin(&labels, profile, name);
	lb_labels_next(&labels, points);
	return points[0];
}

START_TEST(libmemcached_does_not_write_its_usual_port)
{
	static const char *const vectors[][2] = {
	    {"host:11211", "host-0"},           {"host", "host-0"},     {"host:11212", "host:11212-0"},
	    {"/run/m.sock", "/run/m.sock:0-0"}, {"a:1:11211", "a:1-0"},
	};

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		uint32_t digest[4];
		lb_md5(vectors[i][1], strlen(vectors[i][1]), digest);
		ck_assert_uint_eq(first_point(LB_HASH_LIBMEMCACHED, vectors[i][0]), digest[0]);
	}
}
END_TEST

/* The originals' own arithmetic. */
static uint32_t labels_in_floats(lb_hash_profile profile, uint32_t weight, uint64_t total, uint32_t n)
{
	volatile float part = (float)weight / (float)total;

	if (profile == LB_HASH_KETAMA)
		return (uint32_t)floorf((float)((double)part * 40.0 * (double)(float)n));
	volatile float labels = part * 160;
	labels = labels / 4;
	labels = labels * (float)n;
	labels = labels + 0.0000000001F;
	return (uint32_t)floor((double)labels);
}

static uint32_t random_weight(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return 1 + (uint32_t)(*random >> 44) / (1u << (*random >> 32 & 15));
}

START_TEST(shares_are_those_of_floats)
{
	static const lb_hash_profile profiles[2] = {LB_HASH_KETAMA, LB_HASH_LIBMEMCACHED};
	static lb_atomic32 weights[64];
	static lb_member members[64];
	uint64_t random = 1;
	long checked = 0, differ = 0;

	for (long round = 0; round < rounds(40000); round++) {
		uint32_t n = 1 + (uint32_t)round % 64;
		uint64_t total = 0;
		lb_algo_rules rules = {.profile = profiles[round / 64 % 2]};
		lb_algo_view view = {.rules = &rules, .weights = weights};
		lb_tier tier = {.members = members, .n = n};
		for (uint32_t i = 0; i < n; i++) {
			uint32_t weight = round % 3 == 0 ? 1 + i % 3 : random_weight(&random);
			lb_put(&members[i].slot, i);
			lb_put(&weights[i], weight);
			total += weight;
		}
		lb_ring_plan plan = lb_ring_plan_of(&view, &tier, LB_RING_POINTS * n, LB_RING_POINTS);
		for (uint32_t i = 0; i < n; i++, checked++) {
			uint32_t weight = lb_get(&weights[i]);
			differ += lb_ring_plan_next(&plan, weight) !=
				  labels_in_floats(rules.profile, weight, total, n);
		}
	}
	ck_assert_int_eq(differ, 0);
	ck_assert_int_gt(checked, 50000);
}
END_TEST

Suite *suite_ketama(void)
{
	Suite *suite = suite_create("ketama");
	TCase *tcase = tcase_create("ketama");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_million_keys_of_libketama_have_its_digest);
	tcase_add_test(tcase, the_memories_of_libketama_are_shared_within_a_tenth);
	tcase_add_test(tcase, a_key_of_libketama);
	tcase_add_test(tcase, keys_of_libmemcached);
	tcase_add_test(tcase, a_key_above_the_last_point_of_libmemcached_wraps_round);
	tcase_add_test(tcase, a_server_of_libmemcached_that_died_gets_its_keys_back);
	tcase_add_test(tcase, libmemcached_does_not_write_its_usual_port);
	tcase_add_test(tcase, shares_are_those_of_floats);
	suite_add_tcase(suite, tcase);
	return suite;
}
