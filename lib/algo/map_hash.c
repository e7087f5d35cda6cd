/*
 * Map hash: the key modulo the sum of the weights, and the endpoint in whose part of them that falls. Over all living members
 * of the priority with a weight, in order of addition, whether they may be used or not: so one that fails moves no
 * other's keys. One that is refused makes the key be hashed again, up to 20 times; then the members that follow are named.
 *
 * nginx: `hash` and `ip_hash`, exactly. A second hash takes the key's bytes, which are gone by then. But a CRC of a text
 * behind another follows from the two CRCs and a length, and a hash modulo 6271 from the first hash and a length: so that is
 * what a key's bits are made of.
 */
#include "algo/table.h"
#include "base/block.h"
#include "base/crc32.h"

#define HASHES_MAX 21u
#define IP_MODULUS 6271u
#define IP_FACTOR 113u
#define IP_START 89u

/* A priority's members. */
typedef struct lb_map {
	lb_atomic32 first, n;
	lb_atomic64 weight; /* the sum */
} lb_map;

typedef struct lb_maps {
	_Alignas(LB_LINE) lb_map levels[2][LB_PRIORITY_MAX + 1];
} lb_maps;

/* One reading of a map, in bounds whatever it was read from. */
typedef struct lb_map_reading {
	lb_atomic64 *summed; /* a member's weight and those of all before it */
	lb_atomic16 *slots;
	uint32_t n;
	uint64_t weight;
} lb_map_reading;

/* How far a pick is, as pick->cursor keeps it: {24 steps, 8 hashes, 32 the last hash}. */
typedef struct lb_map_walk {
	uint32_t hash;
	uint64_t hashes, steps;
} lb_map_walk;

static bool accepts_map_hash(const lb_algo_rules *rules)
{
	return rules->table_size == 0 &&
	       (rules->profile == LB_HASH_LBCORE || rules->profile == LB_HASH_NGINX ||
		rules->profile == LB_HASH_NGINX_IP);
}

static size_t size_map_hash(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return sizeof(lb_maps) + 2 * (size_t)shape->slots * (sizeof(lb_atomic64) + sizeof(lb_atomic16));
}

static lb_map_reading read_map(void *state, const lb_algo_shape *shape, uint32_t half, uint32_t level)
{
	lb_maps *maps = state;
	const lb_map *map = &maps->levels[half][level];
	uint32_t first = lb_get(&map->first), n = lb_get(&map->n);
	lb_atomic64 *summed = lb_at(maps + 1, 0);
	lb_atomic16 *slots = lb_at(summed + 2 * (size_t)shape->slots, 0);

	if (first > shape->slots)
		first = n = 0;
	size_t from = (size_t)half * shape->slots + first;
	return (lb_map_reading){
	    .summed = summed + from,
	    .slots = slots + from,
	    .n = n < shape->slots - first ? n : shape->slots - first,
	    .weight = lb_get64(&map->weight),
	};
}

static void build_level(lb_maps *maps, const lb_algo_view *view, const lb_tier *level)
{
	lb_map *map = &maps->levels[level->buffer][level->number];
	uint64_t weight = 0;

	lb_put(&map->first, level->first);
	lb_put(&map->n, level->n);
	lb_map_reading to = read_map(maps, view->shape, level->buffer, level->number);
	for (uint32_t i = 0; i < to.n; i++) {
		uint32_t slot = lb_tier_slot(level, i);
		weight += lb_get(&view->weights[slot]);
		lb_put64(&to.summed[i], weight);
		lb_put16(&to.slots[i], slot);
	}
	lb_put64(&map->weight, weight);
}

static void build_map_hash(void *state, const lb_algo_view *view)
{
	for (uint32_t i = 0; i <= LB_PRIORITY_MAX; i++)
		build_level(state, view, &view->levels[i]);
}

/* The CRC of a decimal number and, behind it, of the key: Cache::Memcached's way to another place. */
static uint32_t crc_of_numbered(uint64_t key, uint32_t number)
{
	char digits[2] = {(char)('0' + number / 10), (char)('0' + number % 10)};
	uint32_t skipped = number < 10;

	return lb_crc32_joined(lb_crc32(0, digits + skipped, 2 - skipped), (uint32_t)key, key >> 32);
}

/* b^exponent modulo nginx's prime. */
static uint32_t power(uint32_t b, uint32_t exponent)
{
	uint32_t result = 1;

	for (; exponent > 0; exponent >>= 1) {
		if ((exponent & 1) != 0)
			result = result * b % IP_MODULUS;
		b = b * b % IP_MODULUS;
	}
	return result;
}

