/*
 * What nginx 1.22.1 answered: `hash`, `hash ... consistent` and `ip_hash`, 200 keys for each of four sets of weights
 * (nginx.json), and what others that follow its consistent hash publish: cloudflare/pingora (tests in pingora-ketama/src/lib.rs) and
 * openresty/lua-resty-balancer (t/chash.t).
 */
#include "algo/ring_points.h"
#include "base/crc32.h"
#include "base/sort.h"
#include "hashing.h"
#include "recorded.h"

#include <stdlib.h>

/* The letter of "127.0.0.1:910N", 'a' for the first. */
static char letter(const char *name)
{
	return (char)('a' + name[strlen(name) - 1] - '1');
}

static uint64_t bits_of_key(const hashing *h, int i)
{
	char key[16];
	int length = snprintf(key, sizeof key, "key-%d", i);

	return lb_selector_hash(h->selector, key, (size_t)length);
}

static uint64_t bits_of_address(const hashing *h, int i)
{
	unsigned char address[4] = {10, (unsigned char)(7 * i), (unsigned char)(13 * i), (unsigned char)i};

	return lb_selector_hash(h->selector, address, sizeof address);
}

/* Compares all recordings whose name begins with `prefix`. Returns the number of keys. */
static size_t compare(const char *prefix, lb_algorithm algorithm, lb_hash_profile profile)
{
	json_t *root = recorded_load(__FILE__), *recording;
	const char *name;
	size_t keys = 0;

	json_object_foreach(root, name, recording)
	{
		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		hashing h;
		hashing_open(&h, 8, algorithm, profile, 0);
		json_t *weights = json_object_get(recording, "weights");
		for (size_t i = 0; i < json_array_size(weights); i++) {
			char server[48];
			snprintf(server, sizeof server, "127.0.0.1:910%zu", i + 1);
			hashing_add(&h, server, (uint32_t)json_integer_value(json_array_get(weights, i)));
		}
		const char *expected = json_string_value(json_object_get(recording, "seq"));
		for (int i = 0; expected[i] != '\0'; i++, keys++) {
			uint64_t bits =
			    profile == LB_HASH_NGINX_IP ? bits_of_address(&h, i) : bits_of_key(&h, i);
			ck_assert_msg(letter(hashing_owner_of_bits(&h, bits)) == expected[i], "%s %d", name,
				      i);
		}
		hashing_close(&h);
	}
	json_decref(root);
	return keys;
}

START_TEST(recorded_keys_of_hash_consistent)
{
	ck_assert_uint_eq(compare("ch_", LB_RING_HASH, LB_HASH_NGINX), 800);
}
END_TEST

START_TEST(recorded_keys_of_hash)
{
	ck_assert_uint_eq(compare("h_", LB_MAP_HASH, LB_HASH_NGINX), 800);
}
END_TEST

START_TEST(recorded_addresses_of_ip_hash)
{
	ck_assert_uint_eq(compare("ih_", LB_MAP_HASH, LB_HASH_NGINX_IP), 800);
}
END_TEST

/* matches_nginx_sample */
START_TEST(paths_of_pingora)
{
	static const char *const vectors[][2] = {
	    {"/some/path", "127.0.0.1:7778"},
	    {"/some/longer/path", "127.0.0.1:7777"},
	    {"/sad/zaidoon", "127.0.0.1:7778"},
	    {"/g", "127.0.0.1:7777"},
	    {"/pingora/team/is/cool/and/this/is/a/long/uri", "127.0.0.1:7778"},
	    {"/i/am/not/confident/in/this/code", "127.0.0.1:7777"},
	};
	hashing h;

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 0);
	hashing_add(&h, "127.0.0.1:7777", 1);
	hashing_add(&h, "127.0.0.1:7778", 1);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		ck_assert_str_eq(hashing_owner(&h, vectors[i][0]), vectors[i][1]);
	hashing_close(&h);
}
END_TEST

