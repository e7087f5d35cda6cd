/*
 * The health checker inside: its schedule and its probes in flight, under a lock of its own that is held neither while a hook
 * runs nor together with the pool's lease.
 */
#ifndef LB_OPS_HEALTH_H
#define LB_OPS_HEALTH_H

#include "base/random.h"
#include "core/probe.h"
#include "pool/pool.h"

/* When an endpoint is probed next. */
typedef struct lb_schedule {
	uint32_t generation; /* of the endpoint that this is about; 0 = none yet */
	bool probing;
	lb_time due;
} lb_schedule;

/* A probe in flight. */
typedef struct lb_flight {
	uint32_t number; /* of the probe; 0 = free */
	bool starting;   /* probe_start is being called: not to be timed out yet */
	lb_endpoint endpoint;
	lb_time started, deadline;
	void *mine;
} lb_flight;

struct lb_health {
	lb_pool *pool;
	lb_health_config rules;
	lb_transport transport;
	size_t size;
	lb_lease lock; /* of all below */
	lb_random random;
	lb_atomic64 stream;
	lb_schedule *schedules; /* by slot */
	lb_flight *flights;
	uint32_t flights_max;
	lb_atomic32 flying;
	uint32_t numbers; /* the last probe's */
	lb_time looked;   /* when all endpoints were last looked at: one that is new came later */
	uint32_t next;    /* slot to begin looking for due probes with: whoever waited longest */
};

static inline uint32_t lb_health_lock(lb_health *health)
{
	lb_time at;

	return lb_lease_begin(&health->lock, &health->pool->env, &at);
}

static inline lb_probe lb_flight_probe(const lb_health *health, const lb_flight *flight)
{
	return (lb_probe){(uint64_t)flight->number << 32 | (uint32_t)(flight - health->flights)};
}

/* Tells the host that a probe is not wanted any more. No lock is held. */
void lb_health_cancel(const lb_health *health, const lb_flight *flight, lb_probe probe);

/* Ends a flight: its endpoint may be probed again after a while. Under the lock. */
void lb_health_land(lb_health *health, lb_flight *flight, lb_time now);

/* Lets the pool know what a check found. LB_OK, LB_ESTALE: the endpoint is gone. No lock is held. */
int lb_health_apply(lb_health *health, lb_endpoint endpoint, lb_finding finding);

#endif
