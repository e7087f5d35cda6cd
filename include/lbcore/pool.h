/*
 * Pool: the endpoints, what is known of each, and whether it may get a request.
 *
 * All state lies in one block whose size is fixed at creation; nothing is allocated afterwards. Endpoints come, go
 * and change while traffic runs. A worker thread that joins gets a lane of its own (cursors, tickets, counters) and
 * pays for no locked instruction; all who never join share lane 0, which any thread may use.
 *
 * Lifetimes: the pool outlives its selectors, health checker and failover. Everything passed in is copied, but
 * env.user and memory.base, which the host keeps.
 */
#ifndef LBCORE_POOL_H
#define LBCORE_POOL_H

#include <lbcore/base.h>
#include <lbcore/breaker.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_pool lb_pool;

#define LB_NAME_MAX 63 /* bytes of an endpoint's or a pool's name */
#define LB_URL_MAX 255 /* bytes of an endpoint's url */
#define LB_WEIGHT_MAX (UINT32_C(1) << 20)
#define LB_PRIORITY_MAX 7
#define LB_ENDPOINTS_MAX 57344
#define LB_TICKETS_MAX (UINT32_C(1) << 20)
#define LB_LANES_MAX 63
#define LB_SELECTORS_MAX 64
#define LB_RECENT_MAX (UINT32_C(1) << 20)
#define LB_ZONES_MAX 16 /* that traffic is divided between */
#define LB_CALLERS_MAX (UINT32_C(1) << 20)

typedef struct lb_endpoint_config {
	size_t size;
	const char *name;      /* the identity: 1 to 63 bytes, no control characters */
	const char *url;       /* where it is, in the host's own terms: 0 to 255 bytes; NULL = empty */
	uint64_t tag;          /* the host's own, handed back in tickets and events */
	uint32_t weight;       /* 1; 0 = nothing new; at most LB_WEIGHT_MAX; any scale */
	uint32_t priority;     /* 0 = served first; at most LB_PRIORITY_MAX */
	uint32_t zone;         /* where it stands, any number; 0 = nowhere */
	uint32_t inflight_max; /* most requests open at once, exactly; 0 = no limit */
} lb_endpoint_config;

/* Slow start, of endpoints that are new or come back from any absence; never at the pool's first start. After Envoy. */
typedef struct lb_ramp_config {
	size_t size;
	lb_span window; /* until it has its whole weight again: 30 s; 1 us to 1 day */
	uint32_t
	    curve_percent; /* of weight over time: 100 = linear; more = steep first (time^(100 / curve)); 1 to 1000 */
	uint32_t min_percent; /* of its weight that it begins with: 10; 1 to 100 */
	uint32_t
	    successes; /* so many requests that succeeded end it sooner, in proportion; 0 = by time only; at most 2^20 */
} lb_ramp_config;

/* What a pool does when health and breakers leave nobody. Told in ticket.reason. */
typedef enum lb_fail_mode {
	LB_FAIL_CLOSED,   /* LB_ENONE: shed the load; but see panic_percent */
	LB_FAIL_OPEN,     /* use all whom only health or breakers keep out: LB_BY_FAIL_OPEN */
	LB_FAIL_LAST_GOOD /* use those who were usable last: LB_BY_LAST_GOOD */
} lb_fail_mode;

typedef struct lb_pool_config {
	size_t size;
	const char *name; /* "pool": a label in the statistics; as an endpoint's name */
	lb_memory memory; /* where the block lies; {NULL, 0} = the allocate hook */
	uint32_t
	    endpoints_max; /* 256; 1 to LB_ENDPOINTS_MAX; an eighth more slots wait for their last ticket */
	uint32_t tickets_max;   /* open at once, per lane: 8192; 1 to LB_TICKETS_MAX */
	uint32_t lanes_max;     /* besides lane 0: 8; 0 to LB_LANES_MAX */
	uint32_t selectors_max; /* 4; 1 to LB_SELECTORS_MAX */
	uint32_t recent_max;    /* requests remembered, per lane: 1000; 0 = off; at most LB_RECENT_MAX */
	lb_span
	    ticket_timeout; /* after which a forgotten ticket is settled: 10 min; LB_NEVER = none; not 0 */
	lb_span decay;      /* of the latency averages: 10 s; 1 us to 1 day */
	lb_span
	    failure_latency; /* a failure is averaged as the largest of its latency, twice the average and this,
	                                  at most 10 s: 1 s */
	lb_health_status initial_health; /* LB_HEALTHY: a pool without a checker just works */
	uint32_t
	    panic_percent; /* a priority uses all its endpoints, well or not, when fewer than this are usable: 0 = never; Envoy: 50 */
	uint32_t
	    panic_fails; /* 1: such a priority answers LB_ENONE instead (Envoy's fail_traffic_on_panic); 0 */
	lb_fail_mode fail_mode; /* when nobody is usable: LB_FAIL_CLOSED */
	uint32_t
	    overprovision_percent; /* a priority takes usable / all x this of the traffic, at most all of it: 140; 100 to 1000 */
	uint32_t
	    zone; /* ours; 0 = nowhere: zones are not obeyed, unless lb_pool_set_zone gave them weights */
	uint32_t
	    zone_endpoints_min; /* with fewer usable endpoints zones are not obeyed: 6 (Envoy's min_cluster_size) */
	const lb_breaker_config *breaker; /* one for each endpoint: the defaults of breaker.h; NULL = none */
	const lb_ramp_config *ramp;       /* NULL = none */
} lb_pool_config;

