/*
 * Maglev: the tables of the paper and of Envoy (MaglevLoadBalancerTest, in
 * test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc), and what is known of the algorithm.
 */
#include "algo/maglev_fill.h"
#include "base/random.h"
#include "base/xxh64.h"
#include "pool/view.h"
#include "select/selector.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 65537 };

/* A pool whose endpoints are known by number: slots[i] is that of number i. */
typedef struct fleet {
	lb_pool *pool;
	lb_selector *selector;
	uint32_t n;
	lb_endpoint_config *wanted;
	char (*names)[32];
} fleet;

static lb_selector_config maglev_config(lb_hash_profile profile, uint32_t size)
{
	lb_selector_config config;

	lb_selector_config_init(&config, sizeof config);
	config.algorithm = LB_MAGLEV;
	config.hash_profile = profile;
	config.table_size = size;
	config.seed = 1;
	return config;
}

/* Names are made of a format with one number, base + i. */
static void fleet_open(fleet *f, uint32_t n, const char *before, uint32_t base)
{
	lb_pool_config config;

	memset(f, 0, sizeof *f);
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = n < 16 ? 16 : n;
	config.tickets_max = 64;
	config.recent_max = 0;
	config.lanes_max = 1;
	config.breaker = NULL;
	ck_ok(lb_pool_create(&f->pool, &config, NULL));
	f->n = n;
	f->wanted = calloc(n, sizeof *f->wanted);
	f->names = calloc(n, sizeof *f->names);
	for (uint32_t i = 0; i < n; i++) {
		snprintf(f->names[i], sizeof f->names[i], "%s%u", before, base + i);
		lb_endpoint_config_init(&f->wanted[i], sizeof f->wanted[i]);
		f->wanted[i].name = f->names[i];
	}
}

/* All of them, in order, published at once. */
static void fleet_fill(fleet *f, lb_hash_profile profile, uint32_t size)
{
	lb_selector_config config = maglev_config(profile, size);

	ck_ok(lb_pool_sync(f->pool, f->wanted, f->n));
	ck_ok(lb_selector_create(&f->selector, f->pool, &config));
}

static void fleet_close(fleet *f)
{
	lb_selector_destroy(f->selector);
	ck_ok(lb_pool_destroy(f->pool));
	free(f->wanted);
	free(f->names);
}

static lb_tier tier_at(const fleet *f, uint32_t place)
{
	lb_view_hold hold = lb_view_hold_now(f->pool);

	return lb_view_tier_at(f->pool, &hold, place);
}

static const char *name_at(const fleet *f, uint32_t slot)
{
	return f->pool->about[slot].name;
}

/* The number of the endpoint in a slot. */
static uint32_t number_at(const fleet *f, uint32_t slot)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (strcmp(f->names[i], name_at(f, slot)) == 0)
			return i;
	ck_abort_msg("a slot of nobody");
	return 0;
}

static uint32_t table_size(const fleet *f, uint32_t place)
{
	lb_tier tier = tier_at(f, place);
	lb_algo_entry entry;

	return f->selector->algo->table(f->selector->state, &f->pool->shape, &tier, 0, &entry);
}

/* The slot at an entry of the first tier's table. (An assertion of Check's writes a note of where it is: not for each entry.) */
static uint32_t slot_in_table(const fleet *f, uint32_t i)
{
	lb_tier tier = tier_at(f, 0);
	lb_algo_entry entry = {.slot = LB_NO_SLOT, .point = 1};

	if (f->selector->algo->table(f->selector->state, &f->pool->shape, &tier, i, &entry) <= i ||
	    entry.slot >= f->pool->shape.slots || entry.point != 0)
		ck_abort_msg("no entry %u", i);
	return entry.slot;
}

/* Entries of each slot. */
static void count_entries(const fleet *f, uint32_t size, uint32_t *counts)
{
	memset(counts, 0, f->pool->shape.slots * sizeof *counts);
	ck_assert_uint_eq(table_size(f, 0), size);
	for (uint32_t i = 0; i < size; i++)
		counts[slot_in_table(f, i)]++;
}

/* "0 1 2": the numbers, of one digit, of a table's entries. */
static void write_digit(char *text, uint32_t i, uint32_t number)
{
	ck_assert_uint_lt(number, 10);
	memcpy(text + 2 * i, (char[]){(char)('0' + number), ' '}, 2);
}

static void ck_table(const fleet *f, const char *expected)
{
	char got[64] = "";
	uint32_t size = table_size(f, 0);

	ck_assert_uint_eq(strlen(expected), 2 * size - 1);
	for (uint32_t i = 0; i < size; i++)
		write_digit(got, i, number_at(f, slot_in_table(f, i)));
	got[2 * size - 1] = '\0';
	ck_assert_str_eq(got, expected);
}

/* The filler alone: permutations are given. */
static void ck_filled(const lb_maglev_claim *claims, uint32_t n, const char *expected)
{
	lb_atomic16 entries[7];
	lb_maglev_claim copy[4];
	uint64_t queue[4];
	uint32_t taken[1];
	char got[14];

	ck_assert_uint_eq(lb_maglev_words(7), 1);
	memcpy(copy, claims, n * sizeof *claims);
	lb_maglev_fill(entries, 7, copy, n, queue, taken);
	for (uint32_t i = 0; i < 7; i++)
		write_digit(got, i, lb_get16(&entries[i]));
	got[13] = '\0';
	ck_assert_str_eq(got, expected);
}

