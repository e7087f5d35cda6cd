/*
 * Numbers with the precision of others' floats and doubles, in integers. ketama and Envoy share out points by float32 and
 * float64 arithmetic (IEEE 754, each operation rounded to nearest, ties to even, no fused ones); to give an endpoint exactly
 * as many points as they do takes exactly their rounding. Only what that needs: not negative, no infinity, no subnormals.
 */
#ifndef LB_ALGO_RING_REAL_H
#define LB_ALGO_RING_REAL_H

#include <stdint.h>

#define LB_SINGLE 24u /* bits of a float32's mantissa */
#define LB_DOUBLE 53u

typedef struct lb_real {
	uint64_t mantissa; /* its top bit is bit `bits` - 1; 0 = zero */
	int32_t exponent;
	uint32_t bits; /* LB_SINGLE or LB_DOUBLE; operands of one operation have the same */
} lb_real;

/* x x 2^exponent, rounded. */
lb_real lb_real_of(uint64_t x, int32_t exponent, uint32_t bits);

/* `b` is not 0. The second: of whole numbers, each rounded first. */
lb_real lb_real_ratio(lb_real a, lb_real b);
lb_real lb_real_part(uint64_t a, uint64_t b, uint32_t bits);
lb_real lb_real_product(lb_real a, lb_real b);
lb_real lb_real_sum(lb_real a, lb_real b);

/* Whole numbers; UINT64_MAX for what is larger. */
uint64_t lb_real_floor(lb_real a);
uint64_t lb_real_ceiling(lb_real a);

#endif
