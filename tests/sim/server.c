/* Servers. See server.h. */
#include "sim/server.h"

/* ns of work per ns that each served request gets. */
static double rate(const sim_server *server)
{
	double served = server->discipline == SIM_FIFO ? 1 : server->jobs.n;
	double share = server->cores_now / served;

	return share < 1 ? server->speed * share : server->speed;
}

void sim_server_advance(sim_server *server, double now)
{
	uint32_t n = server->jobs.n;

	server->held[n < SIM_TAILS ? n : SIM_TAILS] += now - server->at;
	if (n > 0)
		server->clock += (now - server->at) * rate(server);
	server->at = now;
}

void sim_server_take(sim_server *server, uint32_t request, double work)
{
	if (server->jobs.n == 0) {
		server->clock = 0;
		server->last = 0;
	}
	server->last = (server->discipline == SIM_FIFO ? server->last : server->clock) + work;
	sim_heap_add(&server->jobs, server->last, request);
}

double sim_server_due(const sim_server *server)
{
	double left = server->jobs.items[0].key - server->clock;

	return left > 0 ? server->at + left / rate(server) : server->at;
}

uint32_t sim_server_finish(sim_server *server)
{
	sim_item done = sim_heap_pop(&server->jobs);

	/* exactly, whatever was rounded on the way */
	server->clock = done.key;
	return done.id;
}
