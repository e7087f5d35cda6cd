/* Hashes by their known answers, and the laws of rings and maps. */
#include "algo/ring.h"
#include "algo/table.h"
#include "base/crc32.h"
#include "base/md5.h"
#include "base/random.h"
#include "base/xxh64.h"
#include "hashing.h"

#include <math.h>
#include <stdlib.h>

enum { KEYS = 10000 };

static const lb_hash_profile rings[] = {LB_HASH_LBCORE, LB_HASH_NGINX, LB_HASH_KETAMA, LB_HASH_LIBMEMCACHED,
					LB_HASH_ENVOY};
enum { RINGS = sizeof rings / sizeof *rings };

static uint64_t random_from(uint64_t *state)
{
	return lb_mix64(*state += LB_RANDOM_STEP);
}

START_TEST(known_answers_of_crc_32)
{
	ck_assert_uint_eq(lb_crc32(0, "", 0), 0);
	ck_assert_uint_eq(lb_crc32(0, "123456789", 9), 0xcbf43926);
	ck_assert_uint_eq(lb_crc32(lb_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
	for (size_t n = 0; n <= 9; n++)
		ck_assert_uint_eq(
		    lb_crc32_joined(lb_crc32(0, "123456789", n), lb_crc32(0, &"123456789"[n], 9 - n), 9 - n),
		    0xcbf43926);
}
END_TEST

/* RFC 1321, A.5. */
START_TEST(known_answers_of_md5)
{
	static const struct {
		const char *text, *digest;
	} vectors[] = {
	    {"", "d41d8cd98f00b204e9800998ecf8427e"},
	    {"a", "0cc175b9c0f1b6a831c399e269772661"},
	    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
	    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
	    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
	    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	     "d174ab98d277d9f5a5611c2c9f419d9f"},
	    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
	     "57edf4a22be3c955ac49da2e2107b67a"},
	};

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		uint32_t digest[4];
		char text[33];
		lb_md5(vectors[i].text, strlen(vectors[i].text), digest);
		for (int b = 0; b < 16; b++)
			snprintf(text + 2 * (size_t)b, 3, "%02x",
				 (unsigned)(digest[b / 4] >> (8 * (b % 4)) & 0xff));
		ck_assert_str_eq(text, vectors[i].digest);
	}
}
END_TEST

START_TEST(known_answers_of_xxh64)
{
	static const char spam[] = "Nobody inspects the spammish repetition";

	ck_assert_uint_eq(lb_xxh64("", 0, 0), 0xef46db3751d8e999);
	ck_assert_uint_eq(lb_xxh64("a", 1, 0), 0xd24ec4f1a98c6e5b);
	ck_assert_uint_eq(lb_xxh64("abc", 3, 0), 0x44bc2cf5ad770999);
	ck_assert_uint_eq(lb_xxh64(spam, sizeof spam - 1, 0), 0xfbcea83c8a378bf1);
}
END_TEST

/* Writes the table as text: names and points in order. */
static void write_table(const hashing *h, uint32_t place, char *text, size_t size)
{
	lb_algo_entry entry = {0};
	size_t length = 0;
	uint32_t n = hashing_table(h, place, 0, &entry);

	text[0] = '\0';
	for (uint32_t i = 0; i < n && length < size; i++) {
		hashing_table(h, place, i, &entry);
		length += (size_t)snprintf(text + length, size - length, "%s %llx,",
					   hashing_name(h, entry.slot), (unsigned long long)entry.point);
	}
	ck_assert_uint_lt(length, size);
}

static void add_in_order(hashing *h, const int *order, int n)
{
	for (int i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof name, "host%d:80", order[i]);
		hashing_add(h, name, 1 + (uint32_t)order[i] % 3);
	}
}

START_TEST(a_thousand_orders_of_addition_make_one_ring_of_ours)
{
	static char first[65536], other[65536];
	uint64_t random = 1;

	for (long round = 0; round < rounds(1000); round++) {
		hashing h;
		int order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
		hashing_open(&h, 8, LB_RING_HASH, LB_HASH_LBCORE, 400);
		for (int i = 7; i > 0 && round > 0; i--) {
			int j = (int)(random_from(&random) % (uint64_t)(i + 1)), t = order[i];
			order[i] = order[j];
			order[j] = t;
		}
		add_in_order(&h, order, 8);
		write_table(&h, 0, round == 0 ? first : other, sizeof first);
		if (round > 0 && strcmp(first, other) != 0)
			ck_abort_msg("order %ld", round);
		hashing_close(&h);
	}
	ck_assert_uint_gt(strlen(first), 1000);
}
END_TEST