/* NSDI 2016, table 1: B0 (offset 3, skip 4), B1 (0, 2), B2 (3, 1), before and after B1 is removed. */
START_TEST(table_1_of_the_paper)
{
	const lb_maglev_claim b0 = {.at = 3, .skip = 4, .weight = 1, .slot = 0};
	const lb_maglev_claim b1 = {.at = 0, .skip = 2, .weight = 1, .slot = 1};
	const lb_maglev_claim b2 = {.at = 3, .skip = 1, .weight = 1, .slot = 2};

	ck_filled((lb_maglev_claim[]){b0, b1, b2}, 3, "1 0 1 0 2 2 0");
	ck_filled((lb_maglev_claim[]){b0, b2}, 2, "0 0 0 0 2 2 2");
}
END_TEST

/* dgryski/go-maglev, TestPopulate: {2,6,3,0,4,1,5}, {0,5,3,1,6,4,2}, {1,3,5,0,2,4,6}, then node 1 dead. */
START_TEST(table_of_go_maglev)
{
	const lb_maglev_claim n0 = {.at = 2, .skip = 4, .weight = 1, .slot = 0};
	const lb_maglev_claim n1 = {.at = 0, .skip = 5, .weight = 1, .slot = 1};
	const lb_maglev_claim n2 = {.at = 1, .skip = 2, .weight = 1, .slot = 2};

	ck_filled((lb_maglev_claim[]){n0, n1, n2}, 3, "1 2 0 2 0 1 0");
	ck_filled((lb_maglev_claim[]){n0, n2}, 2, "0 2 0 2 0 2 0");
}
END_TEST

/* Envoy's rule as Envoy writes it, round by round, kept apart from the queue that does it here. */
static void fill_by_rounds(uint32_t *entries, uint32_t size, lb_maglev_claim *claims, uint32_t n)
{
	uint64_t targets[64] = {0}, most = 0;

	memset(entries, 0xff, size * sizeof *entries);
	for (uint32_t i = 0; i < n; i++)
		most = claims[i].weight > most ? claims[i].weight : most;
	for (uint64_t round = 1, filled = 0; filled < size; round++) {
		for (uint32_t i = 0; i < n && filled < size; i++) {
			if (round * claims[i].weight < targets[i])
				continue;
			targets[i] += most;
			while (entries[claims[i].at] != UINT32_MAX)
				claims[i].at = (claims[i].at + claims[i].skip) % size;
			entries[claims[i].at] = claims[i].slot;
			filled++;
		}
	}
}

/* The same in Envoy's doubles, and whether that makes a difference. */
static bool fill_by_doubles(uint32_t *entries, uint32_t size, lb_maglev_claim *claims, uint32_t n)
{
	volatile double parts[64], targets[64] = {0}, most = 0, sum = 0;
	uint64_t exact[64] = {0}, heaviest = 0;
	bool differs = false;

	memset(entries, 0xff, size * sizeof *entries);
	for (uint32_t i = 0; i < n; i++) {
		sum = sum + claims[i].weight;
		heaviest = claims[i].weight > heaviest ? claims[i].weight : heaviest;
	}
	for (uint32_t i = 0; i < n; i++) {
		parts[i] = claims[i].weight / sum;
		most = parts[i] > most ? parts[i] : most;
		claims[i].part = lb_real_part(claims[i].weight, (uint64_t)sum, LB_DOUBLE);
	}
	for (uint32_t round = 1, filled = 0; filled < size; round++) {
		for (uint32_t i = 0; i < n && filled < size; i++) {
			volatile double reached = round * parts[i];
			bool due = (uint64_t)round * claims[i].weight >= exact[i];
			differs |= due != (reached >= targets[i]);
			if (reached < targets[i])
				continue;
			targets[i] = targets[i] + most;
			exact[i] += heaviest;
			while (entries[claims[i].at] != UINT32_MAX)
				claims[i].at = (claims[i].at + claims[i].skip) % size;
			entries[claims[i].at] = claims[i].slot;
			filled++;
		}
	}
	return differs;
}

/* Claims with weights up to `most`; the number of them. */
static uint32_t draw_claims(lb_maglev_claim claims[64], uint64_t *seed, uint32_t size, uint32_t most)
{
	uint32_t n = 1 + (uint32_t)(lb_mix64((*seed)++) % 64);

	for (uint32_t i = 0; i < n; i++, *seed += 3)
		claims[i] = (lb_maglev_claim){.at = (uint32_t)(lb_mix64(*seed) % size),
					      .skip = 1 + (uint32_t)(lb_mix64(*seed + 1) % (size - 1)),
					      .weight = 1 + (uint32_t)(lb_mix64(*seed + 2) % most),
					      .slot = i};
	return n;
}

START_TEST(any_weights_are_filled_as_by_envoys_doubles)
{
	static const uint32_t sizes[] = {2, 7, 1009, DEFAULT_SIZE},
			      largest[] = {2, 5, 10, 1000, LB_WEIGHT_MAX};
	static lb_atomic16 got[DEFAULT_SIZE];
	static uint32_t expected[DEFAULT_SIZE], taken[DEFAULT_SIZE / 32 + 1];
	uint64_t seed = 1;
	long differ = 0;

	for (long round = 0; round < rounds(2000); round++) {
		uint32_t size = sizes[round % 64 == 0 ? 3 : round % 3];
		lb_maglev_claim claims[64], copy[64];
		uint64_t queue[64];
		uint32_t n = draw_claims(claims, &seed, size, largest[round % 5]);
		memcpy(copy, claims, sizeof copy);
		differ += fill_by_doubles(expected, size, claims, n);
		for (uint32_t i = 0; i < n; i++)
			copy[i].part = claims[i].part;
		lb_maglev_fill(got, size, copy, n, queue, taken);
		for (uint32_t i = 0; i < size; i++)
			if (lb_get16(&got[i]) != expected[i])
				ck_abort_msg("round %ld, entry %u", round, i);
	}
	ck_assert_int_gt(differ, 0);
}
END_TEST

