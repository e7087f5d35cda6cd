/* Products of 64 by 32 bits, to compare fractions without dividing: a / x < b / y where a * y < b * x. */
#ifndef LB_BASE_WIDE_H
#define LB_BASE_WIDE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lb_wide {
	uint64_t high, low; /* high x 2^32 + low, low below 2^32 */
} lb_wide;

static inline lb_wide lb_wide_product(uint64_t a, uint32_t x)
{
	uint64_t low = (a & UINT32_MAX) * x;

	return (lb_wide){.high = (a >> 32) * x + (low >> 32), .low = low & UINT32_MAX};
}

static inline bool lb_wide_less(lb_wide a, lb_wide b)
{
	return a.high != b.high ? a.high < b.high : a.low < b.low;
}

#endif
