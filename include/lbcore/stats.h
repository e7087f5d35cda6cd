/*
 * Statistics: what the pool has seen, as numbers and as a table for people.
 *
 * Figures are sums over the lanes, read while traffic runs: each is exact once the calls that change it have returned. (Of
 * two new extremes that threads report in lane 0 at the same moment, one may be lost.) A request that is open at a reset
 * counts as selected after it.
 */
#ifndef LBCORE_STATS_H
#define LBCORE_STATS_H

#include <lbcore/base.h>
#include <lbcore/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_endpoint_stats {
	uint64_t selected, succeeded, failed, timed_out, refused, overloaded, cancelled, local, forgotten;
	lb_span latency_average; /* arithmetic, since the reset */
	lb_span latency_min, latency_max;
	lb_span latency_decayed; /* what least response time goes by: failures weigh as failure_latency */
	uint32_t inflight;
	uint32_t
	    inflight_peak;   /* the highest that a lane saw: its own and the others' as it last knew them */
	uint32_t share_ppm;  /* of the pool's selections */
	uint32_t error_ppm;  /* failures of all settled, cancelled and local ones left out */
	uint32_t rate_milli; /* selections per 1000 s, since the reset */
	uint32_t reserved;
} lb_endpoint_stats;

typedef struct lb_pool_stats {
	lb_endpoint_stats total;
	lb_time since;  /* creation or the last reset */
	lb_span uptime; /* now - since */
	uint64_t none, full, limit,
	    retries; /* LB_ENONE, LB_EFULL, LB_ELIMIT answered; selections after the first */
	uint32_t tickets_open, endpoints, usable;
	uint32_t reserved;
	uint64_t events_lost; /* overwritten before a call could hand them to the hook */
} lb_pool_stats;

typedef struct lb_request_record {
	lb_time at; /* when it was reported */
	lb_endpoint endpoint;
	lb_span latency;
	lb_result result;
	uint32_t attempt; /* 1 = the first */
} lb_request_record;

/*
 * Both: latencies of refused, cancelled and local outcomes are in no average, minimum or maximum. Figures of removed
 * endpoints stay in the total. Return LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOENT. Threads: look.
 */
int lb_stats_pool(const lb_pool *pool, lb_pool_stats *stats, size_t size);
int lb_stats_endpoint(const lb_pool *pool, lb_endpoint endpoint, lb_endpoint_stats *stats, size_t size);

/* Copies up to `n` requests, newest first. Returns how many, or LB_EINVAL, LB_EVERSION. Threads: look. */
int lb_stats_recent(const lb_pool *pool, lb_request_record *records, uint32_t n, size_t size);

/* Starts all figures anew; decayed averages, in-flight counts and breakers stay. LB_OK, LB_EINVAL. Threads: control. */
int lb_stats_reset(lb_pool *pool);

/* Takes a piece of text; 0 = go on, anything else ends the call with LB_EHOOK. */
typedef int (*lb_write)(void *user, const char *text, size_t length);

/*
 * Writes a table made for reading: one line for the pool, one for each endpoint. Names cannot break a line.
 * Returns LB_OK, LB_EINVAL, LB_EHOOK. Threads: look.
 */
int lb_stats_text(const lb_pool *pool, lb_write write, void *user);

/* Writes one JSON object: the pool's figures, and an array with those of each endpoint. As above. Threads: look. */
int lb_stats_json(const lb_pool *pool, lb_write write, void *user);

#ifdef __cplusplus
}
#endif

#endif