/* All points of a key's owners, by the first letter after "host". */
static void note_owners(hashing *h, char *owners)
{
	for (int i = 0; i < KEYS; i++) {
		char key[16];
		snprintf(key, sizeof key, "key%d", i);
		owners[i] = hashing_owner(h, key)[4];
	}
}

/* Those that belonged to `gone` moved, and no others. */
static void check_moves(const char *before, const char *after, char gone)
{
	int strays = 0, moves = 0;

	for (int i = 0; i < KEYS; i++) {
		strays += before[i] != gone && before[i] != after[i];
		moves += before[i] == gone;
		ck_assert(after[i] != gone || before[i] != gone);
	}
	ck_assert_int_eq(strays, 0);
	ck_assert_int_gt(moves, KEYS / 50);
}

/* 49 points: with Envoy's rule a host has 7 of them whether there are eight hosts or seven. */
START_TEST(who_leaves_a_ring_moves_only_its_own_keys)
{
	static char before[KEYS], after[KEYS];

	for (int p = 0; p < RINGS; p++) {
		hashing h;
		lb_endpoint e[8];
		hashing_open(&h, 8, LB_RING_HASH, rings[p], rings[p] == LB_HASH_ENVOY ? 49 : 0);
		for (int i = 0; i < 8; i++) {
			char name[32];
			snprintf(name, sizeof name, "host%d:80", i);
			uint32_t weight = rings[p] == LB_HASH_LBCORE ? 5 + (uint32_t)i % 3 : 1;
			e[i] = hashing_add(&h, name, weight);
		}
		note_owners(&h, before);
		ck_ok(lb_pool_remove(h.pool, e[3]));
		note_owners(&h, after);
		check_moves(before, after, '3');
		hashing_close(&h);
	}
}
END_TEST

START_TEST(who_is_down_moves_only_its_own_keys_of_a_map)
{
	static const lb_hash_profile maps[] = {LB_HASH_LBCORE, LB_HASH_NGINX, LB_HASH_NGINX_IP};
	static char before[KEYS], after[KEYS];

	for (int p = 0; p < 3; p++) {
		hashing h;
		lb_endpoint e[8];
		hashing_open(&h, 8, LB_MAP_HASH, maps[p], 0);
		for (int i = 0; i < 8; i++) {
			char name[32];
			snprintf(name, sizeof name, "host%d:80", i);
			e[i] = hashing_add(&h, name, 1 + (uint32_t)i % 3);
		}
		note_owners(&h, before);
		ck_ok(lb_pool_set_admin(h.pool, e[3], LB_ADMIN_DOWN));
		note_owners(&h, after);
		check_moves(before, after, '3');
		ck_ok(lb_pool_set_admin(h.pool, e[3], LB_ADMIN_UP));
		note_owners(&h, after);
		ck_assert_mem_eq(before, after, KEYS);
		hashing_close(&h);
	}
}
END_TEST

START_TEST(names_that_look_alike_with_a_number_share_no_point)
{
	static const char *const names[] = {"a1", "a", "a1-1", "a-1", "a_1", "a1_1", "a:1", "a:11"};

	for (int p = 0; p < RINGS; p++) {
		hashing h;
		lb_algo_entry entry, last = {0};
		hashing_open(&h, 8, LB_RING_HASH, rings[p], 0);
		for (int i = 0; i < 8; i++)
			hashing_add(&h, names[i], 1);
		uint32_t n = hashing_table(&h, 0, 0, &last);
		ck_assert_uint_ge(n, 1000);
		for (uint32_t i = 1; i < n; i++, last = entry) {
			hashing_table(&h, 0, i, &entry);
			ck_assert_msg(entry.point > last.point, "%d: %s and %s", (int)rings[p],
				      hashing_name(&h, entry.slot), hashing_name(&h, last.slot));
		}
		hashing_close(&h);
	}
}
END_TEST

/* Two names of 16 bytes with the same hash: the second half undoes what the first half changed (base/hash.c). */
static void make_collision(char one[17], char other[17])
{
	uint64_t start = lb_mix64(1 + LB_RANDOM_STEP), a, b, c, d;

	strcpy(one, "collides-with-it");
	for (unsigned try = 0;; try++) {
		bool fit = true;
		memcpy(other, one, 17);
		snprintf(other, 9, "%08x", 0x10000000 + try);
		other[8] = one[8];
		memcpy(&a, one, 8);
		memcpy(&b, one + 8, 8);
		memcpy(&c, other, 8);
		d = b ^ (lb_mix64(start ^ a) + LB_RANDOM_STEP) ^ (lb_mix64(start ^ c) + LB_RANDOM_STEP);
		memcpy(other + 8, &d, 8);
		for (int i = 8; i < 16; i++)
			fit &= (unsigned char)other[i] >= 0x20 && other[i] != 0x7f;
		if (fit)
			return;
	}
}