/* Why an endpoint gets no request now; bits of lb_endpoint_info.why, 0 = it may. */
enum {
	LB_WHY_ADMIN = 1 << 0,   /* drained or down */
	LB_WHY_HEALTH = 1 << 1,  /* unhealthy */
	LB_WHY_BREAKER = 1 << 2, /* its breaker is open or half open */
	LB_WHY_FULL = 1 << 3,    /* at its in-flight limit */
	LB_WHY_WEIGHT = 1 << 4,  /* weight 0 */
	LB_WHY_TRIED = 1 << 5,   /* this request has been there */
	LB_WHY_STANDBY = 1 << 6, /* a backup, or a primary that waits for its return */
	LB_WHY_REMOVED = 1 << 7, /* waits for its last ticket */
	/* for one request only: see lb_explain */
	LB_WHY_BOUND = 1 << 8, /* above its bound of the load (hashing) */
	LB_WHY_ZONE = 1 << 9,  /* its zone was tried, and another one can serve */
	LB_WHY_RAMP = 1 << 10  /* in slow start it does not have this key yet (hashing) */
};

typedef struct lb_endpoint_info {
	lb_endpoint endpoint;
	uint64_t tag;
	char name[64], url[256];
	uint32_t weight, weight_now /* less in slow start, at least 1 */, priority, zone, inflight,
	    inflight_max;
	lb_admin admin;
	lb_health_status health;
	lb_breaker_state breaker;
	uint32_t why;                                         /* LB_WHY_* */
	uint32_t consecutive_failures, consecutive_successes; /* of health checks */
	lb_time last_check;                                   /* 0 = never */
} lb_endpoint_info;

/* Writes the size and the defaults above; does nothing for NULL or an unknown size. Threads: look. */
void lb_pool_config_init(lb_pool_config *config, size_t size);
void lb_endpoint_config_init(lb_endpoint_config *config, size_t size);
void lb_ramp_config_init(lb_ramp_config *config, size_t size);

/*
 * Fills a config from what is known of an endpoint, for lb_pool_update or lb_pool_sync. Name and url point into
 * `info`. Returns LB_OK, LB_EINVAL, LB_EVERSION. Threads: look.
 */
int lb_endpoint_config_from(lb_endpoint_config *config, size_t size, const lb_endpoint_info *info);

/*
 * Returns the bytes of a pool's block, slack for alignment included; 0 for a bad config. Threads: look.
 */
size_t lb_pool_size(const lb_pool_config *config);

/*
 * Creates an empty pool. `config` and `env` may be NULL.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOMEM (also: config.memory is smaller than lb_pool_size). Threads: owner.
 */
int lb_pool_create(lb_pool **pool, const lb_pool_config *config, const lb_env *env);

/*
 * Frees the pool; open tickets are void. Returns LB_OK, LB_EINVAL, LB_EBUSY while a selector, health checker or
 * failover of it lives (it then did nothing). Threads: owner.
 */
int lb_pool_destroy(lb_pool *pool);

/*
 * Adds an endpoint with the defaults of lb_endpoint_config; `url` may be NULL (empty), `endpoint` may be NULL.
 * Returns LB_OK; LB_EINVAL for a bad name, url or weight; LB_EEXIST for a name that lives; LB_ELIMIT when
 * endpoints_max live, or all spare slots still wait for their last ticket. Threads: control.
 */
int lb_pool_add(lb_pool *pool, const char *name, const char *url, uint32_t weight, lb_endpoint *endpoint);

/* The same with everything that an endpoint can be told; also LB_EVERSION. Threads: control. */
int lb_pool_add_endpoint(lb_pool *pool, const lb_endpoint_config *config, lb_endpoint *endpoint);

/*
 * Removes an endpoint: nothing new goes there from now on, its name is free at once; its slot, name and url stay for
 * open tickets until the last one is settled. Returns LB_OK, LB_EINVAL, LB_ENOENT. Threads: control.
 */
int lb_pool_remove(lb_pool *pool, lb_endpoint endpoint);

/*
 * Changes tag, weight, priority, zone and in-flight limit. Name and url must be the same or NULL, else LB_EINVAL.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOENT. Threads: control.
 */
int lb_pool_update(lb_pool *pool, lb_endpoint endpoint, const lb_endpoint_config *config);

