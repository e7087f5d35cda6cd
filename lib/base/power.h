/*
 * Powers with fractional exponents, in integers: the same on every machine. A binary logarithm by repeated squaring, and its
 * inverse by a table of the roots of 2 (Knuth, TAOCP 1, 1.2.2, exercises 25 and 28). Within 1e-6 of exact, and never
 * decreasing in the base.
 */
#ifndef LB_BASE_POWER_H
#define LB_BASE_POWER_H

#include <stdint.h>

#define LB_POWER_SHIFT 24
#define LB_WHOLE (UINT64_C(1) << 32)

/*
 * x^(percent / 100) x 2^24, at most UINT64_MAX; percent from 0 to 1000. Exact (but for what is too large) where percent is a
 * multiple of 100. 0 to the power of 0 is 1.
 */
uint64_t lb_power(uint32_t x, uint32_t percent);

/*
 * (part / whole)^(100 / percent) x 2^32, rounded to nearest; for percent 100 exactly so. `part` from 1; `whole` or more is the
 * whole. `whole` below 2^63, percent from 1.
 */
uint64_t lb_power_of_part(uint64_t part, uint64_t whole, uint32_t percent);

#endif