START_TEST(points_that_collide_go_to_the_lesser_name_whatever_the_order)
{
	char one[17], other[17];

	make_collision(one, other);
	ck_assert_uint_eq(lb_hash(one, 16, 1), lb_hash(other, 16, 1));
	ck_assert_str_ne(one, other);
	const char *lesser = strcmp(one, other) < 0 ? one : other;
	for (int turn = 0; turn < 2; turn++) {
		hashing h;
		hashing_open(&h, 4, LB_RING_HASH, LB_HASH_LBCORE, 0);
		hashing_add(&h, turn ? one : other, 1);
		hashing_add(&h, turn ? other : one, 1);
		for (uint64_t key = 0; key < 1000; key++)
			ck_assert_str_eq(hashing_owner_of_bits(&h, lb_mix64(key)), lesser);
		hashing_close(&h);
	}
}
END_TEST

START_TEST(of_points_that_collide_on_the_ring_of_nginx_the_first_stays)
{
	/* CRC-32 is linear: names whose CRCs are the same have all points in common */
	static const char *const names[] = {"plumless", "buckeroo"};

	ck_assert_uint_eq(lb_crc32(0, names[0], 8), lb_crc32(0, names[1], 8));
	for (int turn = 0; turn < 2; turn++) {
		hashing h;
		lb_algo_entry entry;
		hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 0);
		hashing_add(&h, names[turn], 1);
		hashing_add(&h, names[1 - turn], 1);
		hashing_add(&h, "third", 1);
		ck_assert_uint_eq(hashing_table(&h, 0, 0, &entry), 320);
		for (uint64_t key = 0; key < 1000; key++)
			ck_assert_str_ne(hashing_owner_of_bits(&h, lb_mix64(key)), names[1 - turn]);
		hashing_close(&h);
	}
}
END_TEST

START_TEST(seventeen_servers_of_160_points_share_within_12_percent)
{
	for (int p = 0; p < RINGS; p++) {
		hashing h;
		int counts[17] = {0};
		double squares = 0, even = KEYS / 17.0;
		/* 18 slots */
		hashing_open(&h, 17, LB_RING_HASH, rings[p], rings[p] == LB_HASH_ENVOY ? 17 * 160 : 160 * 19);
		for (int i = 0; i < 17; i++) {
			char name[24];
			snprintf(name, sizeof name, "10.0.0.%c:8080", 'a' + i);
			hashing_add(&h, name, 1);
		}
		for (int i = 0; i < KEYS; i++) {
			char key[16];
			snprintf(key, sizeof key, "key%d", i);
			counts[hashing_owner(&h, key)[7] - 'a']++;
		}
		for (int i = 0; i < 17; i++)
			squares += (counts[i] - even) * (counts[i] - even);
		ck_assert_msg(sqrt(squares / 17) / even <= 0.12, "%d: %f", (int)rings[p],
			      sqrt(squares / 17) / even);
		hashing_close(&h);
	}
}
END_TEST

START_TEST(weights_of_any_scale_make_one_ring_of_ours)
{
	static char small[262144], large[262144];

	for (uint32_t scale = 1; scale <= 1000; scale *= 1000) {
		hashing h;
		hashing_open(&h, 4, LB_RING_HASH, LB_HASH_LBCORE, 0);
		hashing_add(&h, "a", 1 * scale);
		hashing_add(&h, "b", 2 * scale);
		hashing_add(&h, "c", 5 * scale);
		write_table(&h, 0, scale == 1 ? small : large, sizeof small);
		hashing_close(&h);
	}
	ck_assert_str_eq(small, large);
}
END_TEST

