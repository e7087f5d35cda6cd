/* What a check means. See probe.h. */
#include "core/probe.h"

#include "base/span.h"

lb_finding lb_probe_finding(const lb_health_config *rules, lb_result result, lb_health_status says,
			    lb_span latency)
{
	if (result == LB_CANCELLED || result == LB_LOCAL)
		return LB_FOUND_NOTHING;
	if (result != LB_SUCCESS || says == LB_UNHEALTHY)
		return LB_FOUND_BAD;
	if (says == LB_DEGRADED || (rules->degraded_latency > 0 && latency > rules->degraded_latency))
		return LB_FOUND_SLOW;
	return LB_FOUND_GOOD;
}

static bool usable(lb_health_status status)
{
	return status == LB_HEALTHY || status == LB_DEGRADED;
}

lb_health_status lb_probe_status(const lb_health_config *rules, lb_health_status status, lb_finding finding,
				 uint32_t passed, uint32_t failed)
{
	switch (finding) {
	case LB_FOUND_NOTHING:
		break;
	case LB_FOUND_BAD:
		return failed >= rules->fall ? LB_UNHEALTHY : status;
	case LB_FOUND_GOOD:
	case LB_FOUND_SLOW:
		if (!usable(status) && passed < rules->rise)
			return status;
		return finding == LB_FOUND_SLOW ? LB_DEGRADED : LB_HEALTHY;
	}
	return status;
}

lb_span lb_probe_pause(const lb_health_config *rules, lb_health_status status, uint32_t passed,
		       uint32_t failed, uint32_t random)
{
	bool changing = usable(status) ? failed > 0 : passed > 0;
	bool watched = status == LB_UNHEALTHY || changing;

	return lb_span_jitter(watched ? rules->interval_down : rules->interval, rules->jitter_percent,
			      random);
}
