/*
 * Random numbers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). A stream is one counter, so a lane's owner steps it
 * with a plain store and threads that share a lane with one locked add.
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

/* Where a pick takes its random numbers from. */
typedef struct lb_random {
	lb_atomic64 *stream;          /* the lane's */
	bool shared;                  /* several threads step it */
	uint64_t (*hook)(void *user); /* the host's, if it has one */
	void *user;
} lb_random;

static inline uint64_t lb_random_next(const lb_random *random)
{
	if (random->hook)
		return random->hook(random->user);
#if UINTPTR_MAX > UINT32_MAX
	uint64_t at;
	if (random->shared) {
		at = atomic_fetch_add_explicit(random->stream, LB_RANDOM_STEP, memory_order_relaxed);
	} else {
		at = lb_get64(random->stream);
		lb_put64(random->stream, at + LB_RANDOM_STEP);
	}
	return lb_mix64(at);
#else
	/* two threads may draw the same number here: harmless, and no 64-bit locked instruction */
	uint64_t at = lb_get64(random->stream);
	lb_bump64(random->stream, LB_RANDOM_STEP, random->shared);
	return lb_mix64(at);
#endif
}

#endif