/*
 * matches_nginx_sample_data: nine servers of weight 100, so 16,000 points of each; the first of a thousand paths in
 * pingora-ketama/test-data/sample-nginx-upstream.csv.
 */
START_TEST(paths_of_pingora_with_weights_of_100)
{
	static const char *const vectors[][2] = {
	    {"/81fa1d251d605775d647b5b55565e71526d4cef6", "10.0.0.7:443"},
	    {"/2fec328e6ccdda6a7edf329f9f780e546ea183b4", "10.0.0.5:443"},
	    {"/19fb835d90883a6263ec4279c6da184e3f1a79b2", "10.0.0.4:443"},
	};
	hashing h;

	hashing_open(&h, 9, LB_RING_HASH, LB_HASH_NGINX, 9 * 100 * 160);
	for (int i = 1; i <= 9; i++) {
		char server[32];
		snprintf(server, sizeof server, "10.0.0.%d:443", i);
		hashing_add(&h, server, 100);
	}
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		ck_assert_str_eq(hashing_owner(&h, vectors[i][0]), vectors[i][1]);
	hashing_close(&h);
}
END_TEST

/* consistency_after_adding_host */
START_TEST(keys_of_pingora_stay_when_a_server_is_added)
{
	hashing h;

	hashing_open(&h, 16, LB_RING_HASH, LB_HASH_NGINX, 0);
	for (int i = 1; i <= 11; i++) {
		char server[32];
		snprintf(server, sizeof server, "127.0.0.%d:6443", i);
		hashing_add(&h, server, 1);
		if (i < 10)
			continue;
		ck_assert_str_eq(hashing_owner(&h, "a"), "127.0.0.10:6443");
		ck_assert_str_eq(hashing_owner(&h, "b"), "127.0.0.5:6443");
	}
	hashing_close(&h);
}
END_TEST

/* The last digits of the points' servers from the key's point on. */
static void walk(const hashing *h, const char *key, int n, char *digits)
{
	lb_algo_entry entry;
	uint32_t size = hashing_table(h, 0, 0, &entry), at = 0;
	uint32_t hash = (uint32_t)lb_selector_hash(h->selector, key, strlen(key));

	while (at < size && hashing_table(h, 0, at, &entry) > 0 && entry.point < hash)
		at++;
	for (int i = 0; i < n; i++) {
		hashing_table(h, 0, (at + (uint32_t)i) % size, &entry);
		const char *name = hashing_name(h, entry.slot);
		digits[i] = name[strlen(name) - 1];
	}
	digits[n] = '\0';
}

/* node_iter */
START_TEST(a_walk_round_the_ring_of_pingora)
{
	hashing h;
	lb_endpoint e;
	char digits[16];

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 0);
	hashing_add(&h, "127.0.0.1:7777", 1);
	e = hashing_add(&h, "127.0.0.1:7778", 1);
	hashing_add(&h, "127.0.0.1:7779", 1);
	walk(&h, "doghash", 8, digits);
	ck_assert_str_eq(digits, "89977889");
	ck_ok(lb_pool_remove(h.pool, e));
	walk(&h, "doghash", 5, digits);
	ck_assert_str_eq(digits, "99779");
	hashing_close(&h);
}
END_TEST

/* test_ipv6_ring: pingora hashes an IPv6 address without its brackets. */
START_TEST(a_walk_round_the_ring_of_pingora_by_ipv6)
{
	hashing h;
	char digits[16];

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 0);
	hashing_add(&h, "::1:7777", 1);
	hashing_add(&h, "::1:7778", 1);
	hashing_add(&h, "::1:7779", 1);
	walk(&h, "doghash", 7, digits);
	ck_assert_str_eq(digits, "7878879");
	hashing_close(&h);
}
END_TEST

/*
 * lua-resty-balancer hashes a node's id as it is, without the zero byte that nginx puts before a port, so this ring is
 * made by hand: of the same chain of points, read by the same rule.
 */