/* Many rounds of large weights that are nearly the same: doubles are off by more than what is between a turn and its target. */
START_TEST(large_weights_are_filled_as_by_envoys_doubles)
{
	enum { SIZE = 5000011 };
	lb_atomic16 *got = calloc(SIZE, sizeof *got);
	uint32_t *expected = calloc(SIZE, sizeof *expected), *taken = calloc(SIZE / 32 + 1, sizeof *taken);

	for (uint32_t round = 0; round < (rounds(1000) == 1000 ? 4 : 1); round++) {
		lb_maglev_claim claims[2], copy[2];
		uint64_t queue[2];
		for (uint32_t i = 0; i < 2; i++)
			claims[i] = (lb_maglev_claim){
			    .at = i, .skip = 2 + i, .weight = LB_WEIGHT_MAX - (13 + round) * i, .slot = i};
		memcpy(copy, claims, sizeof copy);
		ck_assert(fill_by_doubles(expected, SIZE, claims, 2));
		for (uint32_t i = 0; i < 2; i++)
			copy[i].part = claims[i].part;
		lb_maglev_fill(got, SIZE, copy, 2, queue, taken);
		for (uint32_t i = 0; i < SIZE; i++)
			if (lb_get16(&got[i]) != expected[i])
				ck_abort_msg("round %u, entry %u", round, i);
	}
	free(got);
	free(expected);
	free(taken);
}
END_TEST

/* Labels of the same length, so that their order is that of the numbers. */
START_TEST(a_table_of_any_weights_is_that_of_envoys_doubles)
{
	static uint32_t expected[DEFAULT_SIZE];
	long differ = 0;

	for (uint64_t round = 0; round < (uint64_t)rounds(50); round++) {
		lb_maglev_claim claims[64] = {{0}};
		fleet f;
		fleet_open(&f, 9, "127.0.0.1:", 90);
		for (uint32_t i = 0; i < f.n; i++) {
			f.wanted[i].weight = 1 + (uint32_t)(lb_mix64(10 * round + i) % 10);
			claims[i] = (lb_maglev_claim){
			    .at = (uint32_t)(lb_xxh64(f.names[i], 12, 0) % 1009),
			    .skip = 1 + (uint32_t)(lb_xxh64(f.names[i], 12, 1) % 1008),
			    .weight = f.wanted[i].weight,
			    .slot = i,
			};
		}
		differ += fill_by_doubles(expected, 1009, claims, f.n);
		fleet_fill(&f, LB_HASH_ENVOY, 1009);
		for (uint32_t i = 0; i < 1009; i++)
			if (number_at(&f, slot_in_table(&f, i)) != expected[i])
				ck_abort_msg("round %u, entry %u", (unsigned)round, i);
		fleet_close(&f);
	}
	ck_assert_int_gt(differ, 0);
}
END_TEST

START_TEST(any_weights_are_filled_as_by_envoys_rounds)
{
	static const uint32_t sizes[] = {2, 3, 7, 61, 1009}, largest[] = {1, 2, 5, 1000, LB_WEIGHT_MAX};
	uint64_t seed = 1;

	for (long round = 0; round < rounds(2000); round++) {
		uint32_t size = sizes[round % 5], most = largest[round / 5 % 5], taken[40];
		lb_maglev_claim claims[64], copy[64];
		uint64_t queue[64];
		lb_atomic16 got[1009];
		uint32_t expected[1009];
		uint32_t n = draw_claims(claims, &seed, size, most);
		memcpy(copy, claims, sizeof copy);
		lb_maglev_fill(got, size, copy, n, queue, taken);
		fill_by_rounds(expected, size, claims, n);
		for (uint32_t i = 0; i < size; i++)
			if (lb_get16(&got[i]) != expected[i])
				ck_abort_msg("round %ld, entry %u", round, i);
	}
}
END_TEST

/* Basic, BasicWithHostName (and BasicWithMetadataHashKey), Weighted */
START_TEST(tables_of_envoy)
{
	static const struct {
		const char *before;
		uint32_t n, second, size;
		const char *table;
	} vectors[] = {
	    {"127.0.0.1:", 6, 1, 7, "2 4 0 1 5 0 3"},
	    {"", 6, 1, 7, "2 5 0 3 4 1 0"},
	    {"127.0.0.1:", 2, 2, 17, "1 0 0 1 0 1 1 0 1 1 1 1 1 0 1 0 1"},
	};

	for (size_t v = 0; v < sizeof vectors / sizeof *vectors; v++) {
		fleet f;
		fleet_open(&f, vectors[v].n, vectors[v].before, 90);
		f.wanted[1].weight = vectors[v].second;
		fleet_fill(&f, LB_HASH_ENVOY, vectors[v].size);
		ck_table(&f, vectors[v].table);
		fleet_close(&f);
	}
}
END_TEST

/* Each host is in a zone of its own, which has this weight; so its own weight does not matter. */
static void fill_zones(fleet *f, const uint32_t *weights)
{
	for (uint32_t i = 0; i < f->n; i++) {
		f->wanted[i].weight = 1 + i;
		f->wanted[i].zone = 1 + i;
		ck_ok(lb_pool_set_zone(f->pool, 1 + i, weights[i], 0));
	}
	fleet_fill(f, LB_HASH_ENVOY, 17);
}