/* Octets take a hash h to h x 113^length + c; the first hash says what c is. */
static uint32_t hash_octets_again(uint64_t key, uint32_t hash)
{
	uint32_t factor = power(IP_FACTOR, (uint32_t)(key >> 32));
	uint32_t first = (uint32_t)key % IP_MODULUS;
	uint32_t rest = (first + IP_MODULUS - IP_START * factor % IP_MODULUS) % IP_MODULUS;

	return (hash % IP_MODULUS * factor + rest) % IP_MODULUS;
}

/* Hashes the key once more. */
static uint32_t next_hash(const lb_pick *pick, const lb_map_walk *walk)
{
	if (pick->rules->profile == LB_HASH_NGINX_IP)
		return walk->hashes == 0 ? (uint32_t)pick->key : hash_octets_again(pick->key, walk->hash);
	if (pick->rules->profile == LB_HASH_LBCORE)
		return 0;
	uint32_t crc =
	    walk->hashes == 0 ? (uint32_t)pick->key : crc_of_numbered(pick->key, (uint32_t)walk->hashes);
	return walk->hash + ((crc >> 16) & 0x7fff);
}

/* The member in whose part of the weights the walk's last hash falls. */
static uint32_t place_of(const lb_map_reading *map, const lb_pick *pick, const lb_map_walk *walk)
{
	uint64_t again = walk->hashes - 1;
	uint64_t ours = again == 0 ? pick->key : lb_mix64(pick->key + again * LB_RANDOM_STEP);
	uint64_t mark =
	    pick->rules->profile == LB_HASH_LBCORE ? lb_below64(ours, map->weight) : walk->hash % map->weight;
	uint32_t low = 0, high = map->n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (lb_get64(&map->summed[middle]) <= mark)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t step(const lb_map_reading *map, const lb_pick *pick, lb_map_walk *walk)
{
	if (walk->hashes < HASHES_MAX) {
		walk->hash = next_hash(pick, walk);
		walk->hashes++;
		return lb_get16(&map->slots[place_of(map, pick, walk)]);
	}
	uint64_t place = place_of(map, pick, walk) + ++walk->steps;
	return lb_get16(&map->slots[place % map->n]);
}

static uint64_t cursor_of(const lb_map_walk *walk)
{
	return walk->steps << 40 | walk->hashes << 32 | walk->hash;
}

static uint32_t pick_map_hash(void *state, const lb_tier *tier, lb_pick *pick)
{
	uint32_t level = tier->number % (LB_PRIORITY_MAX + 1);
	lb_map_reading map = read_map(state, pick->lane->shape, tier->buffer, level);
	lb_map_walk walk = {0};

	if (map.n == 0 || map.weight == 0)
		return LB_NO_SLOT;
	if (pick->attempt > 0)
		walk = (lb_map_walk){.hash = (uint32_t)pick->cursor,
				     .hashes = pick->cursor >> 32 & 0xff,
				     .steps = pick->cursor >> 40};
	while (walk.hashes < HASHES_MAX || walk.steps < map.n) {
		uint32_t slot = step(&map, pick, &walk);
		if (lb_pick_refused(pick, slot))
			continue;
		pick->cursor = cursor_of(&walk);
		return slot;
	}
	pick->cursor = cursor_of(&walk);
	return LB_NO_SLOT;
}

/*
 * ip_hash: of the four octets of an IPv4 address nginx hashes three, of an IPv6 address all 16; what is neither, such as a
 * socket's path, is given as no octets and stands for three zeros.
 */
static uint64_t hash_octets(const unsigned char *octets, size_t length)
{
	static const unsigned char zeros[3] = {0};
	uint32_t hash = IP_START;

	if (length == 0)
		octets = zeros;
	if (length == 0 || length == 4)
		length = 3;
	for (size_t i = 0; i < length; i++)
		hash = (hash * IP_FACTOR + octets[i]) % IP_MODULUS;
	return (uint64_t)length << 32 | hash;
}

static uint64_t hash_map_hash(const lb_algo_rules *rules, const void *key, size_t length)
{
	switch (rules->profile) {
	case LB_HASH_NGINX:
		return (uint64_t)length << 32 | lb_crc32(0, key, length);
	case LB_HASH_NGINX_IP:
		return hash_octets(key, length);
	default:
		return lb_hash(key, length, 0);
	}
}

const lb_algo lb_algo_map_hash = {
    .name = "map_hash",
    .traits = LB_ALGO_KEYED | LB_ALGO_ORDERED | LB_ALGO_LEVELS,
    .accepts = accepts_map_hash,
    .size = size_map_hash,
    .build = build_map_hash,
    .pick = pick_map_hash,
    .hash = hash_map_hash,
};
