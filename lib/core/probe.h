/*
 * Probe: what an active check means for an endpoint, and when the next one is due. Pure functions.
 *
 * rise and fall are thresholds for every change between usable and not, an unknown endpoint's first verdict included.
 * Healthy and degraded are both usable: the last passed check says which.
 */
#ifndef LB_CORE_PROBE_H
#define LB_CORE_PROBE_H

#include <lbcore/health.h>
#include <stdbool.h>

/* What one check found. */
typedef enum lb_finding { LB_FOUND_NOTHING, LB_FOUND_GOOD, LB_FOUND_SLOW, LB_FOUND_BAD } lb_finding;

/* Judges an answer: LB_CANCELLED and LB_LOCAL find nothing, `says` refines a success. */
lb_finding lb_probe_finding(const lb_health_config *rules, lb_result result, lb_health_status says,
			    lb_span latency);

/* The status after a finding; `passed` and `failed` count the checks in a row, this one included. */
lb_health_status lb_probe_status(const lb_health_config *rules, lb_health_status status, lb_finding finding,
				 uint32_t passed, uint32_t failed);

/* The time to the next check, by 32 random bits. */
lb_span lb_probe_pause(const lb_health_config *rules, lb_health_status status, uint32_t passed,
		       uint32_t failed, uint32_t random);

#endif