/* LocalityWeightedSameLocalityWeights */
START_TEST(a_table_of_envoy_by_zones)
{
	fleet f;

	fleet_open(&f, 2, "127.0.0.1:", 90);
	fill_zones(&f, (uint32_t[]){1, 1});
	ck_table(&f, "1 0 0 1 0 1 1 0 0 1 0 1 0 0 1 0 1");
	fleet_close(&f);
}
END_TEST

/* LocalityWeightedDifferentLocalityWeights: the third host, :92, is in a zone of weight 0 and has no entry. */
START_TEST(a_zone_of_weight_0_has_no_entry)
{
	fleet f;

	fleet_open(&f, 3, "127.0.0.1:", 90);
	fill_zones(&f, (uint32_t[]){8, 2, 0});
	ck_table(&f, "1 0 0 0 0 0 1 0 0 1 0 1 0 0 0 0 0");
	fleet_close(&f);
}
END_TEST

/* LocalityWeightedGlobalPanic: nobody is healthy; localities count all the same, and host weights do not. */
START_TEST(zones_count_in_panic)
{
	fleet f;
	lb_endpoint e;
	lb_pool_config config;

	fleet_open(&f, 2, "127.0.0.1:", 90);
	ck_ok(lb_pool_destroy(f.pool));
	lb_pool_config_init(&config, sizeof config);
	config.breaker = NULL;
	config.panic_percent = 50;
	ck_ok(lb_pool_create(&f.pool, &config, NULL));
	fill_zones(&f, (uint32_t[]){1, 1});
	for (uint32_t i = 0; i < 2; i++) {
		ck_ok(lb_pool_find(f.pool, f.names[i], &e));
		ck_ok(lb_pool_set_health(f.pool, e, LB_UNHEALTHY));
	}
	ck_table(&f, "1 0 0 1 0 1 1 0 0 1 0 1 0 0 1 0 1");
	fleet_close(&f);
}
END_TEST

/* BasicStability: the table does not depend on the order of the hosts (MaglevTable sorts them by label). */
START_TEST(envoys_table_is_one_of_the_set)
{
	fleet f;
	char got[16] = "";

	fleet_open(&f, 6, "127.0.0.1:", 90);
	for (uint32_t i = 0; i < 3; i++) {
		lb_endpoint_config kept = f.wanted[i];
		f.wanted[i] = f.wanted[5 - i];
		f.wanted[5 - i] = kept;
	}
	fleet_fill(&f, LB_HASH_ENVOY, 7);
	for (uint32_t i = 0; i < 7; i++)
		got[i] = name_at(&f, slot_in_table(&f, i))[11];
	ck_assert_str_eq(got, "2401503");
	fleet_close(&f);
}
END_TEST

/* LocalityWeightedLopsided: one host in a zone of weight 127, 1023 in one of weight 1: these have an entry each. */
START_TEST(a_table_of_envoy_with_one_heavy_host)
{
	static uint32_t counts[1400];
	fleet f;

	fleet_open(&f, 1024, "127.0.0.1:", 0);
	ck_ok(lb_pool_set_zone(f.pool, 1, 127, 0));
	ck_ok(lb_pool_set_zone(f.pool, 2, 1, 0));
	for (uint32_t i = 0; i < 1024; i++)
		f.wanted[i].zone = i == 0 ? 1 : 2;
	fleet_fill(&f, LB_HASH_ENVOY, 0);
	ck_assert_uint_le(f.pool->shape.slots, 1400);
	count_entries(&f, DEFAULT_SIZE, counts);
	for (uint32_t slot = 0, place = 0; place < 1024; slot++) {
		if (counts[slot] == 0)
			continue;
		place++;
		if (counts[slot] != (number_at(&f, slot) == 0 ? DEFAULT_SIZE - 1023 : 1))
			ck_abort_msg("%s has %u", name_at(&f, slot), counts[slot]);
	}
	fleet_close(&f);
}
END_TEST

/* Envoy's load_balancers.rst: 21,846 and 43,691 of 65,537; by either profile's labels. */
START_TEST(weights_1_to_2_share_the_default_table)
{
	static const lb_hash_profile profiles[] = {LB_HASH_LBCORE, LB_HASH_ENVOY};

	for (size_t p = 0; p < 2; p++) {
		fleet f;
		uint32_t counts[18];
		fleet_open(&f, 2, "127.0.0.1:", 90);
		f.wanted[1].weight = 2;
		fleet_fill(&f, profiles[p], 0);
		count_entries(&f, DEFAULT_SIZE, counts);
		/* in the order of names :91 may stand first, and have the odd entry */
		uint32_t light = counts[lb_pool_slot(f.pool, lb_pool_next(f.pool, 0), true)];
		ck_assert(light == 21846 || (profiles[p] == LB_HASH_LBCORE && light == 21845));
		fleet_close(&f);
	}
}
END_TEST

/* NoPrimeNumber, DefaultMaglevTableSize */
START_TEST(a_size_that_is_no_prime_is_rejected)
{
	static const uint32_t bad[] = {1,         4,           9,       15,          65536,
				       65537 * 3, 2235 * 2235, 5000013, 5000011 + 2, UINT32_MAX};
	static const uint32_t good[] = {0, 2, 3, 7, 65537, 5000011};
	fleet f;

	fleet_open(&f, 3, "e", 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		lb_selector_config config = maglev_config(LB_HASH_LBCORE, bad[i]);
		ck_assert_int_eq(lb_selector_create(&f.selector, f.pool, &config), LB_EINVAL);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		lb_selector_config config = maglev_config(LB_HASH_ENVOY, good[i]);
		ck_ok(lb_selector_create(&f.selector, f.pool, &config));
		lb_selector_destroy(f.selector);
	}
	for (lb_hash_profile profile = LB_HASH_NGINX; profile < LB_HASH_ENVOY; profile++) {
		lb_selector_config config = maglev_config(profile, 0);
		ck_assert_int_eq(lb_selector_create(&f.selector, f.pool, &config), LB_EINVAL);
	}
	f.selector = NULL;
	fleet_close(&f);
}
END_TEST

