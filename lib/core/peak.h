/*
 * A peak average: a sample above it is believed at once, one below it pulls it down with exp(-dt / tau), and between samples
 * it sinks, as the averages of core/ewma.h do. Source: Finagle's PeakEwma.scala, whose reads decay the value, too.
 *
 * Here it is a number in the same scale (ns x 256; 0 = never measured): it gets the same samples as an lb_ewma beside it,
 * and goes by that one's stamp.
 */
#ifndef LB_CORE_PEAK_H
#define LB_CORE_PEAK_H

#include "base/random.h"
#include "core/ewma.h"

/*
 * The average after a sample, `dt` after the one before. Samples that come soon weigh less than lb_decay_weight can say: there
 * dt / tau is taken in full width, one unit of the scale at the least, so that even with a clock that stands still they are
 * heard.
 */
static inline uint64_t lb_peak_next(uint64_t average, const lb_decay *decay, lb_span sample, lb_span dt)
{
	uint64_t fresh = lb_max64(lb_min64(sample, LB_SAMPLE_MAX) << 8, 1);

	if (fresh >= average)
		return fresh;
	if (dt <= decay->soon)
		return average - lb_max64(lb_below64(decay->part * dt, average - fresh), 1);
	uint64_t weight = lb_decay_weight_later(decay, dt);
	return fresh >= lb_weigh(average, weight) ? fresh : lb_ewma_mix(average, fresh, weight);
}

/* The average in ns, `dt` after its last sample; 0 = never measured (a measured one has sunk to 1 at the least). */
static inline lb_span lb_peak_read(uint64_t average, const lb_decay *decay, lb_span dt)
{
	return average == 0 ? 0 : lb_max64(lb_weigh(average, lb_decay_weight(decay, dt)) >> 8, 1);
}

#endif
