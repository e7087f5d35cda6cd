/* Random streams and laws. See random.h. */
#include "sim/random.h"

#include <stdbool.h>

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

sim_random sim_random_of(uint64_t seed, uint64_t number)
{
	return (sim_random){mix(mix(seed) + number)};
}

uint64_t sim_random_next(sim_random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return mix(random->state);
}

uint32_t sim_random_below(sim_random *random, uint32_t n)
{
	return (uint32_t)((sim_random_next(random) >> 32) * n >> 32);
}

/*
 * J. von Neumann, Various Techniques Used in Connection With Random Digits (1951): of uniform numbers that fall for as long as
 * they fall, the first is exponential within its unit if their number is odd; each even one moves on by a unit.
 */
double sim_random_exponential(sim_random *random)
{
	for (double units = 0;; units++) {
		uint64_t first = sim_random_next(random), last = first, next;
		bool odd = true;
		while ((next = sim_random_next(random)) < last) {
			last = next;
			odd = !odd;
		}
		if (odd)
			return units + (double)(first >> 11) * 0x1p-53;
	}
}

/* Half a normal out of two exponentials, by rejection (von Neumann again), a sign, and what lies below 0 once more. */
double sim_random_normal(sim_random *random)
{
	for (;;) {
		double x = sim_random_exponential(random), y = sim_random_exponential(random);
		if (2 * y < (x - 1) * (x - 1))
			continue;
		double normal = (sim_random_next(random) & 1) != 0 ? 1 + x : 1 - x;
		if (normal > 0)
			return normal;
	}
}
