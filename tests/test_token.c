/* Stickiness tokens: what a client can read, forge and replay of them, and whom they find. */
#include "test.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/siphash.h"
#include "pool/pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODAY (UINT64_C(1700000000) * LB_SECONDS)
#define TOMORROW (TODAY + 86400 * LB_SECONDS)

enum { LENGTH = LB_TOKEN_MAX - 1 };

static lb_token_key key_of(unsigned first)
{
	lb_token_key key;

	for (unsigned i = 0; i < sizeof key.bytes; i++)
		key.bytes[i] = (unsigned char)(first + i);
	return key;
}

/* A pool and one key: 0, 1, 2, ... 15. */
typedef struct shop {
	rig r;
	lb_token_key key;
} shop;

static void shop_open(shop *s, int n)
{
	rig_open(&s->r, LB_ROUND_ROBIN, n, NULL, NULL);
	s->key = key_of(0);
}

static void shop_make(shop *s, int number, lb_time expires, char text[LB_TOKEN_MAX])
{
	ck_ok(lb_token_make(s->r.pool, &s->key, s->r.e[number], expires, text, LB_TOKEN_MAX));
	ck_assert_uint_eq(strlen(text), LENGTH);
}

/* Reads `length` bytes from memory that ends there, so that a sanitizer sees who reads on. */
static int shop_read_bytes(shop *s, const char *text, size_t length, lb_endpoint *found)
{
	char *exact = malloc(length + (length == 0));

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, text, length);
	*found = 77;
	int error = lb_token_read(s->r.pool, &s->key, 1, exact, length, TODAY, found);
	if (error != LB_OK)
		ck_assert_uint_eq(*found, 77);
	free(exact);
	return error;
}

static int shop_read(shop *s, const char *text)
{
	lb_endpoint found;
	int error = shop_read_bytes(s, text, strlen(text), &found);

	return error == LB_OK ? rig_number(&s->r, found) : error;
}

/* The words that a client sees: expiry, hidden hash, tag. */
static void words_of(const char *text, uint64_t words[3])
{
	unsigned char bytes[24];

	ck_assert(lb_base64_read(bytes, text + 1, 8));
	for (int i = 0; i < 3; i++)
		words[i] = lb_bytes_load(bytes + 8 * i, 8);
}

START_TEST(a_token_leads_back_to_its_endpoint)
{
	shop s;
	char text[LB_TOKEN_MAX];

	shop_open(&s, 16);
	for (int i = 0; i < 16; i++) {
		shop_make(&s, i, TOMORROW + (lb_time)i, text);
		ck_assert_uint_eq(
		    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), LENGTH);
		ck_assert_int_eq(shop_read(&s, text), i);
	}
	rig_close(&s.r);
}
END_TEST

/* Texts made by another implementation of the format: the same on every machine, today and later. */
START_TEST(the_texts_are_these)
{
	static const struct {
		const char *name;
		lb_time expires;
		const char *text;
	} rows[] = {
	    {"e00", TODAY, "1AAAqNv6clxfCATvmMx1fxgIF-l46ICWL"},
	    {"10.0.0.1:8080", TODAY + 1, "1AQAqNv6clxd8DIdf12Qkid06pzRr_2wi"},
	    {"a name that is sixty-three bytes long, with a comma; and a \"=\"!", LB_NEVER,
	     "1__________-i4JR5UQHSYMcNbe_a_ZSh"},
	};
	shop s;
	char text[LB_TOKEN_MAX];

	shop_open(&s, 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_ok(lb_pool_add(s.r.pool, rows[i].name, "", 1, &s.r.e[i]));
		shop_make(&s, (int)i, rows[i].expires, text);
		ck_assert_str_eq(text, rows[i].text);
	}
	rig_close(&s.r);
}
END_TEST