static void spread(uint32_t n, uint32_t size, const uint32_t weights[3], uint32_t *least, uint32_t *most)
{
	fleet f;
	uint32_t *counts;

	fleet_open(&f, n, "real-", 0);
	for (uint32_t i = 0; weights && i < n; i++)
		f.wanted[i].weight = weights[i % 3];
	fleet_fill(&f, LB_HASH_LBCORE, size);
	counts = calloc(f.pool->shape.slots, sizeof *counts);
	count_entries(&f, size != 0 ? size : DEFAULT_SIZE, counts);
	*least = UINT32_MAX;
	*most = 0;
	for (uint32_t place = 0; place < n; place++) {
		lb_tier tier = tier_at(&f, 0);
		uint32_t count = counts[lb_tier_slot(&tier, place)];
		*least = count < *least ? count : *least;
		*most = count > *most ? count : *most;
	}
	free(counts);
	fleet_close(&f);
}

START_TEST(equal_weights_differ_by_one_entry_at_most)
{
	static const uint32_t sizes[] = {1009, 65537}, numbers[] = {1, 2, 3, 10, 64, 400, 1000};

	for (size_t s = 0; s < 2; s++) {
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			uint32_t least, most;
			spread(numbers[i], sizes[s], NULL, &least, &most);
			ck_assert_uint_eq(most - least, sizes[s] % numbers[i] != 0);
			ck_assert_uint_eq(least, sizes[s] / numbers[i]);
		}
	}
}
END_TEST

/*
 * katran's CHHelpersTest, testMaglevV2CHDiffWeight: weights 2, 1, 1 differ by 16385 in its V2, which deals rounds otherwise. By
 * Envoy's rule the light ones are an entry ahead.
 */
START_TEST(weights_of_katran)
{
	uint32_t least, most;

	spread(3, 0, (uint32_t[]){2, 1, 1}, &least, &most);
	ck_assert_uint_ge(most - least, 16382);
	ck_assert_uint_le(most - least, 16385);
}
END_TEST

/*
 * katran's V1 gave each as many entries in a row as its weight says (testMaglevWeightsSumLargerThanRing): the table was full
 * before the second half had any.
 */
START_TEST(weights_that_sum_up_to_more_than_the_table_starve_nobody)
{
	uint32_t least, most;

	spread(400, 1009, (uint32_t[]){1000, 1000, 1000}, &least, &most);
	ck_assert_uint_eq(least, 2);
	ck_assert_uint_eq(most, 3);
	spread(400, 1009, (uint32_t[]){LB_WEIGHT_MAX, 1, 1}, &least, &most);
	ck_assert_uint_eq(least, 1);
}
END_TEST

/* What becomes of the entries when the last `gone` of n are removed: how many changed that were not theirs, in ppm. */
static uint32_t unnecessary_ppm(uint32_t n, uint32_t gone, uint32_t size)
{
	fleet all;
	uint64_t moved = 0, theirs = 0;
	uint32_t *before = calloc(size, sizeof *before);

	fleet_open(&all, n, "backend-", 0);
	fleet_fill(&all, LB_HASH_LBCORE, size);
	for (uint32_t i = 0; i < size; i++)
		before[i] = slot_in_table(&all, i);
	ck_ok(lb_pool_sync(all.pool, all.wanted, n - gone));
	for (uint32_t i = 0; i < size; i++) {
		uint32_t slot = slot_in_table(&all, i);
		bool stays = (lb_get(&all.pool->slots[before[i]].gates) & LB_GATES_CLOSED) == 0;
		theirs += !stays;
		moved += stays && slot != before[i];
	}
	ck_assert_uint_ge(theirs, size / n * gone);
	free(before);
	fleet_close(&all);
	return (uint32_t)(moved * 1000000 / size);
}

/* Bounds beside the figures that were measured of the algorithm: 0.01, 0.25, 0.43, 0.54, 0.74 %; 2.38 %, 0.58 %. */
START_TEST(a_removal_moves_few_entries_but_its_own)
{
	static const uint32_t numbers[] = {3, 10, 50, 100, 200};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		uint32_t ppm = unnecessary_ppm(numbers[i], 1, 65537);
		ck_assert_uint_gt(ppm, 0);
		ck_assert_uint_le(ppm, 10000);
	}
	ck_assert_uint_le(unnecessary_ppm(1000, 10, 65537), 30000);
	ck_assert_uint_le(unnecessary_ppm(1000, 10, 655373), 8000);
}
END_TEST

static void shuffle(fleet *f, uint64_t seed)
{
	for (uint32_t i = f->n; i-- > 1;) {
		uint32_t other = (uint32_t)(lb_mix64(seed * 1000 + i) % (i + 1));
		lb_endpoint_config kept = f->wanted[i];
		f->wanted[i] = f->wanted[other];
		f->wanted[other] = kept;
	}
}

/* The table by the endpoints' numbers. */
static void read_table(const fleet *f, uint32_t size, uint32_t *numbers)
{
	uint32_t of_slot[64] = {0};
	lb_tier tier = tier_at(f, 0);

	for (uint32_t place = 0; place < tier.n; place++)
		of_slot[lb_tier_slot(&tier, place)] = number_at(f, lb_tier_slot(&tier, place));
	ck_assert_uint_eq(table_size(f, 0), size);
	for (uint32_t i = 0; i < size; i++)
		numbers[i] = of_slot[slot_in_table(f, i)];
}