/*
 * Makes the pool equal to a list of `n` endpoints, by name: adds, removes, updates, publishes once. Another url is a
 * remove and an add. Health, averages, breaker and admin state of those that stay are kept. n = 0 empties the pool.
 * Returns LB_OK; or, with nothing changed: LB_EINVAL (a bad entry, a name twice), LB_EVERSION, LB_ELIMIT: more than
 * endpoints_max, or more new ones than slots are free. Slots of removed endpoints are free again 100 ms later at the
 * earliest, so with a selector alive an eighth of a full pool can be replaced at once (without one, all of it in two calls).
 * Threads: control.
 */
int lb_pool_sync(lb_pool *pool, const lb_endpoint_config *wanted, uint32_t n);

/* Sets one property. Returns LB_OK, LB_EINVAL (value out of range), LB_ENOENT. Threads: control. */
int lb_pool_set_weight(lb_pool *pool, lb_endpoint endpoint, uint32_t weight);
int lb_pool_set_admin(lb_pool *pool, lb_endpoint endpoint, lb_admin admin);
/* The same; counts as one check that skips rise and fall: consecutive_failures is 0 after LB_HEALTHY. Threads: control. */
int lb_pool_set_health(lb_pool *pool, lb_endpoint endpoint, lb_health_status health);
/* The same; LB_EINVAL also when the pool was made without breakers. Threads: control. */
int lb_pool_set_breaker(lb_pool *pool, lb_endpoint endpoint, lb_breaker_force force);

/*
 * Tells about a zone what its endpoints do not: its weight in dividing a priority's traffic (Envoy's locality weight; as soon
 * as one zone has one, zones without get nothing), and how many callers like ourselves stand there (0 everywhere = as many in
 * each zone that has endpoints). Both 0 forgets the zone. With weights, traffic goes by weight x usable share x
 * overprovision_percent; without, and with lb_pool_config.zone set, as much as is fair stays in our zone, and what is too
 * much for it goes to zones that have more endpoints than callers. Hashing goes by weights only. In panic the zones of a
 * priority are not told apart, but by hashing.
 * Returns LB_OK; LB_EINVAL: zone 0, weight above LB_WEIGHT_MAX, callers above LB_CALLERS_MAX; LB_ELIMIT: LB_ZONES_MAX zones
 * are known. A priority with more than LB_ZONES_MAX zones is not divided, nor what is above 48 zones in all priorities together. Source: Envoy's zone aware routing and locality weighted
 * load balancing. Threads: control.
 */
int lb_pool_set_zone(lb_pool *pool, uint32_t zone, uint32_t weight, uint32_t callers);

/* How much of the traffic a priority gets, in per cent of all requests. */
typedef struct lb_share {
	uint32_t healthy_percent;   /* to its healthy endpoints; in panic to all that it has */
	uint32_t degraded_percent;  /* to its degraded ones */
	uint32_t panic;             /* 1 = all its endpoints are used, well or not */
	uint32_t endpoints;         /* those that only health or a breaker may keep out */
	uint32_t healthy, degraded; /* of them, usable now; unknown ones count as healthy */
} lb_share;

/*
 * Tells how traffic is divided between the priorities 0 to levels - 1, by the state of now: Envoy's arithmetic, remainder to
 * the first. `levels` from 1 to LB_PRIORITY_MAX + 1; all are written.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION. Threads: look.
 */
int lb_pool_shares(const lb_pool *pool, lb_share *shares, uint32_t levels, size_t size);

/* Finds a living endpoint by name in constant time. Returns LB_OK, LB_EINVAL, LB_ENOENT. Threads: look. */
int lb_pool_find(const lb_pool *pool, const char *name, lb_endpoint *endpoint);

/*
 * Returns the living endpoint after `after` (LB_NO_ENDPOINT: the first), LB_NO_ENDPOINT at the end or for NULL. In
 * slot order; goes on behind an endpoint that was removed meanwhile. Threads: look.
 */
lb_endpoint lb_pool_next(const lb_pool *pool, lb_endpoint after);

/*
 * Tells all about an endpoint, also about a removed one that waits for its last ticket.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOENT. Threads: look.
 */
int lb_pool_info(const lb_pool *pool, lb_endpoint endpoint, lb_endpoint_info *info, size_t size);

/* Returns the pool's clock, 0 for NULL. Threads: look. */
lb_time lb_pool_now(const lb_pool *pool);

/*
 * Housekeeping: settles forgotten tickets, frees slots, moves breakers and failovers whose time has come, publishes.
 * Returns when to call again, at most 1 s from now; LB_NEVER for NULL. Threads: control.
 */
lb_time lb_pool_tick(lb_pool *pool);

/*
 * Gives the worker a lane of its own. `worker` is any number but 0 that names it (a pid, a thread number); the same
 * worker gets its lane again. Returns LB_OK, LB_EINVAL, LB_ELIMIT (none left: stay on lane 0). Threads: control.
 */
int lb_pool_join(lb_pool *pool, uint64_t worker, uint32_t *lane);

/*
 * Gives the lane back; its open tickets are settled as cancelled. Called by the lane's owner.
 * Returns LB_OK, LB_EINVAL (lane 0, or one that nobody joined). Threads: control.
 */
int lb_pool_leave(lb_pool *pool, uint32_t lane);

#ifdef __cplusplus
}
#endif

#endif