START_TEST(a_token_ends_at_the_very_nanosecond)
{
	shop s;
	char text[LB_TOKEN_MAX];
	lb_endpoint found = 77;

	shop_open(&s, 2);
	shop_make(&s, 1, TOMORROW, text);
	ck_assert_int_eq(lb_token_read(s.r.pool, &s.key, 1, text, LENGTH, TOMORROW, &found), LB_ESTALE);
	ck_assert_int_eq(lb_token_read(s.r.pool, &s.key, 1, text, LENGTH, LB_NEVER, &found), LB_ESTALE);
	ck_assert_uint_eq(found, 77);
	ck_ok(lb_token_read(s.r.pool, &s.key, 1, text, LENGTH, TOMORROW - 1, &found));
	ck_assert_uint_eq(found, s.r.e[1]);
	ck_ok(lb_token_read(s.r.pool, &s.key, 1, text, LENGTH, 1, &found));
	/* the pool's own clock has no say */
	s.r.w.now = LB_NEVER - 1;
	ck_assert_int_eq(shop_read(&s, text), 1);
	/* an expired token stays one when its endpoint is gone, a forged one was never one */
	ck_ok(lb_pool_remove(s.r.pool, s.r.e[1]));
	ck_assert_int_eq(lb_token_read(s.r.pool, &s.key, 1, text, LENGTH, TOMORROW, &found), LB_ESTALE);
	text[9] ^= 1;
	ck_assert_int_eq(lb_token_read(s.r.pool, &s.key, 1, text, LENGTH, TOMORROW, &found), LB_ENOENT);
	rig_close(&s.r);
}
END_TEST

/* Each bit of the text, and each bit of the bytes under it: none is without meaning. */
START_TEST(every_flipped_bit_is_refused)
{
	shop s;
	char text[LB_TOKEN_MAX], forged[LB_TOKEN_MAX];
	unsigned char body[24];
	lb_endpoint found;

	shop_open(&s, 4);
	shop_make(&s, 2, TOMORROW, text);
	for (int bit = 0; bit < 8 * LENGTH; bit++) {
		memcpy(forged, text, sizeof forged);
		forged[bit / 8] = (char)((unsigned char)forged[bit / 8] ^ 1u << bit % 8);
		ck_assert_int_eq(shop_read_bytes(&s, forged, LENGTH, &found), LB_ENOENT);
	}
	for (int bit = 0; bit < 8 * 24; bit++) {
		memcpy(forged, text, sizeof forged);
		ck_assert(lb_base64_read(body, text + 1, 8));
		body[bit / 8] = (unsigned char)(body[bit / 8] ^ 1u << bit % 8);
		lb_base64_write(forged + 1, body, 8);
		ck_assert_int_eq(shop_read(&s, forged), LB_ENOENT);
	}
	ck_assert_int_eq(shop_read(&s, text), 2);
	rig_close(&s.r);
}
END_TEST

/* Each byte at each place: of 256 only the right one is taken. Zeros, controls and bytes above 127 are among them. */
START_TEST(every_other_byte_is_refused)
{
	shop s;
	char text[LB_TOKEN_MAX], forged[LB_TOKEN_MAX];
	lb_endpoint found;
	int taken = 0;

	shop_open(&s, 4);
	shop_make(&s, 2, TOMORROW, text);
	for (int place = 0; place < LENGTH; place++)
		for (int c = 0; c < 256; c++) {
			memcpy(forged, text, sizeof forged);
			forged[place] = (char)c;
			int error = shop_read_bytes(&s, forged, LENGTH, &found);
			ck_assert_int_eq(error, memcmp(forged, text, LENGTH) == 0 ? LB_OK : LB_ENOENT);
			taken += error == LB_OK;
		}
	ck_assert_int_eq(taken, LENGTH);
	rig_close(&s.r);
}
END_TEST

