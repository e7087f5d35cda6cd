/*
 * A decaying average over irregular samples: what was known weighs exp(-dt / tau) of what it weighed dt ago, and an
 * average that gets no samples sinks towards 0, so that a once slow endpoint gets another chance.
 * Source: Finagle's PeakEwma (without the peak), in fixed point: the same on every machine.
 */
#ifndef LB_CORE_EWMA_H
#define LB_CORE_EWMA_H

#include "base/atomic.h"
#include "base/span.h"

#include <lbcore/base.h>

/* tau, turned once into the factors from ns to decay. */
typedef struct lb_decay {
	lb_span tau;
	uint64_t rate; /* log2(e) / tau, scaled by 2^56 */
	uint64_t part; /* 1 / tau, scaled by 2^64 */
	lb_span soon;  /* tau / LB_DECAY_LEAST: a sample that follows within this weighs the least */
} lb_decay;

#define LB_SAMPLE_MAX (UINT64_C(1) << 50) /* ns, 13 days: x 256, differences and sums fit */

#define LB_DECAY_SHIFT 10
#define LB_DECAY_LEAST (1u << LB_DECAY_SHIFT)

typedef struct lb_ewma {
	lb_atomic64 value; /* ns x 256; 0 = never measured: a measured one is at least 1 */
	lb_atomic64 stamp; /* of the last sample */
} lb_ewma;

/* tau from 1 us to 1 day. */
lb_decay lb_decay_of(lb_span tau);

/* lb_decay_weight for any dt. */
uint64_t lb_decay_weight_later(const lb_decay *decay, lb_span dt);

/* exp(-dt / tau) x 2^32, from 0 to 2^32. Soon after, and that is nearly always, 1 - dt / tau: off by less than 5e-7. */
static inline uint64_t lb_decay_weight(const lb_decay *decay, lb_span dt)
{
	return dt <= decay->soon ? (UINT64_C(1) << 32) - (decay->part * dt >> 32)
				 : lb_decay_weight_later(decay, dt);
}

/* The average at `now` in ns; 0 = never measured (a measured one has sunk to 1 at the least). */
lb_span lb_ewma_read(const lb_ewma *ewma, const lb_decay *decay, lb_time now);

/* value x weight / 2^32, for a weight up to 2^32. */
static inline uint64_t lb_weigh(uint64_t value, uint64_t weight)
{
	return (value >> 32) * weight + ((value & UINT32_MAX) * weight >> 32);
}

/* From `old` a 1024th of the way to `fresh`. Without a branch: whether a sample is above or below cannot be foretold. */
static inline uint64_t lb_ewma_step(uint64_t old, uint64_t fresh)
{
	uint64_t below = 0 - (uint64_t)(fresh < old);
	uint64_t step = (((fresh - old) ^ below) - below) >> LB_DECAY_SHIFT;

	return old + ((step ^ below) - below);
}

/* The mean of the two, of which `old` weighs weight / 2^32. */
static inline uint64_t lb_ewma_mix(uint64_t old, uint64_t fresh, uint64_t weight)
{
	return fresh >= old ? fresh - lb_weigh(fresh - old, weight) : fresh + lb_weigh(old - fresh, weight);
}

/*
 * Takes in a sample. One weighs at least 1/1024, however soon it follows the last: a host with a coarse clock, or one
 * that stands still, is heard. Threads that share an average may lose a sample to each other.
 */
static inline void lb_ewma_add(lb_ewma *ewma, const lb_decay *decay, lb_span sample, lb_time now)
{
	uint64_t old = lb_get64(&ewma->value);
	uint64_t fresh = lb_min64(sample, LB_SAMPLE_MAX) << 8;

	if (old != 0) {
		lb_span dt = lb_time_since(now, lb_get64(&ewma->stamp));
		fresh = dt <= decay->soon ? lb_ewma_step(old, fresh)
					  : lb_ewma_mix(old, fresh, lb_decay_weight_later(decay, dt));
	}
	lb_put64(&ewma->value, fresh > 0 ? fresh : 1);
	lb_put64(&ewma->stamp, now);
}

#endif