/* How many of `orders` orders of addition give another table than the first. */
static int different_tables(lb_hash_profile profile, uint32_t size, int orders)
{
	uint32_t *first = calloc(size, sizeof *first), *other = calloc(size, sizeof *other);
	int different = 0;

	for (int order = 0; order < orders; order++) {
		fleet f;
		fleet_open(&f, 13, "10.0.0.", 1);
		for (uint32_t i = 0; i < 13; i++)
			f.wanted[i].weight = 1 + i % 3;
		if (order > 0)
			shuffle(&f, (uint64_t)order);
		fleet_fill(&f, profile, size);
		read_table(&f, size, order > 0 ? other : first);
		different += order > 0 && memcmp(first, other, size * sizeof *first) != 0;
		fleet_close(&f);
	}
	free(first);
	free(other);
	return different;
}

START_TEST(a_table_is_a_function_of_the_set)
{
	static const lb_hash_profile profiles[] = {LB_HASH_LBCORE, LB_HASH_ENVOY};

	for (size_t p = 0; p < 2; p++) {
		ck_assert_int_eq(different_tables(profiles[p], 1009, (int)rounds(1000)), 0);
		ck_assert_int_eq(different_tables(profiles[p], DEFAULT_SIZE, (int)rounds(20)), 0);
	}
}
END_TEST

/* Two names whose hashes agree in the 48 bits that are sorted by. */
START_TEST(names_of_equal_hashes_stand_by_name)
{
	char tables[2][64];

	for (int order = 0; order < 2; order++) {
		fleet f;
		fleet_open(&f, 3, "e", 0);
		strcpy(f.names[order], "n29275897");
		strcpy(f.names[1 - order], "n13228035");
		ck_assert_uint_eq(lb_hash("n29275897", 9, 0) >> 16, lb_hash("n13228035", 9, 0) >> 16);
		fleet_fill(&f, LB_HASH_LBCORE, 61);
		for (uint32_t i = 0; i < 61; i++)
			tables[order][i] = name_at(&f, slot_in_table(&f, i))[2];
		fleet_close(&f);
	}
	ck_assert_mem_eq(tables[0], tables[1], 61);
}
END_TEST

static uint32_t pick_once(const fleet *f, uint64_t key)
{
	lb_ticket ticket = {0};
	lb_request request = {.key = key, .flags = LB_REQUEST_KEY};

	if (lb_select(f->selector, &request, &ticket) != LB_OK)
		ck_abort_msg("nobody");
	uint32_t slot = lb_pool_slot(f->pool, ticket.endpoint, true);
	if (lb_report_result(f->selector, &ticket, LB_SUCCESS) != LB_OK)
		ck_abort_msg("no report");
	return slot;
}

START_TEST(envoys_entry_of_a_hash_is_its_remainder)
{
	static const uint32_t sizes[] = {2, 7, 17, 65537, 655373, 5000011};

	for (size_t s = 0; s < 6; s++) {
		fleet f;
		uint64_t m = sizes[s];
		fleet_open(&f, 13, "e", 0);
		fleet_fill(&f, LB_HASH_ENVOY, sizes[s]);
		for (uint64_t i = 0; i < 20000; i++) {
			/* multiples of the size and their neighbours, large ones first; then any */
			uint64_t multiple = (UINT64_MAX / m - i / 3) * m;
			uint64_t key = i % 4 < 3 ? multiple + i % 3 - 1 : lb_mix64(i);
			if (pick_once(&f, key) != slot_in_table(&f, (uint32_t)(key % m)))
				ck_abort_msg("size %llu, step %llu", (unsigned long long)m,
					     (unsigned long long)i);
		}
		ck_assert_uint_eq(pick_once(&f, 0), slot_in_table(&f, 0));
		ck_assert_uint_eq(pick_once(&f, UINT64_MAX), slot_in_table(&f, (uint32_t)(UINT64_MAX % m)));
		fleet_close(&f);
	}
}
END_TEST

START_TEST(small_numbers_are_good_keys)
{
	fleet f;
	uint32_t served[18] = {0};

	fleet_open(&f, 4, "e", 0);
	fleet_fill(&f, LB_HASH_LBCORE, 0);
	for (uint64_t key = 0; key < 4000; key++)
		served[pick_once(&f, key)]++;
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(served[i] > 830 && served[i] < 1170);
	fleet_close(&f);
}
END_TEST

START_TEST(the_profile_says_how_a_key_is_hashed)
{
	fleet f;

	fleet_open(&f, 2, "e", 0);
	fleet_fill(&f, LB_HASH_ENVOY, 0);
	/* XXH64 of nothing and of "abc", by its specification */
	ck_assert_uint_eq(lb_selector_hash(f.selector, "", 0), UINT64_C(0xef46db3751d8e999));
	ck_assert_uint_eq(lb_selector_hash(f.selector, "abc", 3), UINT64_C(0x44bc2cf5ad770999));
	lb_selector_destroy(f.selector);
	fleet_fill(&f, LB_HASH_LBCORE, 0);
	ck_assert_uint_eq(lb_selector_hash(f.selector, "abc", 3), lb_hash("abc", 3, 0));
	fleet_close(&f);
}
END_TEST