START_TEST(every_other_length_is_refused)
{
	shop s;
	char text[LB_TOKEN_MAX], longer[3 * LB_TOKEN_MAX];
	lb_endpoint found;

	shop_open(&s, 4);
	shop_make(&s, 2, TOMORROW, text);
	for (size_t length = 0; length < LENGTH; length++)
		ck_assert_int_eq(shop_read_bytes(&s, text, length, &found), LB_ENOENT);
	/* longer by its terminator, by padding, by a second one */
	static const char tails[] = {'\0', '=', 'A', ' ', ';', '1'};
	for (size_t i = 0; i < sizeof tails; i++)
		for (size_t length = LENGTH + 1; length <= sizeof longer; length++) {
			memset(longer, tails[i], sizeof longer);
			memcpy(longer, text, LENGTH);
			ck_assert_int_eq(shop_read_bytes(&s, longer, length, &found), LB_ENOENT);
		}
	/* behind its end nothing is read */
	ck_ok(shop_read_bytes(&s, longer, LENGTH, &found));
	ck_assert_uint_eq(found, s.r.e[2]);
	rig_close(&s.r);
}
END_TEST

/*
 * Forged with the key itself: the hash is hidden as the wrong tag asks for, so that nothing but one bit of the tag is wrong.
 * (Without the key a wrong bit anywhere spoils the hash, and with it all of the tag: that would not show which bits count.)
 */
START_TEST(each_bit_of_the_tag_counts)
{
	shop s;
	char text[LB_TOKEN_MAX], forged[LB_TOKEN_MAX];
	unsigned char body[24], seed[16];
	uint64_t words[3];

	shop_open(&s, 3);
	shop_make(&s, 2, TOMORROW, text);
	words_of(text, words);
	lb_sip_key root = lb_sip_key_from(s.key.bytes);
	lb_sip_key hide = {lb_siphash(root, (const unsigned char *)"lbtoken\3", 8),
			   lb_siphash(root, (const unsigned char *)"lbtoken\4", 8)};
	for (int bit = -1; bit < 64; bit++) {
		uint64_t tag = bit < 0 ? words[2] : words[2] ^ UINT64_C(1) << bit;
		lb_bytes_store(seed, tag);
		lb_bytes_store(seed + 8, TOMORROW);
		lb_bytes_store(body, TOMORROW);
		lb_bytes_store(body + 8, lb_hash("e02", 3, 0) ^ lb_siphash(hide, seed, 16));
		lb_bytes_store(body + 16, tag);
		memcpy(forged, text, sizeof forged);
		lb_base64_write(forged + 1, body, 8);
		/* with no bit flipped it is the token */
		ck_assert_int_eq(shop_read(&s, forged), bit < 0 ? 2 : LB_ENOENT);
	}
	rig_close(&s.r);
}
END_TEST

/* Parts of good tokens make no good one. */
START_TEST(tokens_cannot_be_pieced_together)
{
	shop s;
	char a[LB_TOKEN_MAX], b[LB_TOKEN_MAX], mixed[LB_TOKEN_MAX];
	unsigned char of_a[24], of_b[24], body[24];

	shop_open(&s, 2);
	shop_make(&s, 0, TOMORROW, a);
	shop_make(&s, 1, TOMORROW + LB_SECONDS, b);
	ck_assert(lb_base64_read(of_a, a + 1, 8));
	ck_assert(lb_base64_read(of_b, b + 1, 8));
	memcpy(mixed, a, sizeof mixed);
	for (unsigned parts = 1; parts < 7; parts++) {
		for (unsigned i = 0; i < 3; i++)
			memcpy(body + 8 * i, (parts >> i & 1 ? of_b : of_a) + 8 * i, 8);
		lb_base64_write(mixed + 1, body, 8);
		ck_assert_int_eq(shop_read(&s, mixed), LB_ENOENT);
	}
	rig_close(&s.r);
}
END_TEST

