/* Clients: lbcore's pools and selectors, with the simulator as their host. */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "sim/random.h"
#include "sim/sim.h"

/* One client: a pool, its selector, its lanes. The server's number is the endpoint's tag. */
typedef struct sim_client {
	const double *now;
	sim_random random;
	lb_pool *pool;
	lb_selector *selector;
	uint32_t lanes[LB_LANES_MAX];
	long bytes; /* that the pool holds */
} sim_client;

/* `now` is read whenever lbcore asks for the time; `tickets` may be open at once in each lane. */
void sim_client_open(sim_client *client, const sim_config *config, const double *now, uint32_t number,
		     uint32_t tickets);
void sim_client_close(sim_client *client);

#endif
