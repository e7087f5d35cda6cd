/*
 * Ramp: slow start. The weight of an endpoint that has just come (back) grows from a small part to the whole:
 *
 *     factor = max(min_percent, (progress)^(100 / curve_percent)),  progress = time since it began / window
 *
 * and with `successes` set, the larger of that and proven successes / successes: who proves itself sooner is whole sooner.
 * Whether an endpoint ramps at all (not at a pool's first start) is the caller's decision.
 *
 * Source: Envoy's slow start (applySlowStartFactor). As there, at least 1 ms has passed (its documentation says 1 s), so that a
 * window of 1 ms or less is no ramp; Envoy cuts time off to ms, which this does not. HAProxy's slowstart is
 * curve_percent 100, min_percent 1.
 */
#ifndef LB_CORE_RAMP_H
#define LB_CORE_RAMP_H

#include "base/atomic.h"
#include "base/power.h"
#include "base/span.h"

#include <lbcore/base.h>

typedef struct lb_ramp_rules {
	lb_span window; /* from 1 ns to below 2^63 */
	uint32_t
	    curve_percent; /* 100 = linear; above it starts steep and flattens, below the other way; from 1 */
	uint32_t min_percent; /* never less than this part, 1 to 100; Envoy: 10 */
	uint32_t successes;   /* also over after so many; 0 = by time only */
} lb_ramp_rules;

/* Zeroed: no ramp. */
typedef struct lb_ramp {
	lb_atomic64 since;     /* 0 = no ramp */
	lb_atomic32 successes; /* proven since then, as lb_ramp_prove was told */
} lb_ramp;

/* Begins a ramp, or begins it anew. */
void lb_ramp_begin(lb_ramp *ramp, lb_time now);

/* Ends it, whatever it had come to. To be called once lb_ramp_factor is LB_WHOLE: a clock that steps back could revive it. */
static inline void lb_ramp_end(lb_ramp *ramp)
{
	lb_put64(&ramp->since, 0);
}

static inline bool lb_ramp_running(const lb_ramp *ramp)
{
	return lb_get64(&ramp->since) != 0;
}

/* So many requests have succeeded since it began: the caller counts them, and need not while no rule asks. */
static inline void lb_ramp_prove(lb_ramp *ramp, uint64_t successes)
{
	lb_put(&ramp->successes, (uint32_t)lb_min64(successes, UINT32_MAX));
}

/*
 * The part of its weight at `now`, x 2^32, from 1 to LB_WHOLE: over, or no ramp. A clock that stepped back starts the ramp's time
 * anew; successes stay proven. Any thread.
 */
uint64_t lb_ramp_factor(lb_ramp *ramp, const lb_ramp_rules *rules, lb_time now);

#endif
