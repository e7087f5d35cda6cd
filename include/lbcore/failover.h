/*
 * Failover: a primary endpoint with a chain of backups, inside one pool.
 *
 * Backups stand by and get nothing. When the primary may not be used (unhealthy, breaker open, drained, down, weight 0,
 * removed) for hold_down, traffic moves to the first backup that may. With hold_down 0 it moves within the call that
 * made the primary unusable, with no tick. It returns when the primary was usable for hold_up and passed `successes`
 * checks or trials meanwhile, or by hand.
 */
#ifndef LBCORE_FAILOVER_H
#define LBCORE_FAILOVER_H

#include <lbcore/base.h>
#include <lbcore/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_failover lb_failover;

typedef struct lb_failover_config {
	size_t size;
	lb_span hold_down; /* how long a primary must be unusable: 0 = at once */
	lb_span hold_up;   /* how long it must be usable again before traffic returns: 30 s */
	uint32_t
	    successes; /* passed checks, set_health(HEALTHY) and trials it needs to return: 5; 0 = the hold alone */
	uint32_t manual_return; /* 1: traffic returns by lb_failover_force only; 0 */
	uint32_t history_max;   /* switches remembered: 256; 1 to 1024 */
	uint32_t reserved;      /* 0 */
} lb_failover_config;

typedef enum lb_failover_kind {
	LB_FAILOVER, /* away from a member that may not be used */
	LB_FAILBACK, /* back to the primary */
	LB_FORCED    /* by hand */
} lb_failover_kind;

typedef struct lb_failover_event {
	lb_time at;
	lb_failover_kind kind;
	lb_endpoint from, to;
	uint32_t why; /* LB_WHY_* of `from` */
} lb_failover_event;

typedef struct lb_failover_status {
	lb_endpoint active;
	lb_time since; /* of the last switch, or of set_primary */
	uint64_t failovers, failbacks;
	lb_time next; /* when a pending switch is due, 0 = none */
} lb_failover_status;

/* Writes the size and the defaults above; does nothing for NULL or an unknown size. Threads: look. */
void lb_failover_config_init(lb_failover_config *config, size_t size);

/*
 * Creates the failover manager of a pool, with no chains and no history. `config` may be NULL.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOMEM, LB_EEXIST (the pool has one). Threads: control.
 */
int lb_failover_create(lb_failover **failover, lb_pool *pool, const lb_failover_config *config);

/*
 * Ends all chains (backups become ordinary endpoints) and frees the manager; NULL is fine. The pool may be in use.
 * Threads: owner.
 */
void lb_failover_destroy(lb_failover *failover);

/*
 * Makes an endpoint a primary. Returns LB_OK (also when it is one), LB_EINVAL (it is a backup), LB_ENOENT, LB_ELIMIT (more
 * than 1024 primaries).
 * Threads: control.
 */
int lb_failover_set_primary(lb_failover *failover, lb_endpoint primary);

/*
 * Appends a backup to the primary's chain. A backup may serve several primaries.
 * Returns LB_OK; LB_EINVAL: not a primary, a primary as a backup, or one that is in the chain; LB_ENOENT; LB_ELIMIT:
 * more than 7 backups.
 * Threads: control.
 */
int lb_failover_set_backup(lb_failover *failover, lb_endpoint primary, lb_endpoint backup);

/*
 * Moves traffic to a member by hand and keeps it there, whatever happens, until LB_NO_ENDPOINT releases it.
 * Returns LB_OK, LB_EINVAL (not a primary, or `active` not of its chain), LB_ENOENT. Threads: control.
 */
int lb_failover_force(lb_failover *failover, lb_endpoint primary, lb_endpoint active);

/* Tells how a primary stands. Returns LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOENT (not a primary). Threads: look. */
int lb_failover_get(const lb_failover *failover, lb_endpoint primary, lb_failover_status *status,
		    size_t size);

/* Moves what is due. Returns when to call again, at most 1 s from now; LB_NEVER for NULL. Threads: control. */
lb_time lb_failover_tick(lb_failover *failover);

/*
 * Copies up to `n` switches, newest first. Returns how many, or LB_EINVAL, LB_EVERSION. Threads: look.
 */
int lb_failover_history(const lb_failover *failover, lb_failover_event *events, uint32_t n, size_t size);

#ifdef __cplusplus
}
#endif

#endif
