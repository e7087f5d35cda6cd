/* A peak average. See peak.h. */
#include "core/peak.h"

#include "base/random.h"
#include "base/span.h"

#define SAMPLE_MAX (UINT64_C(1) << 50) /* ns; x 256 fits */

/*
 * Samples that come soon weigh less than lb_decay_weight can say: there 1 - exp(-x) is taken for x, one unit of the scale at
 * the least, so that even with a clock that stands still they are heard.
 */
uint64_t lb_peak_next(uint64_t average, const lb_decay *decay, lb_span sample, lb_span dt)
{
	uint64_t fresh = lb_max64(lb_min64(sample, SAMPLE_MAX) << 8, 1);
	uint64_t weight = lb_decay_weight(decay, dt);

	if (fresh >= lb_weigh(average, weight))
		return fresh;
	if (dt > decay->soon)
		return lb_ewma_mix(average, fresh, weight);
	return average - lb_max64(lb_below64(UINT64_MAX / decay->tau * dt, average - fresh), 1);
}

lb_span lb_peak_read(uint64_t average, const lb_decay *decay, lb_span dt)
{
	return average == 0 ? 0 : lb_max64(lb_weigh(average, lb_decay_weight(decay, dt)) >> 8, 1);
}
