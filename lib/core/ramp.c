/* Slow start. See ramp.h. */
#include "core/ramp.h"

#include "base/wide.h"

void lb_ramp_begin(lb_ramp *ramp, lb_time now)
{
	lb_put(&ramp->successes, 0);
	lb_put64(&ramp->since, lb_max64(now, 1)); /* 0 says that there is none */
}

/* For how long it has been running. */
static lb_span run_time(lb_ramp *ramp, lb_time since, lb_time now)
{
	if (since > now)
		lb_put64(&ramp->since, lb_max64(now, 1));
	return lb_max64(lb_time_since(now, since), LB_MILLISECONDS);
}

uint64_t lb_ramp_factor(lb_ramp *ramp, const lb_ramp_rules *rules, lb_time now)
{
	lb_time since = lb_get64(&ramp->since);

	if (since == 0)
		return LB_WHOLE;
	uint64_t part = run_time(ramp, since, now), whole = rules->window;
	uint32_t proven = lb_get(&ramp->successes);

	/* part / whole < proven / successes? */
	if (rules->successes > 0 &&
	    lb_wide_less(lb_wide_product(part, rules->successes), lb_wide_product(whole, proven))) {
		part = proven;
		whole = rules->successes;
	}
	uint64_t least = (rules->min_percent * LB_WHOLE + 50) / 100;
	return lb_max64(least, lb_power_of_part(part, whole, rules->curve_percent));
}