START_TEST(a_small_change_of_weight_moves_few_keys)
{
	static char before[KEYS], after[KEYS];
	hashing h;
	lb_endpoint e[8];
	int moved = 0;

	hashing_open(&h, 8, LB_RING_HASH, LB_HASH_LBCORE, 0);
	for (int i = 0; i < 8; i++) {
		char name[32];
		snprintf(name, sizeof name, "host%d:80", i);
		e[i] = hashing_add(&h, name, i == 0 ? 120 : 100);
	}
	note_owners(&h, before);
	ck_ok(lb_pool_set_weight(h.pool, e[3], 90));
	note_owners(&h, after);
	for (int i = 0; i < KEYS; i++) {
		ck_assert(before[i] == after[i] || before[i] == '3');
		moved += before[i] != after[i];
	}
	/* a tenth of an eighth */
	ck_assert_int_gt(moved, KEYS / 160);
	ck_assert_int_lt(moved, KEYS / 45);
	hashing_close(&h);
}
END_TEST

START_TEST(a_ring_that_is_too_small_has_proportionally_fewer_points)
{
	static const lb_hash_profile profiles[] = {LB_HASH_NGINX, LB_HASH_KETAMA, LB_HASH_LIBMEMCACHED,
						   LB_HASH_LBCORE};

	for (int p = 0; p < 4; p++) {
		hashing h;
		lb_algo_entry entry;
		int counts[2] = {0};
		hashing_open(&h, 2, LB_RING_HASH, profiles[p], 200);
		hashing_add(&h, "x", 100);
		hashing_add(&h, "y", 300);
		uint32_t n = hashing_table(&h, 0, 0, &entry);
		ck_assert_uint_le(n, 200);
		ck_assert_uint_gt(n, 80);
		for (uint32_t i = 0; i < n; i++) {
			hashing_table(&h, 0, i, &entry);
			counts[*hashing_name(&h, entry.slot) - 'x']++;
		}
		ck_assert_int_le(abs(counts[0] * 3 - counts[1]), 16);
		hashing_close(&h);
	}
}
END_TEST

/* Follows a key through all its retries; writes the first letters of the names. */
static void follow(hashing *h, uint64_t key, char *letters)
{
	lb_ticket ticket = {0};
	lb_request request = {.key = key, .flags = LB_REQUEST_KEY};
	int n = 0;

	while (lb_select(h->selector, &request, &ticket) == LB_OK) {
		letters[n++] = ticket.name[0];
		ck_ok(lb_report_result(h->selector, &ticket, LB_FAILURE));
	}
	letters[n] = '\0';
}