START_TEST(keys_are_rotated)
{
	shop s;
	lb_token_key old = key_of(100), next = key_of(200), both[3];
	char before[LB_TOKEN_MAX], after[LB_TOKEN_MAX];
	lb_endpoint found;

	shop_open(&s, 3);
	ck_ok(lb_token_make(s.r.pool, &old, s.r.e[1], TOMORROW, before, sizeof before));
	ck_ok(lb_token_make(s.r.pool, &next, s.r.e[2], TOMORROW, after, sizeof after));
	ck_assert_int_eq(shop_read(&s, before), LB_ENOENT);
	ck_assert_int_eq(lb_token_read(s.r.pool, &next, 1, before, LENGTH, TODAY, &found), LB_ENOENT);
	ck_assert_int_eq(lb_token_read(s.r.pool, &old, 1, after, LENGTH, TODAY, &found), LB_ENOENT);
	/* wherever the key stands, and even if it stands there twice */
	for (int place = 0; place < 3; place++) {
		both[0] = both[1] = both[2] = next;
		both[place] = old;
		ck_ok(lb_token_read(s.r.pool, both, 3, before, LENGTH, TODAY, &found));
		ck_assert_uint_eq(found, s.r.e[1]);
		ck_ok(lb_token_read(s.r.pool, both, 3, after, LENGTH, TODAY, &found));
		ck_assert_uint_eq(found, s.r.e[2]);
	}
	/* only as many as were named */
	ck_assert_int_eq(lb_token_read(s.r.pool, both, 2, before, LENGTH, TODAY, &found), LB_ENOENT);
	rig_close(&s.r);
}
END_TEST

START_TEST(each_bit_of_the_key_counts)
{
	shop s;
	char text[LB_TOKEN_MAX];

	shop_open(&s, 1);
	shop_make(&s, 0, TOMORROW, text);
	for (int bit = 0; bit < 128; bit++) {
		s.key = key_of(0);
		s.key.bytes[bit / 8] = (unsigned char)(s.key.bytes[bit / 8] ^ 1u << bit % 8);
		ck_assert_int_eq(shop_read(&s, text), LB_ENOENT);
	}
	rig_close(&s.r);
}
END_TEST

/* A restart: another pool, which got its endpoints in another order, so other slots and other ids. */
START_TEST(tokens_outlive_the_pool)
{
	shop s;
	char texts[8][LB_TOKEN_MAX];
	lb_endpoint before[8], found;

	shop_open(&s, 8);
	memcpy(before, s.r.e, sizeof before);
	for (int i = 0; i < 8; i++)
		shop_make(&s, i, TOMORROW, texts[i]);
	rig_close(&s.r);
	shop_open(&s, 0);
	for (int i = 7; i >= 0; i--) {
		char name[16];
		snprintf(name, sizeof name, "e%02d", i);
		ck_ok(lb_pool_add(s.r.pool, name, "elsewhere", 3, &s.r.e[i]));
	}
	for (int i = 0; i < 8; i++) {
		ck_ok(shop_read_bytes(&s, texts[i], LENGTH, &found));
		ck_assert_uint_eq(found, s.r.e[i]);
		ck_assert_uint_ne(found, before[i]);
	}
	rig_close(&s.r);
}
END_TEST

/* Two pools with the same names and one key take each other's tokens; with two keys they do not. */
START_TEST(a_pool_of_its_own_needs_a_key_of_its_own)
{
	shop mine, other;
	char text[LB_TOKEN_MAX];

	shop_open(&mine, 3);
	shop_open(&other, 2);
	shop_make(&mine, 1, TOMORROW, text);
	ck_assert_int_eq(shop_read(&other, text), 1);
	other.key = key_of(1);
	ck_assert_int_eq(shop_read(&other, text), LB_ENOENT);
	other.key = mine.key;
	shop_make(&mine, 2, TOMORROW, text);
	ck_assert_int_eq(shop_read(&other, text), LB_ENOENT);
	rig_close(&other.r);
	rig_close(&mine.r);
}
END_TEST

