/*
 * Random numbers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). A stream is one counter, so a step is a
 * load and a store.
 */
#ifndef LB_BASE_RANDOM_H
#define LB_BASE_RANDOM_H

#include "base/atomic.h"

#define LB_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

/* The finaliser: a bijection in which every input bit moves every output bit. */
static inline uint64_t lb_mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* An even number in 0..n-1 from 32 random bits, without a division (Lemire 2019; bias below n / 2^32). */
static inline uint32_t lb_below(uint32_t random, uint32_t n)
{
	return (uint32_t)((uint64_t)random * n >> 32);
}

/* The high half of a 128-bit product: x / 2^64 of n, for 64 random bits x. */
static inline uint64_t lb_below64(uint64_t x, uint64_t n)
{
	uint64_t low = (x & UINT32_MAX) * (n & UINT32_MAX);
	uint64_t middle = (x >> 32) * (n & UINT32_MAX) + (low >> 32);
	uint64_t other = (x & UINT32_MAX) * (n >> 32) + (middle & UINT32_MAX);

	return (x >> 32) * (n >> 32) + (middle >> 32) + (other >> 32);
}

/* Where random numbers come from: a lane's stream, or the host's hook. */
typedef struct lb_random {
	lb_atomic64 *stream;
	uint64_t (*hook)(void *user); /* may be NULL */
	void *user;
} lb_random;

/*
 * Threads that step one stream at the same moment may draw the same number: each draw is as even as ever, two that raced
 * are just not independent. A locked add would cost as much as the pick.
 */
static inline uint64_t lb_random_next(const lb_random *random)
{
	if (random->hook)
		return random->hook(random->user);
	uint64_t at = lb_get64(random->stream);
	lb_put64(random->stream, at + LB_RANDOM_STEP);
	return lb_mix64(at);
}

#endif
