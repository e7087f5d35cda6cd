/*
 * A discrete-event simulator around lbcore: clients that select and report through the public API, in virtual time; the
 * simulator is clock, random numbers, memory and transport. The same config gives the same result, digit by digit.
 */
#ifndef SIM_H
#define SIM_H

#include "sim/server.h"

#include <lbcore/lbcore.h>

typedef enum sim_law {
	SIM_EXPONENTIAL,
	SIM_NORMAL /* deviation as large as the mean, cut off below 0 */
} sim_law;

/* Times in ns. */
typedef struct sim_config {
	/* servers, all with weight 1: nobody tells the clients what follows */
	uint32_t servers;
	sim_discipline discipline;
	double cores; /* of each; FIFO: 1 */
	sim_law law;
	double service;      /* mean, alone on a core of speed 1 */
	uint32_t slow_every; /* every such server is a slow one; 0 = none */
	double slow_speed;   /* others have 1 */
	double busy, idle;   /* of each server's antagonist, exponential means; 0 = there are none */
	double left;         /* the part of the cores that a busy antagonist leaves */
	/* clients */
	lb_algorithm algorithm;
	uint32_t choices;      /* where it draws several */
	uint32_t inflight_max; /* of each server, for each client; 0 = no limit */
	uint32_t pools;        /* clients, each with a pool of its own */
	uint32_t lanes; /* joined in each pool, a request comes through any of them; 0 = the shared lane 0 */
	double delay;   /* of the network, each way */
	double timeout; /* the client waits no longer; the server, which is not told, works on. 0 = none */
	/* the run */
	double load;     /* offered, of the mean capacity of all servers */
	uint32_t warmup; /* requests before the figures begin */
	uint32_t requests;
	uint64_t seed;
} sim_config;

typedef struct sim_result {
	uint64_t settled;  /* answered or timed out after the warm-up */
	uint64_t timeouts; /* of these */
	uint64_t refused;  /* not settled: lb_select named nobody, or too many are open */
	double queue;      /* mean number of requests open, per server */
	double latency;    /* mean, ns; a timeout counts as long as it was */
	lb_span p50, p90, p99;
	double tails[SIM_TAILS + 1]; /* share of time in which a server held so many requests or more */
} sim_result;

/* A small comparison's defaults: 100 exponential FIFO servers of 1 ms, one pool, lane 0, load 0.5. */
void sim_config_init(sim_config *config);

void sim_run(const sim_config *config, sim_result *result);

#endif