enum { RESTY_KEYS = 100000, RESTY_POINTS = 160 * 13 };

typedef struct resty {
	uint64_t points[RESTY_POINTS]; /* point << 8 | number of the server */
	uint32_t n;
} resty;

static void resty_make(resty *ring, int servers, const uint32_t *weights)
{
	ring->n = 0;
	for (int i = 0; i < servers; i++) {
		char id[16];
		lb_labels labels;
		int length = snprintf(id, sizeof id, "server%d", i + 1);
		lb_labels_begin(&labels, LB_HASH_NGINX, id);
		labels.base = lb_crc32(0, id, (size_t)length);
		for (uint32_t left = weights[i] * 160; left > 0; left--) {
			uint64_t points[4];
			lb_labels_next(&labels, points);
			ring->points[ring->n++] = points[0] << 8 | (uint64_t)i;
		}
	}
	lb_sort64(ring->points, ring->n);
}

static void resty_owners(const resty *ring, int counts[3], char *owners)
{
	memset(counts, 0, 3 * sizeof *counts);
	for (int i = 0; i < RESTY_KEYS; i++) {
		char key[16];
		uint32_t low = 0, high = ring->n;
		int length = snprintf(key, sizeof key, "%d", i + 1);
		uint32_t hash = lb_crc32(0, key, (size_t)length);
		while (low < high) {
			uint32_t middle = (low + high) / 2;
			if (ring->points[middle] >> 8 < hash)
				low = middle + 1;
			else
				high = middle;
		}
		owners[i] = (char)(ring->points[low < ring->n ? low : 0] & 0xff);
		counts[(int)owners[i]]++;
	}
}

static int moved(const char *before, const char *after)
{
	int n = 0;

	for (int i = 0; i < RESTY_KEYS; i++)
		n += before[i] != after[i];
	return n;
}

/* "TEST 1: find" and "TEST 4: up, decr" */
START_TEST(a_hundred_thousand_keys_of_lua_resty_balancer)
{
	static resty ring;
	static char before[RESTY_KEYS], after[RESTY_KEYS];
	int counts[3];

	resty_make(&ring, 3, (uint32_t[]){10, 2, 1});
	ck_assert_uint_eq(ring.n, 2080);
	resty_owners(&ring, counts, before);
	ck_assert_int_eq(counts[0], 77075);
	ck_assert_int_eq(counts[1], 14743);
	ck_assert_int_eq(counts[2], 8182);
	resty_make(&ring, 3, (uint32_t[]){7, 2, 1});
	resty_owners(&ring, counts, before);
	resty_make(&ring, 3, (uint32_t[]){8, 2, 1});
	resty_owners(&ring, counts, after);
	ck_assert_int_eq(moved(before, after), 2394);
	resty_make(&ring, 2, (uint32_t[]){8, 2});
	resty_owners(&ring, counts, before);
	ck_assert_int_eq(moved(before, after), 9745);
}
END_TEST

Suite *suite_nginx_hash(void)
{
	Suite *suite = suite_create("hashes of nginx");
	TCase *tcase = tcase_create("nginx");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, recorded_keys_of_hash_consistent);
	tcase_add_test(tcase, recorded_keys_of_hash);
	tcase_add_test(tcase, recorded_addresses_of_ip_hash);
	tcase_add_test(tcase, paths_of_pingora);
	tcase_add_test(tcase, paths_of_pingora_with_weights_of_100);
	tcase_add_test(tcase, keys_of_pingora_stay_when_a_server_is_added);
	tcase_add_test(tcase, a_walk_round_the_ring_of_pingora);
	tcase_add_test(tcase, a_walk_round_the_ring_of_pingora_by_ipv6);
	tcase_add_test(tcase, a_hundred_thousand_keys_of_lua_resty_balancer);
	suite_add_tcase(suite, tcase);
	return suite;
}
