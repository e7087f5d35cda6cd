/* Rounded arithmetic. See ring_real.h. */
#include "algo/ring_real.h"

#include "base/random.h"

/* How many bits there are up to the topmost that is set. */
static uint32_t width_of(uint64_t x)
{
	uint32_t width = x != 0;

	for (uint32_t step = 32; step > 0; step /= 2) {
		uint32_t by = x >> step != 0 ? step : 0;
		x >>= by;
		width += by;
	}
	return width;
}

/* Shifts right; the last bit left says whether anything that was set is gone, so that rounding still sees it. */
static uint64_t shifted(uint64_t x, uint32_t by)
{
	if (by >= 64)
		return x != 0;
	uint64_t rest = x & ((UINT64_C(1) << by) - 1);
	return x >> by | (rest != 0);
}

lb_real lb_real_of(uint64_t x, int32_t exponent, uint32_t bits)
{
	uint32_t width = width_of(x);

	if (x == 0 || bits > LB_DOUBLE) /* the analyzer does not know that bits are 24 or 53 */
		return (lb_real){.bits = bits};
	if (width <= bits)
		return (lb_real){x << (bits - width), exponent - (int32_t)(bits - width), bits};
	uint32_t by = width - bits;
	uint64_t half = UINT64_C(1) << (by - 1);
	uint64_t rest = x & (2 * half - 1);
	uint64_t mantissa = x >> by;
	if (rest > half || (rest == half && (mantissa & 1) != 0))
		mantissa++;
	exponent += (int32_t)by;
	if (mantissa >> bits != 0)
		return (lb_real){mantissa >> 1, exponent + 1, bits};
	return (lb_real){mantissa, exponent, bits};
}

/* Long division, two bits further than the mantissa goes. */
lb_real lb_real_ratio(lb_real a, lb_real b)
{
	uint32_t steps = a.bits + 2;
	uint64_t quotient = 0, rest = a.mantissa;

	for (uint32_t i = 0; i <= steps; i++) {
		bool fits = rest >= b.mantissa;
		quotient = quotient << 1 | fits;
		rest = (rest - (fits ? b.mantissa : 0)) << 1;
	}
	quotient |= rest != 0;
	return lb_real_of(quotient, a.exponent - b.exponent - (int32_t)steps, a.bits);
}

lb_real lb_real_part(uint64_t a, uint64_t b, uint32_t bits)
{
	return lb_real_ratio(lb_real_of(a, 0, bits), lb_real_of(b, 0, bits));
}

lb_real lb_real_product(lb_real a, lb_real b)
{
	uint64_t high = lb_below64(a.mantissa, b.mantissa), low = a.mantissa * b.mantissa;
	int32_t exponent = a.exponent + b.exponent;

	if (high == 0)
		return lb_real_of(low, exponent, a.bits);
	/* at most 106 bits: the upper 64 */
	return lb_real_of(high << 22 | shifted(low, 42), exponent + 42, a.bits);
}

lb_real lb_real_sum(lb_real a, lb_real b)
{
	if (a.mantissa == 0)
		return b;
	if (b.mantissa == 0)
		return a;
	lb_real large = a.exponent >= b.exponent ? a : b, small = a.exponent >= b.exponent ? b : a;
	uint32_t room = 63 - large.bits;
	uint32_t apart = (uint32_t)(large.exponent - small.exponent);
	uint64_t sum = (large.mantissa << room) + shifted(small.mantissa << room, apart);
	return lb_real_of(sum, large.exponent - (int32_t)room, large.bits);
}

uint64_t lb_real_floor(lb_real a)
{
	if (a.exponent > (int32_t)(64 - a.bits))
		return UINT64_MAX;
	if (a.exponent >= 0)
		return a.mantissa << a.exponent;
	return a.exponent <= -64 ? 0 : a.mantissa >> -a.exponent;
}

uint64_t lb_real_ceiling(lb_real a)
{
	uint64_t whole = lb_real_floor(a);

	if (a.exponent >= 0)
		return whole;
	bool fraction = a.exponent <= -64 ? a.mantissa != 0 : whole << -a.exponent != a.mantissa;
	return whole + fraction;
}