/* What a client sees of two endpoints differs in about half of its bits, and in nothing that a name's hash would explain. */
START_TEST(tokens_show_nothing_of_their_endpoints)
{
	shop s;
	char texts[16][LB_TOKEN_MAX];
	uint64_t words[16][3], hashes[16];

	shop_open(&s, 16);
	for (int i = 0; i < 16; i++) {
		lb_endpoint_info info = rig_info(&s.r, i);
		shop_make(&s, i, TOMORROW, texts[i]);
		words_of(texts[i], words[i]);
		ck_assert_uint_eq(words[i][0], TOMORROW);
		hashes[i] = lb_hash(info.name, strlen(info.name), 0);
		ck_assert_ptr_null(strstr(texts[i], info.name));
		for (int j = 1; j < 3; j++) {
			ck_assert_uint_ne(words[i][j], hashes[i]);
			ck_assert_uint_ne(words[i][j], info.endpoint);
		}
	}
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < i; j++) {
			uint64_t hidden = words[i][1] ^ words[j][1];
			int bits =
			    __builtin_popcountll(hidden) + __builtin_popcountll(words[i][2] ^ words[j][2]);
			ck_assert_uint_ne(hidden, hashes[i] ^ hashes[j]);
			/* of 128: even chances, six standard deviations */
			ck_assert_int_ge(bits, 64 - 34);
			ck_assert_int_le(bits, 64 + 34);
		}
	rig_close(&s.r);
}
END_TEST

/* A name and a url that could stand in a token as they are, in clear or in base64, stand in none. */
START_TEST(name_and_url_do_not_occur)
{
	shop s;
	char text[LB_TOKEN_MAX], kept[24];
	unsigned char body[24];

	shop_open(&s, 0);
	ck_ok(lb_pool_add(s.r.pool, "abc", "xyz", 1, &s.r.e[0]));
	for (unsigned i = 0; i < 200; i++) {
		shop_make(&s, 0, TOMORROW + i * LB_SECONDS, text);
		ck_assert(lb_base64_read(body, text + 1, 8));
		memcpy(kept, body, sizeof kept);
		for (size_t at = 0; at + 3 <= sizeof kept; at++)
			ck_assert(memcmp(kept + at, "abc", 3) != 0 && memcmp(kept + at, "xyz", 3) != 0);
		ck_assert(strstr(text, "abc") == NULL && strstr(text, "xyz") == NULL);
		ck_assert(strstr(text, "YWJj") == NULL && strstr(text, "eHl6") == NULL);
	}
	rig_close(&s.r);
}
END_TEST

START_TEST(the_removed_are_gone_until_they_return)
{
	shop s;
	char text[LB_TOKEN_MAX], again[LB_TOKEN_MAX];
	lb_ticket held = {0};

	shop_open(&s, 3);
	shop_make(&s, 1, TOMORROW, text);
	ck_ok(lb_select(s.r.selector, &(lb_request){.prefer = s.r.e[1]}, &held));
	ck_assert_uint_eq(held.endpoint, s.r.e[1]);
	ck_ok(lb_pool_remove(s.r.pool, s.r.e[1]));
	/* it waits for its last ticket: no more for tokens */
	ck_assert_int_eq(shop_read(&s, text), LB_ENOENT);
	ck_assert_int_eq(lb_token_make(s.r.pool, &s.key, s.r.e[1], TOMORROW, again, sizeof again), LB_ENOENT);
	/* its name comes back at another place: the same token, the new endpoint */
	ck_ok(lb_pool_add(s.r.pool, "e01", "new url", 1, &s.r.e[1]));
	ck_assert_int_eq(shop_read(&s, text), 1);
	shop_make(&s, 1, TOMORROW, again);
	ck_assert_str_eq(again, text);
	ck_ok(lb_report_result(s.r.selector, &held, LB_SUCCESS));
	rig_close(&s.r);
}
END_TEST