START_TEST(where_no_ring_fits_all_callers_agree_by_weight)
{
	hashing one, other;
	int counts[4] = {0};

	hashing_open(&one, 4, LB_RING_HASH, LB_HASH_NGINX, 3);
	hashing_open(&other, 4, LB_RING_HASH, LB_HASH_NGINX, 3);
	for (int i = 0; i < 4; i++) {
		hashing_add(&one, (char[]){(char)('a' + i), 0}, 1 + (uint32_t)i);
		hashing_add(&other, (char[]){(char)('d' - i), 0}, 4 - (uint32_t)i);
	}
	for (uint64_t key = 0; key < KEYS; key++) {
		char a[16], b[16];
		follow(&one, lb_mix64(key), a);
		follow(&other, lb_mix64(key), b);
		if (strlen(a) != 4 || strcmp(a, b) != 0)
			ck_abort_msg("%s %s", a, b);
		counts[a[0] - 'a']++;
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_lt(abs(counts[i] - (i + 1) * KEYS / 10), KEYS / 50);
	hashing_close(&one);
	hashing_close(&other);
}
END_TEST

START_TEST(retries_go_round_the_ring_to_the_next_others)
{
	for (int p = 0; p < RINGS; p++) {
		hashing h;
		lb_algo_entry entry = {0};
		hashing_open(&h, 6, LB_RING_HASH, rings[p], 0);
		for (int i = 0; i < 6; i++)
			hashing_add(&h, (char[]){(char)('a' + i), 0}, 1);
		uint32_t n = hashing_table(&h, 0, 0, &entry);
		for (uint32_t start = 0; start < n; start += 37) {
			char letters[16], expected[16] = "";
			for (uint32_t i = 0; i < n && strlen(expected) < 6; i++) {
				hashing_table(&h, 0, (start + i) % n, &entry);
				const char *name = hashing_name(&h, entry.slot);
				if (!strstr(expected, name))
					strcat(expected, name);
			}
			hashing_table(&h, 0, start, &entry);
			follow(&h, entry.point, letters);
			ck_assert_str_eq(letters, expected);
		}
		hashing_close(&h);
	}
}
END_TEST

START_TEST(a_key_above_the_last_point_belongs_to_the_first)
{
	for (int p = 0; p < RINGS; p++) {
		hashing h;
		lb_algo_entry first = {0}, last = {0};
		hashing_open(&h, 6, LB_RING_HASH, rings[p], 0);
		for (int i = 0; i < 6; i++)
			hashing_add(&h, (char[]){(char)('a' + i), 0}, 1);
		uint32_t n = hashing_table(&h, 0, 0, &first);
		hashing_table(&h, 0, n - 1, &last);
		ck_assert_str_eq(hashing_owner_of_bits(&h, last.point), hashing_name(&h, last.slot));
		ck_assert_str_eq(hashing_owner_of_bits(&h, last.point + 1), hashing_name(&h, first.slot));
		ck_assert_str_eq(hashing_owner_of_bits(&h, UINT64_MAX), hashing_name(&h, first.slot));
		ck_assert_str_eq(hashing_owner_of_bits(&h, 0), hashing_name(&h, first.slot));
		hashing_close(&h);
	}
}
END_TEST

/* Some change of a pool of up to 12. */
static void change(hashing *h, uint64_t random)
{
	/* two of them share all points by CRC-32 */
	static const char *const names[12] = {"h0:80", "h1:80", "h2:80", "h3:80", "h4:80",    "h5:80",
					      "h6:80", "h7:80", "h8:80", "h9:80", "plumless", "buckeroo"};
	const char *name = names[random % 12];
	lb_endpoint e;

	if (lb_pool_find(h->pool, name, &e) != LB_OK) {
		lb_endpoint_config config;
		lb_endpoint_config_init(&config, sizeof config);
		config.name = name;
		config.url = "url";
		config.weight = 1 + (uint32_t)(random >> 8) % 4;
		config.priority = (uint32_t)(random >> 16) % 3;
		ck_ok(lb_pool_add_endpoint(h->pool, &config, NULL));
		return;
	}
	switch (random >> 24 & 3) {
	case 0:
		ck_ok(lb_pool_remove(h->pool, e));
		h->w.now += LB_SECONDS;
		lb_pool_tick(h->pool);
		break;
	case 1:
		ck_ok(lb_pool_set_weight(h->pool, e, (uint32_t)(random >> 32) % 5));
		break;
	case 2:
		ck_ok(lb_pool_set_health(h->pool, e, random >> 32 & 1 ? LB_DEGRADED : LB_HEALTHY));
		break;
	default:
		ck_ok(lb_pool_set_admin(h->pool, e, random >> 32 & 1 ? LB_ADMIN_DOWN : LB_ADMIN_UP));
		break;
	}
}

static lb_selector_config small_ring(lb_hash_profile profile)
{
	lb_selector_config config;

	lb_selector_config_init(&config, sizeof config);
	config.algorithm = LB_RING_HASH;
	config.hash_profile = profile;
	config.table_size = profile == LB_HASH_ENVOY ? 64 : 400;
	return config;
}

/* Are the tables, some kept where nothing changed, those of a selector that is made now? */
static bool as_if_made_anew(const hashing *h)
{
	static char kept[262144], anew[262144];
	lb_selector_config config = small_ring(h->selector->rules.profile);
	hashing other = *h;
	bool same = true;

	ck_ok(lb_selector_create(&other.selector, h->pool, &config));
	lb_view_hold hold = lb_view_hold_now(h->pool);
	for (uint32_t place = 0; place < lb_get(&hold.view->tiers_n); place++) {
		write_table(h, place, kept, sizeof kept);
		write_table(&other, place, anew, sizeof anew);
		same &= strcmp(kept, anew) == 0;
	}
	lb_selector_destroy(other.selector);
	return same;
}

START_TEST(rings_that_lived_through_changes_are_as_if_made_anew)
{
	uint64_t random = 5;

	for (int p = 0; p < RINGS; p++) {
		hashing h;
		/* small: tiers get in each other's way */
		hashing_open(&h, 12, LB_RING_HASH, rings[p], small_ring(rings[p]).table_size);
		for (long round = 0; round < rounds(300); round++) {
			change(&h, random_from(&random));
			if (!as_if_made_anew(&h))
				ck_abort_msg("profile %d round %ld", p, round);
		}
		hashing_close(&h);
	}
}
END_TEST

static lb_endpoint add_behind(hashing *h, const char *name, uint32_t priority)
{
	lb_endpoint_config config;
	lb_endpoint endpoint;

	lb_endpoint_config_init(&config, sizeof config);
	config.name = name;
	config.url = "url";
	config.priority = priority;
	ck_ok(lb_pool_add_endpoint(h->pool, &config, &endpoint));
	return endpoint;
}

START_TEST(a_ring_whose_place_another_took_is_made_anew)
{
	hashing h;

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 400);
	lb_endpoint first = add_behind(&h, "first", 0);
	add_behind(&h, "second", 1);
	for (int round = 0; round < 4; round++) {
		ck_assert(as_if_made_anew(&h));
		ck_ok(lb_pool_set_admin(h.pool, first, round % 2 ? LB_ADMIN_UP : LB_ADMIN_DOWN));
	}
	hashing_close(&h);
}
END_TEST

