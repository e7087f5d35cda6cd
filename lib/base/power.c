/* Powers with fractional exponents, in integers. See power.h. */
#include "base/power.h"

#include "base/random.h"
#include "base/span.h"

/* 2^(1/2), 2^(1/4), ... 2^(1/2^32), scaled by 2^63 */
static const uint64_t roots_of_2[32] = {
    UINT64_C(13043817825332782212), UINT64_C(10968499650544839023), UINT64_C(10058158527438640871),
    UINT64_C(9631725603661576981),  UINT64_C(9425337585438007767),  UINT64_C(9323807973325342579),
    UINT64_C(9273454034941487980),  UINT64_C(9248379135337035441),  UINT64_C(9235867122425417553),
    UINT64_C(9229617465154500136),  UINT64_C(9226494222562136017),  UINT64_C(9224932997620185949),
    UINT64_C(9224152484218207415),  UINT64_C(9223762252282022473),  UINT64_C(9223567142504825508),
    UINT64_C(9223469589163912706),  UINT64_C(9223420812880372951),  UINT64_C(9223396424835331638),
    UINT64_C(9223384230836993049),  UINT64_C(9223378133843869261),  UINT64_C(9223375085348818743),
    UINT64_C(9223373561101671328),  UINT64_C(9223372798978192081),  UINT64_C(9223372417916476073),
    UINT64_C(9223372227385623972),  UINT64_C(9223372132120199398),  UINT64_C(9223372084487487480),
    UINT64_C(9223372060671131613),  UINT64_C(9223372048762953703),  UINT64_C(9223372042808864754),
    UINT64_C(9223372039831820280),  UINT64_C(9223372038343298044),
};

/* log2(x) x 2^32 for x of 1 or more. Never decreases; below the exact value by less than 2^-29. */
static uint64_t log2_of(uint64_t x)
{
	uint32_t whole = 0;

	for (uint64_t rest = x >> 1; rest != 0; rest >>= 1)
		whole++;
	/* 1 <= m < 2, scaled by 2^31: squaring it doubles its logarithm, whose next digit is whether 2 is passed */
	uint64_t m = whole > 31 ? x >> (whole - 31) : x << (31 - whole);
	uint64_t log = whole;
	for (int digit = 0; digit < 32; digit++) {
		m = m * m >> 31;
		uint32_t passed = (uint32_t)(m >> 32);
		m >>= passed;
		log = log << 1 | passed;
	}
	return log;
}

/* 2^(part / 2^32) x 2^63. So exact that it never decreases: the last digit of `part` moves it by more than it is off. */
static uint64_t exp2_of(uint32_t part)
{
	uint64_t power = UINT64_C(1) << 63;

	for (uint32_t i = 0; i < 32; i++)
		if ((part >> (31 - i) & 1) != 0)
			power = lb_below64(power, roots_of_2[i]) << 1;
	return power;
}

static uint64_t whole_power(uint64_t x, uint32_t exponent)
{
	const uint64_t most = UINT64_MAX >> LB_POWER_SHIFT;
	uint64_t power = 1;

	for (; exponent > 0; exponent--) {
		if (x != 0 && power > most / x)
			return UINT64_MAX;
		power *= x;
	}
	return power << LB_POWER_SHIFT;
}

uint64_t lb_power(uint32_t x, uint32_t percent)
{
	if (percent % 100 == 0 || x == 0)
		return whole_power(x, (percent + 99) / 100);
	uint64_t log = log2_of(x) * percent / 100;
	uint32_t whole = (uint32_t)(log >> 32);

	if (whole >= 64 - LB_POWER_SHIFT)
		return UINT64_MAX;
	return exp2_of((uint32_t)log) >> (63 - LB_POWER_SHIFT - whole);
}

/* part / whole x 2^32, rounded to nearest. */
static uint64_t divide(uint64_t part, uint64_t whole)
{
	uint64_t quotient = 0;

	for (int digit = 0; digit < 32; digit++) {
		part <<= 1;
		quotient <<= 1;
		if (part >= whole) {
			part -= whole;
			quotient |= 1;
		}
	}
	return quotient + (part >= whole - part);
}

uint64_t lb_power_of_part(uint64_t part, uint64_t whole, uint32_t percent)
{
	if (part >= whole)
		return LB_WHOLE;
	if (percent == 100)
		return divide(part, whole);
	/* 2^-fall = 2^up / 2^down with 0 <= up < 1 */
	uint64_t fall = (log2_of(whole) - log2_of(part)) * 100 / percent;
	uint64_t down = (fall + UINT32_MAX) >> 32;
	uint64_t up = exp2_of((uint32_t)((down << 32) - fall));

	return down > 33 ? 0 : ((up >> (30 + down)) + 1) >> 1;
}
