/*
 * What every part of lbcore shares: time, ids, error codes, outcomes, events and the host's hooks.
 *
 * Rules for every call
 *   - An `int` result is LB_OK (0) or a negative lb_error. A call that fails changes nothing, and writes its
 *     out-parameters only on success.
 *   - A NULL handle, struct or out-parameter is LB_EINVAL, except out-parameters marked "may be NULL".
 *   - Configs: lb_x_config_init(&c, sizeof c) writes the size and the defaults; edit; pass; lbcore copies. A NULL
 *     config or env means the defaults, an unknown size is LB_EVERSION.
 *   - Times and spans are nanoseconds, shares in configs per cent, shares in results parts per million.
 *
 * Threads: each comment ends with one of four classes.
 *   request  any thread, any time (in a lane of its own: the lane's owner). No lock, no allocation, no system call
 *            but the clock, a bounded number of steps.
 *   control  any thread, any time; runs one at a time inside, never delays *request*.
 *   look     any thread, any time.
 *   owner    no other call on this handle may be running.
 * Hooks run outside all locks and may call any function but a destroy.
 */
#ifndef LBCORE_BASE_H
#define LBCORE_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LB_VERSION_MAJOR 0
#define LB_VERSION_MINOR 1
#define LB_VERSION_PATCH 0
#define LB_VERSION ((LB_VERSION_MAJOR << 16) | (LB_VERSION_MINOR << 8) | LB_VERSION_PATCH)

typedef uint64_t lb_time; /* a point on the host's monotonic clock, ns; 0 = not set */
typedef uint64_t lb_span; /* a length of time, ns */

#define LB_NEVER UINT64_MAX
#define LB_MICROSECONDS UINT64_C(1000)
#define LB_MILLISECONDS UINT64_C(1000000)
#define LB_SECONDS UINT64_C(1000000000)

typedef uint64_t
    lb_endpoint; /* names one endpoint of one pool for as long as it lives; never another one later */
#define LB_NO_ENDPOINT UINT64_C(0)

typedef enum lb_error {
	LB_OK = 0,
	LB_EINVAL = -1,   /* bad argument */
	LB_ENOMEM = -2,   /* the allocator said no, or the caller's memory is too small */
	LB_EVERSION = -3, /* a struct size that this lbcore does not know */
	LB_ELIMIT = -4,   /* a capacity is used up */
	LB_EEXIST = -5,   /* it is there already */
	LB_ENOENT = -6,   /* no such endpoint (any more) */
	LB_EBUSY = -7,    /* something made from the handle still lives */
	LB_ESTALE = -8,   /* settled already */
	LB_ENONE = -9,    /* no endpoint may be used */
	LB_EFULL =
	    -10, /* no endpoint may be used, and at least one was refused only for its in-flight limit */
	LB_EBUDGET = -11, /* the retry budget is spent */
	LB_EOPEN = -12,   /* standalone breaker: do not call */
	LB_ESHED = -13,   /* governor or throttle says no */
	LB_EHOOK = -14    /* a hook of the host failed */
} lb_error;

/*
 * What became of a request. FAILURE, TIMEOUT, REFUSED and OVERLOAD count as failures of the endpoint (breakers,
 * decayed averages, error rates); CANCELLED and LOCAL give no verdict on it.
 */
typedef enum lb_result {
	LB_SUCCESS,
	LB_FAILURE,   /* it answered, and the answer is its fault */
	LB_TIMEOUT,   /* no answer in time */
	LB_REFUSED,   /* it could not be reached: safe to retry elsewhere */
	LB_OVERLOAD,  /* it asked for less */
	LB_CANCELLED, /* nobody waits for the answer any more: client gone, hedge lost */
	LB_LOCAL      /* our own fault: no descriptor, no route */
} lb_result;

typedef enum lb_health_status { LB_UNKNOWN, LB_HEALTHY, LB_DEGRADED, LB_UNHEALTHY } lb_health_status;

typedef enum lb_admin {
	LB_ADMIN_UP,
	LB_ADMIN_DRAIN, /* finish what is open, take nothing new */
	LB_ADMIN_DOWN
} lb_admin;

typedef enum lb_breaker_state { LB_BREAKER_CLOSED, LB_BREAKER_OPEN, LB_BREAKER_HALF_OPEN } lb_breaker_state;

typedef enum lb_breaker_force {
	LB_FORCE_NONE,
	LB_FORCE_CLOSED,
	LB_FORCE_OPEN,
	LB_FORCE_METRICS_ONLY /* count, let everything through */
} lb_breaker_force;

/* What happened; beside each kind what `from` and `to` hold (0 where nothing is said). */
typedef enum lb_event_kind {
	LB_EVENT_ADDED,
	LB_EVENT_REMOVED,   /* its last ticket is settled and its slot is free */
	LB_EVENT_ADMIN,     /* lb_admin */
	LB_EVENT_HEALTH,    /* lb_health_status */
	LB_EVENT_BREAKER,   /* lb_breaker_state */
	LB_EVENT_FAILOVER,  /* to: lb_failover_kind; traffic moved from `endpoint` to `other` */
	LB_EVENT_FORGOTTEN, /* a ticket was settled by its timeout */
	LB_EVENT_WEIGHT     /* the weights */
} lb_event_kind;

typedef struct lb_event {
	lb_event_kind kind;
	uint32_t from, to;
	lb_time at;
	uint64_t
	    sequence; /* orders the events of one handle; a gap = events were lost, the host drained too late */
	lb_endpoint endpoint; /* LB_NO_ENDPOINT for a standalone breaker */
	lb_endpoint other;    /* the partner of a failover */
	uint64_t tag;         /* the endpoint's */
	const char *name;     /* the endpoint's; good during the call only */
} lb_event;

/*
 * The host's hooks; each may be NULL. `user` is handed to each of them. Copied at creation. A hook may be called by
 * any thread that calls into the handle.
 */
typedef struct lb_env {
	size_t size;
	void *user;
	/* The monotonic clock in ns. Default: clock_gettime(CLOCK_MONOTONIC). May stand still or step back. */
	lb_time (*now)(void *user);
	/* 64 random bits. Default: a stream per lane, seeded from clock, address and lane. */
	uint64_t (*random)(void *user);
	/* Like realloc, with the old size; new_size 0 frees. Called by create and destroy only. Default: libc. */
	void *(*allocate)(void *user, void *block, size_t old_size, size_t new_size);
	/* Told of every event before the call returns that caused it, outside all locks, in order. */
	void (*event)(void *user, const lb_event *event);
} lb_env;

/* Where a pool's block lies. {NULL, 0} asks the allocate hook. `base` must be aligned as malloc aligns. */
typedef struct lb_memory {
	void *base;
	size_t size;
} lb_memory;

/* Returns LB_VERSION of the library that is linked. Threads: look. */
uint32_t lb_version(void);

/* Returns a short English text for an lb_error, never NULL. Threads: look. */
const char *lb_strerror(int error);

/* Returns "success", "failure", ..., "unknown" for a value that is none. Threads: look. */
const char *lb_result_name(lb_result result);

/*
 * Hashes `length` bytes; a NULL key hashes as an empty one. The same on every machine, not for secrets.
 * Threads: look.
 */
uint64_t lb_hash(const void *key, size_t length, uint64_t seed);

/* Writes the size and the defaults (all hooks NULL); does nothing for NULL or an unknown size. Threads: look. */
void lb_env_init(lb_env *env, size_t size);

#ifdef __cplusplus
}
#endif

#endif