START_TEST(the_drained_keep_their_clients_and_get_no_new_ones)
{
	static const lb_admin states[] = {LB_ADMIN_DRAIN, LB_ADMIN_DOWN};
	shop s;
	char text[LB_TOKEN_MAX], none[LB_TOKEN_MAX] = "untouched";

	shop_open(&s, 3);
	shop_make(&s, 1, TOMORROW, text);
	for (size_t i = 0; i < 2; i++) {
		ck_ok(lb_pool_set_admin(s.r.pool, s.r.e[1], states[i]));
		ck_assert_int_eq(lb_token_make(s.r.pool, &s.key, s.r.e[1], TOMORROW, none, sizeof none),
				 LB_EBUSY);
		ck_assert_str_eq(none, "untouched");
		ck_assert_int_eq(shop_read(&s, text), 1);
	}
	/* no more is asked of it here: health and weight are lb_select's to ask */
	ck_ok(lb_pool_set_admin(s.r.pool, s.r.e[1], LB_ADMIN_UP));
	ck_ok(lb_pool_set_health(s.r.pool, s.r.e[1], LB_UNHEALTHY));
	shop_make(&s, 1, TOMORROW, none);
	ck_assert_int_eq(shop_read(&s, none), 1);
	rig_close(&s.r);
}
END_TEST

