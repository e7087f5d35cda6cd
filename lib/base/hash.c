/*
 * The hash of names and keys: eight bytes at a time through a 64-bit multiply and the SplitMix64 finaliser. Reads
 * bytes in little-endian order on every machine.
 */
#include "base/bytes.h"
#include "base/random.h"

#include <lbcore/base.h>

uint64_t lb_hash(const void *key, size_t length, uint64_t seed)
{
	const unsigned char *at = key;
	uint64_t hash = lb_mix64(seed + LB_RANDOM_STEP);

	if (!key)
		length = 0;
	size_t left = length;
	for (; left >= 8; left -= 8, at += 8)
		hash = lb_mix64(hash ^ lb_bytes_load(at, 8)) + LB_RANDOM_STEP;
	if (left > 0)
		hash = lb_mix64(hash ^ lb_bytes_load(at, left)) + LB_RANDOM_STEP;
	/* the length tells "a" from "a\0" */
	return lb_mix64(hash ^ length);
}