START_TEST(points_that_are_dropped_spoil_no_other_ring)
{
	hashing h;

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 8192);
	add_behind(&h, "plumless", 0);
	add_behind(&h, "second", 1);
	for (int round = 0; round < 4; round++) {
		char before[8192], after[8192];
		lb_endpoint twin = add_behind(&h, "buckeroo", 0);
		write_table(&h, 1, before, sizeof before);
		ck_assert(strncmp(before, "second", 6) == 0);
		ck_ok(lb_pool_remove(h.pool, twin));
		write_table(&h, 1, after, sizeof after);
		ck_assert_str_eq(before, after);
		/* one publication more: each half sees both */
		ck_ok(lb_pool_set_weight(h.pool, lb_pool_next(h.pool, 0), 1));
		h.w.now += LB_SECONDS;
		lb_pool_tick(h.pool);
	}
	hashing_close(&h);
}
END_TEST

/* A ring of six, and its tier. */
static lb_tier open_six(hashing *h, lb_hash_profile profile)
{
	hashing_open(h, 6, LB_RING_HASH, profile, 0);
	for (int i = 0; i < 6; i++)
		hashing_add(h, (char[]){(char)('a' + i), 0}, 1);
	lb_view_hold hold = lb_view_hold_now(h->pool);
	return lb_view_tier_at(h->pool, &hold, 0);
}

/*
 * A reader that is overtaken by builds may see any of their numbers side by side. Whatever they are, it reads within the
 * arrays (the sanitizers' business) and answers, once.
 */
START_TEST(a_mixture_of_rings_is_read_within_bounds)
{
	for (int p = 0; p < RINGS; p++) {
		hashing h;
		lb_tier tier = open_six(&h, rings[p]);
		const lb_ring_half *half = &((const lb_ring_head *)h.selector->state)->halves[tier.buffer];
		lb_ring *ring = &half->rings[tier.number];
		uint32_t n = lb_get(&ring->n);
		uint32_t extremes[] = {0, 1, half->capacity - 1, half->capacity, UINT32_MAX - 2, UINT32_MAX};
		for (uint32_t i = 0; i < half->index_size; i++)
			lb_put(&half->index[i], extremes[i % 6]);
		for (uint32_t mix = 0; mix < 6 * 6 * 6 * 31; mix++) {
			lb_pick pick = {.lane = &h.pool->lanes[0].algo,
					.rules = &h.selector->rules,
					.key = lb_mix64(mix)};
			lb_put(&ring->first, extremes[mix % 6]);
			lb_put(&ring->n, mix % 5 == 0 ? n : extremes[mix / 6 % 6]);
			lb_put(&ring->index, extremes[mix / 36 % 6]);
			lb_put(&ring->bits, mix / 216);
			ck_assert_uint_le(h.selector->algo->pick(h.selector->state, &tier, &pick),
					  UINT16_MAX);
		}
		hashing_close(&h);
	}
}
END_TEST

START_TEST(nobody_is_named_twice_running_and_the_walk_ends)
{
	for (int p = 0; p < RINGS; p++) {
		hashing h;
		lb_tier tier = open_six(&h, rings[p]);
		lb_algo_lane lane = {.shape = &h.pool->shape, .weights = h.pool->weights};
		lb_pick pick = {
		    .lane = &lane, .rules = &h.selector->rules, .key = UINT64_C(0x9123456789abcdef)};
		lb_algo_entry entry;
		uint32_t last = LB_NO_SLOT, slot, points = hashing_table(&h, 0, 0, &entry);
		for (;; last = slot, pick.attempt++) {
			slot = h.selector->algo->pick(h.selector->state, &tier, &pick);
			if (slot == LB_NO_SLOT)
				break;
			ck_assert_uint_ne(slot, last);
		}
		ck_assert_uint_gt(pick.attempt, points / 2);
		ck_assert_uint_lt(pick.attempt, points);
		hashing_close(&h);
	}
}
END_TEST

