/*
 * The hash of names and keys: eight bytes at a time through a 64-bit multiply and the SplitMix64 finaliser. Reads
 * bytes in little-endian order on every machine.
 */
#include "base/random.h"

#include <lbcore/base.h>

static uint64_t read_bytes(const unsigned char *at, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

uint64_t lb_hash(const void *key, size_t length, uint64_t seed)
{
	const unsigned char *at = key;
	uint64_t hash = lb_mix64(seed + LB_RANDOM_STEP);

	if (!key)
		length = 0;
	size_t left = length;
	for (; left >= 8; left -= 8, at += 8)
		hash = lb_mix64(hash ^ read_bytes(at, 8)) + LB_RANDOM_STEP;
	if (left > 0)
		hash = lb_mix64(hash ^ read_bytes(at, left)) + LB_RANDOM_STEP;
	/* the length tells "a" from "a\0" */
	return lb_mix64(hash ^ length);
}
