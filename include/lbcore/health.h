/*
 * Health checker: says which endpoint to probe when, and what the answers mean. The host does the I/O.
 *
 * The host calls lb_health_tick when the deadline it returned has come; for each probe that is due the checker calls
 * probe_start, and the host answers with lb_health_done, at once or later, from any thread.
 */
#ifndef LBCORE_HEALTH_H
#define LBCORE_HEALTH_H

#include <lbcore/base.h>
#include <lbcore/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_health lb_health;

typedef struct lb_health_config {
	size_t size;
	lb_span interval;         /* between probes of one endpoint: 5 s; 1 ms to 1 day */
	lb_span interval_down;    /* while it is unhealthy or its state is changing: 1 s; 1 ms to 1 day */
	lb_span timeout;          /* after which a probe has failed: 2 s; above 0, at most 1 day */
	uint32_t rise;            /* passed checks in a row that make it healthy: 2; at least 1 */
	uint32_t fall;            /* failed checks in a row that make it unhealthy: 3; at least 1 */
	uint32_t jitter_percent;  /* an interval is drawn from +- this: 10; at most 100 */
	uint32_t parallel_max;    /* probes in flight at once: 16; at least 1 */
	lb_span degraded_latency; /* a passed check slower than this means degraded: 0 = off */
} lb_health_config;

typedef struct lb_probe {
	uint64_t id;
} lb_probe;

typedef struct lb_probe_request { /* good during the call */
	lb_probe probe;
	lb_endpoint endpoint;
	uint64_t tag;
	const char *name, *url;
	lb_time deadline;
	uint32_t kind; /* 0 = an ordinary check */
} lb_probe_request;

typedef struct lb_transport {
	size_t size;
	void *user;
	/*
	 * Start a probe; keep `*mine` for whatever the host wants to find it by. Returns 0, or anything else when it could
	 * not be started: no failed check, tried again after interval_down. May call lb_health_done before it returns.
	 */
	int (*probe_start)(void *user, const lb_probe_request *request, void **mine);
	/* May be NULL. The probe is not wanted any more (timeout, endpoint removed, checker destroyed). */
	void (*probe_cancel)(void *user, lb_probe probe, void *mine);
} lb_transport;

typedef struct lb_health_counts {
	uint32_t healthy, degraded, unhealthy, unknown, total, probes_in_flight;
} lb_health_counts;

/* Writes the size and the defaults above; does nothing for NULL or an unknown size. Threads: look. */
void lb_health_config_init(lb_health_config *config, size_t size);
void lb_transport_init(lb_transport *transport, size_t size);

/*
 * Creates the checker of a pool. `config` may be NULL. First probes are spread over one interval.
 * Returns LB_OK, LB_EINVAL (also: no probe_start), LB_EVERSION, LB_ENOMEM, LB_EEXIST (the pool has one).
 * Threads: control.
 */
int lb_health_create(lb_health **health, lb_pool *pool, const lb_health_config *config,
		     const lb_transport *transport);

/* Cancels the probes in flight and frees the checker. Returns LB_OK, LB_EINVAL. Threads: owner. */
int lb_health_destroy(lb_health *health);

/*
 * Tells what a probe found. LB_SUCCESS passes; LB_CANCELLED and LB_LOCAL are no check at all; every other result
 * fails. A `says` of LB_HEALTHY, LB_DEGRADED or LB_UNHEALTHY refines a success; LB_UNKNOWN: the result decides.
 * `latency` 0 = measured by lbcore. Allowed from any thread and inside probe_start.
 * Returns LB_OK; LB_ESTALE for a late, repeated or cancelled probe (nothing is counted); LB_EINVAL. Threads: control.
 */
int lb_health_done(lb_health *health, lb_probe probe, lb_result result, lb_health_status says,
		   lb_span latency);

/*
 * Times probes out, starts those that are due. Returns when to call again, at most 1 s from now; LB_NEVER for NULL.
 * Threads: control.
 */
lb_time lb_health_tick(lb_health *health);

/* Counts the endpoints by state. Returns LB_OK, LB_EINVAL, LB_EVERSION. Threads: look. */
int lb_health_summary(const lb_health *health, lb_health_counts *counts, size_t size);

#ifdef __cplusplus
}
#endif

#endif
