/*
 * Servers: how long work takes there. A server is either one that serves one request after the other, or one with several
 * cores that all its requests share evenly (no request has more than one core). Beside it an antagonist may take a part of
 * its cores from time to time.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "sim/heap.h"

typedef enum sim_discipline {
	SIM_FIFO,   /* first in, first out; one core */
	SIM_SHARING /* processor sharing */
} sim_discipline;

enum { SIM_TAILS = 8 };

/*
 * Both kinds by one clock: how much work a request that is being served has got since the server was last idle. A request
 * is done at a known reading of that clock, whatever comes after it; so the first to be done is the top of a heap.
 */
typedef struct sim_server {
	sim_discipline discipline;
	double speed, cores;
	double cores_now;           /* what the antagonist leaves */
	double at;                  /* when the rest was true */
	double clock;               /* ns of work that each served request got */
	double last;                /* FIFO: the reading at which the last in line will be done */
	sim_heap jobs;              /* {reading, request} */
	double held[SIM_TAILS + 1]; /* for how long so many requests were here; the last: or more */
} sim_server;

/* Brings the server's clocks to `now`. To be called before anything below and before `cores_now` is changed. */
void sim_server_advance(sim_server *server, double now);

/* Takes in a request that needs `work` ns of a core of speed 1. */
void sim_server_take(sim_server *server, uint32_t request, double work);

/* When the next request will be done if nothing changes; there must be one, and a core left. */
double sim_server_due(const sim_server *server);

/* Ends that request; the server's time must be the one that sim_server_due said. */
uint32_t sim_server_finish(sim_server *server);

#endif
