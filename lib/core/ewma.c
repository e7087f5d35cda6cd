/* A decaying average in fixed point. See ewma.h. */
#include "core/ewma.h"

#define LOG2_E UINT64_C(103957133576908768) /* log2(e) x 2^56 */

/* 2^(-i/32) x 2^32 */
static const uint64_t powers[33] = {
    UINT64_C(4294967296), UINT64_C(4202935003), UINT64_C(4112874773), UINT64_C(4024744348),
    UINT64_C(3938502376), UINT64_C(3854108391), UINT64_C(3771522796), UINT64_C(3690706840),
    UINT64_C(3611622603), UINT64_C(3534232978), UINT64_C(3458501653), UINT64_C(3384393094),
    UINT64_C(3311872529), UINT64_C(3240905930), UINT64_C(3171459999), UINT64_C(3103502151),
    UINT64_C(3037000500), UINT64_C(2971923842), UINT64_C(2908241642), UINT64_C(2845924021),
    UINT64_C(2784941738), UINT64_C(2725266179), UINT64_C(2666869345), UINT64_C(2609723834),
    UINT64_C(2553802834), UINT64_C(2499080105), UINT64_C(2445529972), UINT64_C(2393127307),
    UINT64_C(2341847524), UINT64_C(2291666561), UINT64_C(2242560872), UINT64_C(2194507417),
    UINT64_C(2147483648),
};

lb_decay lb_decay_of(lb_span tau)
{
	return (lb_decay){
	    .tau = tau, .rate = LOG2_E / tau, .part = UINT64_MAX / tau, .soon = tau / LB_DECAY_LEAST};
}

uint64_t lb_decay_weight_later(const lb_decay *decay, lb_span dt)
{
	if (dt / 32 >= decay->tau)
		return 0;
	/* dt < 32 tau, so the product stays below 46.2 x 2^56; then 16 digits before and after the point */
	uint64_t halvings = dt * decay->rate >> 40;
	uint64_t whole = halvings >> 16;
	uint64_t part = halvings & 0xffff;
	uint64_t step = part >> 11;
	uint64_t above = powers[step], below = powers[step + 1];

	/* linear between two of 32 steps: off by less than 6e-5 */
	return (above - ((above - below) * (part & 0x7ff) >> 11)) >> whole;
}

lb_span lb_ewma_read(const lb_ewma *ewma, const lb_decay *decay, lb_time now)
{
	uint64_t value = lb_get64(&ewma->value);

	if (value == 0)
		return 0;
	uint64_t weight = lb_decay_weight(decay, lb_time_since(now, lb_get64(&ewma->stamp)));
	return lb_max64(lb_weigh(value, weight) >> 8, 1);
}