/* nginx's own loop: the next place for the key among these weights, none of which is used up. */
static uint32_t place_of_nginx(const char *key, const uint32_t *weights, uint32_t *hash, uint32_t *rehash)
{
	char text[64];
	uint32_t total = 0, place = 0;
	int length = *rehash > 0 ? snprintf(text, sizeof text, "%u%s", (unsigned)*rehash, key)
				 : snprintf(text, sizeof text, "%s", key);

	for (int i = 0; i < 5; i++)
		total += weights[i];
	*hash += lb_crc32(0, text, (size_t)length) >> 16 & 0x7fff;
	++*rehash;
	for (uint32_t left = *hash % total; left >= weights[place]; place++)
		left -= weights[place];
	return place;
}

/* The same for ip_hash. */
static uint32_t place_of_ip(const unsigned char *octets, size_t n, const uint32_t *weights, uint32_t *hash)
{
	uint32_t total = 0, place = 0;

	for (size_t i = 0; i < n; i++)
		*hash = (*hash * 113 + octets[i]) % 6271;
	for (int i = 0; i < 5; i++)
		total += weights[i];
	for (uint32_t left = *hash % total; left >= weights[place]; place++)
		left -= weights[place];
	return place;
}

static const uint32_t map_weights[5] = {5, 1, 3, 2, 7};

static void open_map(hashing *h, lb_hash_profile profile, lb_algo_lane *lane, lb_tier *tier)
{
	hashing_open(h, 5, LB_MAP_HASH, profile, 0);
	for (int i = 0; i < 5; i++)
		hashing_add(h, (char[]){(char)('a' + i), 0}, map_weights[i]);
	lb_view_hold hold = lb_view_hold_now(h->pool);
	*tier = lb_view_tier_at(h->pool, &hold, 0);
	*lane = (lb_algo_lane){.shape = &h->pool->shape, .weights = h->pool->weights};
}

static uint32_t ask_map(const hashing *h, const lb_tier *tier, lb_pick *pick)
{
	uint32_t slot = h->selector->algo->pick(h->selector->state, tier, pick);

	pick->attempt++;
	return slot == LB_NO_SLOT ? 99 : (uint32_t)(hashing_name(h, slot)[0] - 'a');
}

START_TEST(second_hashes_are_those_of_nginx)
{
	hashing h;
	lb_algo_lane lane;
	lb_tier tier;

	open_map(&h, LB_HASH_NGINX, &lane, &tier);
	for (int k = 0; k < 200; k++) {
		char key[32];
		uint32_t hash = 0, rehash = 0, last = 0;
		int length = snprintf(key, sizeof key, "%.*skey-%d", k % 11, "longer-key", k);
		lb_pick pick = {.lane = &lane, .rules = &h.selector->rules};
		pick.key = lb_selector_hash(h.selector, key, (size_t)length);
		for (int i = 0; i < 21; i++) {
			last = place_of_nginx(key, map_weights, &hash, &rehash);
			ck_assert_uint_eq(ask_map(&h, &tier, &pick), last);
		}
		for (uint32_t i = 1; i <= 5; i++)
			ck_assert_uint_eq(ask_map(&h, &tier, &pick), (last + i) % 5);
		ck_assert_uint_eq(ask_map(&h, &tier, &pick), 99);
	}
	hashing_close(&h);
}
END_TEST

START_TEST(second_hashes_of_addresses_are_those_of_nginx)
{
	hashing h;
	lb_algo_lane lane;
	lb_tier tier;
	uint64_t random = 3;

	open_map(&h, LB_HASH_NGINX_IP, &lane, &tier);
	for (int k = 0; k < 200; k++) {
		unsigned char octets[16] = {0};
		size_t length = k % 3 == 0 ? 4 : k % 3 == 1 ? 16 : 0;
		uint32_t hash = 89;
		for (size_t i = 0; i < length; i++)
			octets[i] = (unsigned char)random_from(&random);
		lb_pick pick = {.lane = &lane, .rules = &h.selector->rules};
		pick.key = lb_selector_hash(h.selector, octets, length);
		for (int i = 0; i < 21; i++) {
			uint32_t place = place_of_ip(octets, length == 16 ? 16 : 3, map_weights, &hash);
			ck_assert_uint_eq(ask_map(&h, &tier, &pick), place);
		}
	}
	hashing_close(&h);
}
END_TEST

