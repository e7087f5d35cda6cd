/*
 * Circuit breaker: stops calling what keeps failing, tries it again after a while with a few trials.
 *
 * Closed -> open after `consecutive` failures in a row, or when at least failure_percent of at least calls_min calls
 * of the sliding `window` failed, whichever comes first. Open -> half-open after open_for, doubled at each opening in
 * a row up to open_max, jittered. Half-open -> closed after `successes` successful trials in a row; a failed trial
 * opens again. A trial that never comes back gives its place up after trial_timeout. A result of an older generation
 * (a call that began before the last transition) changes nothing.
 *
 * Sources: M. Nygard, Release It! (2007); defaults beside resilience4j, gobreaker and Finagle in comparison: like
 * resilience4j a rate is reached with `>=` and is evaluated on successes, too.
 *
 * Used alone, or one for each endpoint of a pool (pool.h): the same code inside.
 */
#ifndef LBCORE_BREAKER_H
#define LBCORE_BREAKER_H

#include <lbcore/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_breaker lb_breaker;

typedef struct lb_breaker_config {
	size_t size;
	uint32_t consecutive;     /* failures in a row that open: 5; 0 = off */
	lb_span window;           /* of the failure rate: 10 s; 10 us to 1 day */
	uint32_t calls_min;       /* calls in the window below which no rate counts: 20; at least 1 */
	uint32_t failure_percent; /* of the calls in the window: 50; 0 = off, at most 100 */
	lb_span open_for;         /* first open period: 5 s; above 0 */
	lb_span open_max;         /* longest open period: 60 s; at least open_for, at most 1 day */
	uint32_t jitter_percent;  /* an open period is drawn from +- this: 10; at most 100 */
	uint32_t trials;          /* at once while half open: 3; 1 to LB_TRIALS_MAX */
	uint32_t successes;       /* in a row, to close: 3; at least 1 */
	lb_span trial_timeout; /* after which an unanswered trial gives its place up: 30 s; 1 ms to 1 hour */
} lb_breaker_config;

#define LB_TRIALS_MAX 32

typedef struct lb_permit {
	uint64_t id;
} lb_permit;

/* Writes the size and the defaults above; does nothing for NULL or an unknown size. Threads: look. */
void lb_breaker_config_init(lb_breaker_config *config, size_t size);

/*
 * Creates a closed breaker. Both `config` and `env` may be NULL.
 * Returns LB_OK, LB_EINVAL (a value out of range), LB_EVERSION, LB_ENOMEM. Threads: owner.
 */
int lb_breaker_create(lb_breaker **breaker, const lb_breaker_config *config, const lb_env *env);

/* Frees the breaker; NULL is fine. Permits that are out are void. Threads: owner. */
void lb_breaker_destroy(lb_breaker *breaker);

/*
 * Asks to make one call; each LB_OK is followed by one lb_breaker_leave.
 * Returns LB_OK, LB_EOPEN (do not call), LB_EINVAL. Threads: request.
 */
int lb_breaker_enter(lb_breaker *breaker, lb_permit *permit);

/*
 * Tells how the call went. `latency` is kept for later detectors; 0 = unknown.
 * Returns LB_OK; LB_ESTALE for a permit of an older generation, an expired trial, or one that has left already (it
 * changed nothing); LB_EINVAL for no such result or a permit that never was. Threads: request.
 */
int lb_breaker_leave(lb_breaker *breaker, lb_permit permit, lb_result result, lb_span latency);

/*
 * Forces a state, or gives the breaker back to its own judgement (LB_FORCE_NONE: closed, counts cleared).
 * Returns LB_OK, LB_EINVAL. Threads: control.
 */
int lb_breaker_set(lb_breaker *breaker, lb_breaker_force force);

/*
 * Returns OPEN until the open period is over, then HALF_OPEN until trials decide; CLOSED for NULL.
 * `until` may be NULL; it gets the end of the open period, 0 when closed, LB_NEVER when forced open. Threads: look.
 */
lb_breaker_state lb_breaker_get(const lb_breaker *breaker, lb_time *until);

#ifdef __cplusplus
}
#endif

#endif
