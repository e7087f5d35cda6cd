/* Words in memory as bytes, the lowest first on every machine. */
#ifndef LB_BASE_BYTES_H
#define LB_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* The word in `n` bytes, at most 8. */
static inline uint64_t lb_bytes_load(const unsigned char *at, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

static inline void lb_bytes_store(unsigned char at[8], uint64_t word)
{
	for (size_t i = 0; i < 8; i++)
		at[i] = (unsigned char)(word >> (8 * i));
}

#endif
