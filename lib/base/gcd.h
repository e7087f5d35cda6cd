/* The greatest common divisor. */
#ifndef LB_BASE_GCD_H
#define LB_BASE_GCD_H

#include <stdint.h>

static inline uint32_t lb_gcd(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

#endif