START_TEST(a_map_of_ours_shares_by_weight_and_names_everybody)
{
	hashing h;
	int counts[5] = {0};

	hashing_open(&h, 5, LB_MAP_HASH, LB_HASH_LBCORE, 0);
	for (int i = 0; i < 5; i++)
		hashing_add(&h, (char[]){(char)('a' + i), 0}, map_weights[i]);
	for (uint64_t key = 0; key < KEYS; key++) {
		char letters[16], again[16];
		follow(&h, lb_mix64(key), letters);
		follow(&h, lb_mix64(key), again);
		if (strlen(letters) != 5 || strcmp(letters, again) != 0)
			ck_abort_msg("%s %s", letters, again);
		counts[letters[0] - 'a']++;
	}
	for (int i = 0; i < 5; i++)
		ck_assert_int_lt(abs(counts[i] - (int)map_weights[i] * KEYS / 18), KEYS / 50);
	hashing_close(&h);
}
END_TEST

START_TEST(profiles_and_sizes_that_are_none_are_refused)
{
	static const struct {
		lb_algorithm algorithm;
		lb_hash_profile profile;
		uint32_t size;
	} wrong[] = {
	    {LB_RING_HASH, LB_HASH_NGINX_IP, 0},
	    {LB_RING_HASH, LB_HASH_ENVOY, (8u << 20) + 1},
	    {LB_MAP_HASH, LB_HASH_KETAMA, 0},
	    {LB_MAP_HASH, LB_HASH_LIBMEMCACHED, 0},
	    {LB_MAP_HASH, LB_HASH_ENVOY, 0},
	    {LB_MAP_HASH, LB_HASH_NGINX, 100},
	    {LB_RING_HASH, (lb_hash_profile)(LB_HASH_ENVOY + 1), 0},
	};
	hashing h;

	hashing_open(&h, 4, LB_RING_HASH, LB_HASH_NGINX, 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		lb_selector_config config;
		lb_selector *selector;
		lb_selector_config_init(&config, sizeof config);
		config.algorithm = wrong[i].algorithm;
		config.hash_profile = wrong[i].profile;
		config.table_size = wrong[i].size;
		ck_assert_int_eq(lb_selector_create(&selector, h.pool, &config), LB_EINVAL);
	}
	hashing_close(&h);
}
END_TEST

Suite *suite_hashes(void)
{
	Suite *suite = suite_create("hashes");
	TCase *hashes = tcase_create("hashes"), *ring = tcase_create("rings"), *map = tcase_create("maps");

	tcase_add_test(hashes, known_answers_of_crc_32);
	tcase_add_test(hashes, known_answers_of_md5);
	tcase_add_test(hashes, known_answers_of_xxh64);
	tcase_set_timeout(ring, 60);
	tcase_add_test(ring, a_thousand_orders_of_addition_make_one_ring_of_ours);
	tcase_add_test(ring, who_leaves_a_ring_moves_only_its_own_keys);
	tcase_add_test(ring, names_that_look_alike_with_a_number_share_no_point);
	tcase_add_test(ring, points_that_collide_go_to_the_lesser_name_whatever_the_order);
	tcase_add_test(ring, of_points_that_collide_on_the_ring_of_nginx_the_first_stays);
	tcase_add_test(ring, seventeen_servers_of_160_points_share_within_12_percent);
	tcase_add_test(ring, weights_of_any_scale_make_one_ring_of_ours);
	tcase_add_test(ring, a_small_change_of_weight_moves_few_keys);
	tcase_add_test(ring, a_ring_that_is_too_small_has_proportionally_fewer_points);
	tcase_add_test(ring, where_no_ring_fits_all_callers_agree_by_weight);
	tcase_add_test(ring, retries_go_round_the_ring_to_the_next_others);
	tcase_add_test(ring, a_key_above_the_last_point_belongs_to_the_first);
	tcase_add_test(ring, rings_that_lived_through_changes_are_as_if_made_anew);
	tcase_add_test(ring, a_ring_whose_place_another_took_is_made_anew);
	tcase_add_test(ring, points_that_are_dropped_spoil_no_other_ring);
	tcase_add_test(ring, a_mixture_of_rings_is_read_within_bounds);
	tcase_add_test(ring, nobody_is_named_twice_running_and_the_walk_ends);
	tcase_add_test(ring, profiles_and_sizes_that_are_none_are_refused);
	tcase_add_test(map, who_is_down_moves_only_its_own_keys_of_a_map);
	tcase_add_test(map, second_hashes_are_those_of_nginx);
	tcase_add_test(map, second_hashes_of_addresses_are_those_of_nginx);
	tcase_add_test(map, a_map_of_ours_shares_by_weight_and_names_everybody);
	suite_add_tcase(suite, hashes);
	suite_add_tcase(suite, ring);
	suite_add_tcase(suite, map);
	return suite;
}