/* The numbers that the algorithm names for a key, one after another, all refused; 0xff where it ends. */
static uint32_t names_of(const fleet *f, uint32_t place, uint64_t key, uint32_t *numbers, uint32_t room)
{
	const lb_algo *algo = f->selector->algo;
	lb_tier tier = tier_at(f, place);
	lb_pick pick = {.lane = &f->pool->lanes[0].algo, .rules = &f->selector->rules, .key = key};
	uint32_t named = 0, slot;

	for (; (slot = algo->pick(f->selector->state, &tier, &pick)) != LB_NO_SLOT; pick.attempt++) {
		ck_assert_uint_lt(named, room);
		numbers[named++] = number_at(f, slot);
		if (pick.refused_n < LB_REFUSED_MAX)
			pick.refused[pick.refused_n++] = (uint16_t)slot;
	}
	return named;
}

static uint32_t different_numbers(const uint32_t *numbers, uint32_t n)
{
	uint64_t seen = 0;
	uint32_t different = 0;

	for (uint32_t i = 0; i < n; i++) {
		different += (seen >> numbers[i] & 1) == 0;
		seen |= UINT64_C(1) << numbers[i];
	}
	return different;
}

START_TEST(next_choices_are_the_same_everywhere_and_reach_all)
{
	static const uint32_t numbers[] = {1, 2, 7, 20, 50};

	for (size_t i = 0; i < 5; i++) {
		fleet one, other;
		static uint32_t a[DEFAULT_SIZE], b[DEFAULT_SIZE];
		fleet_open(&one, numbers[i], "e", 0);
		fleet_open(&other, numbers[i], "e", 0);
		shuffle(&other, 5);
		one.wanted[0].weight = 50;
		for (uint32_t k = 0; k < numbers[i]; k++)
			if (strcmp(other.wanted[k].name, "e0") == 0)
				other.wanted[k].weight = 50;
		fleet_fill(&one, LB_HASH_LBCORE, 1009);
		fleet_fill(&other, LB_HASH_LBCORE, 1009);
		for (uint64_t key = 0; key < 100; key++) {
			uint32_t n = names_of(&one, 0, key, a, DEFAULT_SIZE);
			ck_assert_uint_eq(names_of(&other, 0, key, b, DEFAULT_SIZE), n);
			ck_assert_mem_eq(a, b, n * sizeof *a);
			ck_assert_uint_eq(different_numbers(a, n), numbers[i]);
			for (uint32_t k = 1; k < n; k++)
				if (a[k] == a[k - 1])
					ck_abort_msg("key %llu: the same twice in a row",
						     (unsigned long long)key);
			/* all different, as long as the list of refused ones is complete */
			uint32_t listed = n < LB_REFUSED_MAX ? n : LB_REFUSED_MAX;
			ck_assert_uint_eq(different_numbers(a, listed), listed);
			if (numbers[i] <= LB_REFUSED_MAX)
				ck_assert_uint_eq(n, numbers[i]);
		}
		fleet_close(&one);
		fleet_close(&other);
	}
}
END_TEST

START_TEST(a_retry_goes_to_the_next_other_one_down_the_table)
{
	fleet f;

	fleet_open(&f, 6, "e", 0);
	fleet_fill(&f, LB_HASH_ENVOY, 61);
	for (uint64_t key = 0; key < 61; key++) {
		lb_ticket ticket = {0};
		lb_request request = {.key = key, .flags = LB_REQUEST_KEY};
		uint64_t tried = 0;
		uint32_t at = (uint32_t)key;
		for (int attempt = 0; attempt < 6; attempt++) {
			while (tried >> slot_in_table(&f, at % 61) & 1)
				at++;
			ck_ok(lb_select(f.selector, &request, &ticket));
			ck_assert_uint_eq(lb_pool_slot(f.pool, ticket.endpoint, true),
					  slot_in_table(&f, at % 61));
			ck_assert_uint_eq(ticket.reason, LB_BY_ALGORITHM);
			ck_ok(lb_report_result(f.selector, &ticket, LB_REFUSED));
			tried |= UINT64_C(1) << slot_in_table(&f, at % 61);
		}
		ck_assert_int_eq(lb_select(f.selector, &request, &ticket), LB_ENONE);
	}
	fleet_close(&f);
}
END_TEST

/* More members than entries: ours goes by scores, Envoy's gives the last by their labels none: "e10" stands before "e2". */
START_TEST(more_endpoints_than_entries)
{
	fleet f;
	uint32_t served[18] = {0}, counts[18];

	fleet_open(&f, 12, "e", 0);
	fleet_fill(&f, LB_HASH_LBCORE, 7);
	ck_assert_uint_eq(table_size(&f, 0), 0);
	for (uint64_t key = 0; key < 10000; key++)
		served[pick_once(&f, key)]++;
	for (uint32_t i = 0; i < 12; i++)
		ck_assert(served[i] > 650 && served[i] < 1000);
	lb_selector_destroy(f.selector);
	fleet_fill(&f, LB_HASH_ENVOY, 7);
	count_entries(&f, 7, counts);
	for (uint32_t slot = 0; slot < 18; slot++)
		if (counts[slot] > 0)
			ck_assert(counts[slot] == 1 && (number_at(&f, slot) < 5 || number_at(&f, slot) > 9));
	fleet_close(&f);
}
END_TEST