START_TEST(misuse_is_told)
{
	shop s;
	lb_token_key zeros = {{0}}, keys[2] = {key_of(0), zeros}, last = zeros;
	char text[LB_TOKEN_MAX] = "untouched";
	lb_endpoint found = 77;

	shop_open(&s, 1);
	lb_pool *pool = s.r.pool;
	lb_endpoint e = s.r.e[0];
	ck_assert_int_eq(lb_token_make(NULL, &s.key, e, TOMORROW, text, sizeof text), LB_EINVAL);
	ck_assert_int_eq(lb_token_make(pool, NULL, e, TOMORROW, text, sizeof text), LB_EINVAL);
	ck_assert_int_eq(lb_token_make(pool, &s.key, e, TOMORROW, NULL, sizeof text), LB_EINVAL);
	ck_assert_int_eq(lb_token_make(pool, &s.key, e, 0, text, sizeof text), LB_EINVAL);
	ck_assert_int_eq(lb_token_make(pool, &zeros, e, TOMORROW, text, sizeof text), LB_EINVAL);
	ck_assert_int_eq(lb_token_make(pool, &s.key, e, TOMORROW, text, sizeof text - 1), LB_ELIMIT);
	ck_assert_int_eq(lb_token_make(pool, &s.key, LB_NO_ENDPOINT, TOMORROW, text, sizeof text), LB_ENOENT);
	ck_assert_int_eq(lb_token_make(pool, &s.key, e ^ 1, TOMORROW, text, sizeof text), LB_ENOENT);
	ck_assert_str_eq(text, "untouched");
	shop_make(&s, 0, TOMORROW, text);
	ck_assert_int_eq(lb_token_read(NULL, &s.key, 1, text, LENGTH, TODAY, &found), LB_EINVAL);
	ck_assert_int_eq(lb_token_read(pool, NULL, 1, text, LENGTH, TODAY, &found), LB_EINVAL);
	ck_assert_int_eq(lb_token_read(pool, &s.key, 0, text, LENGTH, TODAY, &found), LB_EINVAL);
	ck_assert_int_eq(lb_token_read(pool, &s.key, 1, NULL, 0, TODAY, &found), LB_EINVAL);
	ck_assert_int_eq(lb_token_read(pool, &s.key, 1, text, LENGTH, 0, &found), LB_EINVAL);
	ck_assert_int_eq(lb_token_read(pool, &s.key, 1, text, LENGTH, TODAY, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_token_read(pool, keys, 2, text, LENGTH, TODAY, &found), LB_EINVAL);
	ck_assert_uint_eq(found, 77);
	/* one bit is a key */
	last.bytes[15] = 0x80;
	ck_ok(lb_token_make(pool, &last, e, TOMORROW, text, sizeof text));
	ck_ok(lb_token_read(pool, &last, 1, text, LENGTH, TODAY, &found));
	ck_assert_uint_eq(found, e);
	rig_close(&s.r);
}
END_TEST

/* The next name from `*seed` on whose hash falls into the bucket of "e00". */
static void name_in_bucket(const lb_pool *pool, unsigned *seed, char name[16])
{
	uint64_t bucket = lb_hash("e00", 3, 0) & pool->index_mask;

	do
		snprintf(name, 16, "n%u", (*seed)++);
	while ((lb_hash(name, strlen(name), 0) & pool->index_mask) != bucket);
}

START_TEST(names_of_one_bucket_are_told_apart)
{
	shop s;
	char texts[10][LB_TOKEN_MAX];
	unsigned seed = 0;

	shop_open(&s, 1);
	for (int i = 1; i < 10; i++) {
		char name[16];
		name_in_bucket(s.r.pool, &seed, name);
		ck_ok(lb_pool_add(s.r.pool, name, "", 1, &s.r.e[i]));
	}
	for (int i = 0; i < 10; i++) {
		shop_make(&s, i, TOMORROW, texts[i]);
		ck_assert_int_eq(shop_read(&s, texts[i]), i);
	}
	/* out of the middle, from both ends */
	static const int leave[] = {5, 0, 9};
	for (size_t k = 0; k < 3; k++) {
		ck_ok(lb_pool_remove(s.r.pool, s.r.e[leave[k]]));
		ck_assert_int_eq(shop_read(&s, texts[leave[k]]), LB_ENOENT);
	}
	for (int i = 1; i < 9; i++)
		ck_assert_int_eq(shop_read(&s, texts[i]), i == 5 ? LB_ENOENT : i);
	rig_close(&s.r);
}
END_TEST

/* Two names of 16 bytes with one hash: lb_hash is no secret, and its steps can be undone. */
static void make_twins(char a[17], char b[17])
{
	memcpy(a, "victim--victim--", 17);
	for (unsigned seed = 0;; seed++) {
		unsigned char heads[2][8];
		uint64_t state[2];
		char head[17];
		snprintf(head, sizeof head, "th%06u", seed);
		memcpy(heads[0], a, 8);
		memcpy(heads[1], head, 8);
		for (int i = 0; i < 2; i++)
			state[i] =
			    lb_mix64(lb_mix64(LB_RANDOM_STEP) ^ lb_bytes_load(heads[i], 8)) + LB_RANDOM_STEP;
		memcpy(heads[0], a + 8, 8);
		uint64_t tail = state[0] ^ state[1] ^ lb_bytes_load(heads[0], 8);
		bool printable = true;
		memcpy(b, head, 8);
		for (int i = 0; i < 8; i++) {
			unsigned char c = (unsigned char)(tail >> 8 * i);
			b[8 + i] = (char)c;
			printable &= c >= 0x20 && c != 0x7f;
		}
		b[16] = '\0';
		if (printable)
			return;
	}
}

/* Whoever may name an endpoint draws nobody's clients to it by a name with the same hash. */
START_TEST(twins_get_nothing_of_each_other)
{
	shop s;
	char victim[17], thief[17], text[LB_TOKEN_MAX];

	make_twins(victim, thief);
	ck_assert_str_ne(victim, thief);
	ck_assert_uint_eq(lb_hash(victim, 16, 0), lb_hash(thief, 16, 0));
	shop_open(&s, 0);
	ck_ok(lb_pool_add(s.r.pool, victim, "", 1, &s.r.e[0]));
	shop_make(&s, 0, TOMORROW, text);
	ck_assert_int_eq(shop_read(&s, text), 0);
	ck_ok(lb_pool_add(s.r.pool, thief, "", 1, &s.r.e[1]));
	ck_assert_int_eq(shop_read(&s, text), LB_ENOENT);
	/* by their names both are found */
	lb_endpoint found;
	ck_ok(lb_pool_find(s.r.pool, victim, &found));
	ck_assert_uint_eq(found, s.r.e[0]);
	ck_ok(lb_pool_find(s.r.pool, thief, &found));
	ck_assert_uint_eq(found, s.r.e[1]);
	ck_ok(lb_pool_remove(s.r.pool, s.r.e[1]));
	ck_assert_int_eq(shop_read(&s, text), 0);
	rig_close(&s.r);
}
END_TEST

/*
 * Somebody who adds and removes endpoints, now in the bucket of "e00", now in any other: the slots are given away at once, so
 * a reader may stand on one that leads into another bucket.
 */
typedef struct churn {
	lb_pool *pool;
	unsigned rounds;
	int error;
} churn;

static void *churn_names(void *user)
{
	churn *c = user;
	unsigned seed = 0;

	for (unsigned i = 0; i < c->rounds && c->error == LB_OK; i++) {
		char name[16];
		lb_endpoint added;
		if (i % 100 == 0)
			seed = 0;
		if (i % 2 == 0)
			name_in_bucket(c->pool, &seed, name);
		else
			snprintf(name, sizeof name, "x%u", i);
		c->error = lb_pool_add(c->pool, name, "", 1, &added);
		if (c->error == LB_OK)
			c->error = lb_pool_remove(c->pool, added);
	}
	return NULL;
}

START_TEST(a_token_finds_its_endpoint_while_others_come_and_go)
{
	shop s;
	char texts[2][LB_TOKEN_MAX], again[LB_TOKEN_MAX];
	pthread_t thread;

	shop_open(&s, 2);
	/* without a selector the slots of the removed are free at once */
	lb_selector_destroy(s.r.selector);
	s.r.selector = NULL;
	for (int i = 0; i < 2; i++)
		shop_make(&s, i, TOMORROW, texts[i]);
	churn c = {.pool = s.r.pool, .rounds = (unsigned)rounds(4000)};
	ck_assert_int_eq(pthread_create(&thread, NULL, churn_names, &c), 0);
	for (long i = 0; i < rounds(20000); i++) {
		int which = (int)(i % 2);
		ck_assert_int_eq(shop_read(&s, texts[which]), which);
		shop_make(&s, which, TOMORROW, again);
		ck_assert_str_eq(again, texts[which]);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_ok(c.error);
	rig_close(&s.r);
}
END_TEST

Suite *suite_token(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");

	tcase_add_test(tests, a_token_leads_back_to_its_endpoint);
	tcase_add_test(tests, the_texts_are_these);
	tcase_add_test(tests, a_token_ends_at_the_very_nanosecond);
	tcase_add_test(tests, every_flipped_bit_is_refused);
	tcase_add_test(tests, every_other_byte_is_refused);
	tcase_add_test(tests, every_other_length_is_refused);
	tcase_add_test(tests, each_bit_of_the_tag_counts);
	tcase_add_test(tests, tokens_cannot_be_pieced_together);
	tcase_add_test(tests, keys_are_rotated);
	tcase_add_test(tests, each_bit_of_the_key_counts);
	tcase_add_test(tests, tokens_outlive_the_pool);
	tcase_add_test(tests, a_pool_of_its_own_needs_a_key_of_its_own);
	tcase_add_test(tests, tokens_show_nothing_of_their_endpoints);
	tcase_add_test(tests, name_and_url_do_not_occur);
	tcase_add_test(tests, the_removed_are_gone_until_they_return);
	tcase_add_test(tests, the_drained_keep_their_clients_and_get_no_new_ones);
	tcase_add_test(tests, misuse_is_told);
	tcase_add_test(tests, names_of_one_bucket_are_told_apart);
	tcase_add_test(tests, twins_get_nothing_of_each_other);
	tcase_add_test(tests, a_token_finds_its_endpoint_while_others_come_and_go);
	suite_add_tcase(suite, tests);
	return suite;
}
