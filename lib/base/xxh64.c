/* XXH64. Source: xxHash's doc/xxhash_spec.md, "XXH64 algorithm description". See xxh64.h. */
#include "base/xxh64.h"

#define PRIME1 UINT64_C(0x9e3779b185ebca87)
#define PRIME2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME3 UINT64_C(0x165667b19e3779f9)
#define PRIME4 UINT64_C(0x85ebca77c2b2ae63)
#define PRIME5 UINT64_C(0x27d4eb2f165667c5)

static uint64_t turned(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t read32(const unsigned char *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

static uint64_t read64(const unsigned char *at)
{
	return read32(at) | read32(at + 4) << 32;
}

static uint64_t mixed(uint64_t sum, uint64_t word)
{
	return turned(sum + word * PRIME2, 31) * PRIME1;
}

static uint64_t merged(uint64_t hash, uint64_t sum)
{
	return (hash ^ mixed(0, sum)) * PRIME1 + PRIME4;
}

/* Stripes of 32 bytes through four sums; `at` moves behind the last whole one. */
static uint64_t hash_stripes(const unsigned char **at, size_t length, uint64_t seed)
{
	uint64_t sums[4] = {seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1};

	for (size_t left = length; left >= 32; left -= 32, *at += 32)
		for (size_t i = 0; i < 4; i++)
			sums[i] = mixed(sums[i], read64(*at + 8 * i));
	uint64_t hash = turned(sums[0], 1) + turned(sums[1], 7) + turned(sums[2], 12) + turned(sums[3], 18);
	for (size_t i = 0; i < 4; i++)
		hash = merged(hash, sums[i]);
	return hash;
}

uint64_t lb_xxh64(const void *data, size_t length, uint64_t seed)
{
	const unsigned char *at = data;
	uint64_t hash = (length >= 32 ? hash_stripes(&at, length, seed) : seed + PRIME5) + length;
	size_t left = length % 32;

	for (; left >= 8; left -= 8, at += 8)
		hash = turned(hash ^ mixed(0, read64(at)), 27) * PRIME1 + PRIME4;
	if (left >= 4) {
		hash = turned(hash ^ read32(at) * PRIME1, 23) * PRIME2 + PRIME3;
		left -= 4;
		at += 4;
	}
	for (; left > 0; left--, at++)
		hash = turned(hash ^ *at * PRIME5, 11) * PRIME1;
	hash = (hash ^ hash >> 33) * PRIME2;
	hash = (hash ^ hash >> 29) * PRIME3;
	return hash ^ hash >> 32;
}