/* Three priorities: the third has no table, and its answers depend on names only as well. */
START_TEST(tiers_without_a_table_are_served_alike_everywhere)
{
	fleet one, other;
	uint32_t a[16], b[16];

	fleet_open(&one, 15, "e", 0);
	fleet_open(&other, 15, "e", 0);
	for (uint32_t i = 0; i < 15; i++)
		one.wanted[i].priority = other.wanted[i].priority = i % 3;
	shuffle(&other, 3);
	fleet_fill(&one, LB_HASH_LBCORE, 0);
	fleet_fill(&other, LB_HASH_LBCORE, 0);
	ck_assert_uint_eq(table_size(&one, 0), DEFAULT_SIZE);
	ck_assert_uint_eq(table_size(&one, 1), DEFAULT_SIZE);
	ck_assert_uint_eq(table_size(&one, 2), 0);
	for (uint64_t key = 0; key < 300; key++) {
		for (uint32_t place = 0; place < 3; place++) {
			ck_assert_uint_eq(names_of(&one, place, key, a, 16), 5);
			ck_assert_uint_eq(names_of(&other, place, key, b, 16), 5);
			ck_assert_mem_eq(a, b, 5 * sizeof *a);
			for (int i = 0; i < 5; i++)
				ck_assert_uint_eq(a[i] % 3, place);
		}
	}
	fleet_close(&one);
	fleet_close(&other);
}
END_TEST

/* Whatever was published before, and whichever half or table was kept or copied: tables are those of a fresh selector. */
START_TEST(tables_that_were_kept_are_those_that_would_be_made)
{
	fleet f;
	lb_selector *kept, *fresh;
	lb_selector_config config = maglev_config(LB_HASH_ENVOY, 1009);

	fleet_open(&f, 12, "e", 0);
	fleet_fill(&f, LB_HASH_ENVOY, 1009);
	kept = f.selector;
	for (uint64_t step = 0; step < (uint64_t)rounds(400); step++) {
		uint64_t random = lb_mix64(step);
		lb_endpoint endpoint;
		lb_endpoint_config change;
		ck_ok(lb_pool_find(f.pool, f.names[random % 12], &endpoint));
		lb_endpoint_config_init(&change, sizeof change);
		change.priority = (uint32_t)(random >> 8) % 3;
		change.weight = 1 + (uint32_t)(random >> 16) % 2;
		switch (random >> 32 & 3) {
		case 0:
			ck_ok(lb_pool_update(f.pool, endpoint, &change));
			break;
		case 1:
			ck_ok(lb_pool_set_health(f.pool, endpoint, (lb_health_status)(random >> 40 & 3)));
			break;
		case 2:
			ck_ok(lb_pool_sync(f.pool, f.wanted, f.n));
			break;
		default:
			lb_pool_tick(f.pool);
		}
		ck_ok(lb_selector_create(&fresh, f.pool, &config));
		for (uint32_t place = 0; place < lb_get(&lb_view_hold_now(f.pool).view->tiers_n); place++) {
			lb_tier tier = tier_at(&f, place);
			lb_algo_entry a = {0}, b = {0};
			ck_assert_uint_eq(kept->algo->table(kept->state, &f.pool->shape, &tier, 0, &a),
					  place < 2 ? 1009 : 0);
			for (uint32_t i = 0; place < 2 && i < 1009; i++) {
				kept->algo->table(kept->state, &f.pool->shape, &tier, i, &a);
				fresh->algo->table(fresh->state, &f.pool->shape, &tier, i, &b);
				if (a.slot != b.slot)
					ck_abort_msg("entry %u is kept wrongly", i);
			}
		}
		lb_selector_destroy(fresh);
	}
	fleet_close(&f);
}
END_TEST

Suite *suite_maglev(void)
{
	Suite *suite = suite_create("maglev");
	TCase *vectors = tcase_create("vectors"), *laws = tcase_create("laws");

	tcase_set_timeout(vectors, 60);
	tcase_set_timeout(laws, 60);
	tcase_add_test(vectors, table_1_of_the_paper);
	tcase_add_test(vectors, table_of_go_maglev);
	tcase_add_test(vectors, any_weights_are_filled_as_by_envoys_rounds);
	tcase_add_test(vectors, any_weights_are_filled_as_by_envoys_doubles);
	tcase_add_test(vectors, large_weights_are_filled_as_by_envoys_doubles);
	tcase_add_test(vectors, a_table_of_any_weights_is_that_of_envoys_doubles);
	tcase_add_test(vectors, tables_of_envoy);
	tcase_add_test(vectors, a_table_of_envoy_by_zones);
	tcase_add_test(vectors, envoys_table_is_one_of_the_set);
	tcase_add_test(vectors, a_table_of_envoy_with_one_heavy_host);
	tcase_add_test(vectors, a_zone_of_weight_0_has_no_entry);
	tcase_add_test(vectors, zones_count_in_panic);
	tcase_add_test(vectors, weights_1_to_2_share_the_default_table);
	tcase_add_test(vectors, a_size_that_is_no_prime_is_rejected);
	tcase_add_test(vectors, weights_of_katran);
	tcase_add_test(vectors, the_profile_says_how_a_key_is_hashed);
	tcase_add_test(laws, equal_weights_differ_by_one_entry_at_most);
	tcase_add_test(laws, weights_that_sum_up_to_more_than_the_table_starve_nobody);
	tcase_add_test(laws, a_removal_moves_few_entries_but_its_own);
	tcase_add_test(laws, a_table_is_a_function_of_the_set);
	tcase_add_test(laws, names_of_equal_hashes_stand_by_name);
	tcase_add_test(laws, envoys_entry_of_a_hash_is_its_remainder);
	tcase_add_test(laws, small_numbers_are_good_keys);
	tcase_add_test(laws, next_choices_are_the_same_everywhere_and_reach_all);
	tcase_add_test(laws, a_retry_goes_to_the_next_other_one_down_the_table);
	tcase_add_test(laws, more_endpoints_than_entries);
	tcase_add_test(laws, tiers_without_a_table_are_served_alike_everywhere);
	tcase_add_test(laws, tables_that_were_kept_are_those_that_would_be_made);
	suite_add_tcase(suite, vectors);
	suite_add_tcase(suite, laws);
	return suite;
}
