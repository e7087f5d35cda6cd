/* The simulator's loop. See sim.h. */
#include "sim/sim.h"

#include "sim/client.h"
#include "sim/histogram.h"
#include "sim/line.h"
#include "sim/random.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN 1e9 /* virtual ns; lbcore's time 0 means "not set" */

enum { OPEN_MAX = 1 << 16 }; /* requests at once, with those that only a server still works on */

/* Whose event is next: a server's request is done, its antagonist turns, or one of the rest. */
typedef struct events {
	sim_heap heap;
	uint32_t antagonists, arrival, outbound, inbound, patience, tick; /* ids; a server's is its number */
} events;

typedef struct request {
	lb_ticket ticket;
	double started, work;
	uint32_t client;
	bool settled; /* reported: nobody waits any more */
} request;

typedef struct simulation {
	const sim_config *config;
	double now, begun; /* begun: the end of the warm-up */
	events events;
	sim_server *servers;
	sim_client *clients;
	request *requests;
	uint32_t *spare, spare_n; /* numbers of requests not in use */
	sim_link *ways, *waits;
	sim_line outbound, inbound, patience;
	sim_random arrivals, work, origins, antagonists;
	double gap; /* between arrivals, mean */
	uint32_t arrived, open;
	double open_time; /* integral of `open` */
	double latency;   /* sum */
	sim_histogram latencies;
	sim_result *result;
} simulation;

static void *zeroed(size_t n, size_t size)
{
	void *memory = calloc(n > 0 ? n : 1, size);

	if (!memory)
		abort();
	return memory;
}

static void schedule(simulation *s, uint32_t event, double at)
{
	sim_heap_set(&s->events.heap, at, event);
}

static void schedule_server(simulation *s, uint32_t number)
{
	if (s->servers[number].jobs.n > 0)
		schedule(s, number, sim_server_due(&s->servers[number]));
}

/* The first of a line has its event; whoever joins an empty line is the first. */
static void join(simulation *s, sim_line *line, uint32_t event, uint32_t number, double wait)
{
	sim_line_join(line, number, s->now + wait);
	if (line->first == number)
		schedule(s, event, s->now + wait);
}

/* An event of a line may come when its first has left already: then it is only set anew. */
static uint32_t leave_due(simulation *s, sim_line *line, uint32_t event)
{
	uint32_t number = line->first;
	bool due = number != SIM_NOBODY && line->links[number].due <= s->now;

	if (due)
		sim_line_leave(line, number);
	if (line->first != SIM_NOBODY)
		schedule(s, event, line->links[line->first].due);
	return due ? number : SIM_NOBODY;
}

static uint32_t server_of(const request *r)
{
	return (uint32_t)r->ticket.tag;
}

static void settle(simulation *s, request *r, lb_result verdict)
{
	lb_outcome outcome = {.result = verdict, .now = (lb_time)s->now};
	double latency = s->now - r->started;

	if (lb_report(s->clients[r->client].selector, &r->ticket, &outcome) != LB_OK)
		abort();
	r->settled = true;
	s->open--;
	s->latency += latency;
	sim_histogram_add(&s->latencies, (uint64_t)latency);
	s->result->settled++;
	s->result->timeouts += verdict == LB_TIMEOUT;
}

static void answer(simulation *s, uint32_t number)
{
	request *r = &s->requests[number];

	if (!r->settled) {
		if (s->config->timeout > 0)
			sim_line_leave(&s->patience, number);
		settle(s, r, LB_SUCCESS);
	}
	s->spare[s->spare_n++] = number;
}

static void serve(simulation *s, uint32_t number)
{
	request *r = &s->requests[number];
	sim_server *server = &s->servers[server_of(r)];

	sim_server_advance(server, s->now);
	sim_server_take(server, number, r->work);
	schedule_server(s, server_of(r));
}

static void on_served(simulation *s, uint32_t number)
{
	sim_server *server = &s->servers[number];

	sim_server_advance(server, s->now);
	uint32_t done = sim_server_finish(server);
	schedule_server(s, number);
	if (s->config->delay > 0)
		join(s, &s->inbound, s->events.inbound, done, s->config->delay);
	else
		answer(s, done);
}

static double draw_work(simulation *s)
{
	double service = s->config->service;

	return s->config->law == SIM_EXPONENTIAL ? service * sim_random_exponential(&s->work)
						 : service / SIM_NORMAL_MEAN * sim_random_normal(&s->work);
}

/* Takes a request that has not been anywhere yet to lbcore. Returns its number, or SIM_NOBODY. */
static uint32_t place(simulation *s)
{
	uint32_t number = s->spare[s->spare_n - 1];
	request *r = &s->requests[number];
	uint64_t origin = sim_random_next(&s->origins);
	sim_random key = {origin};
	lb_request wanted = {.now = (lb_time)s->now, .flags = LB_REQUEST_KEY, .key = sim_random_next(&key)};

	r->client = sim_random_below(&s->origins, s->config->pools);
	if (s->config->lanes > 0)
		wanted.lane = s->clients[r->client].lanes[sim_random_below(&s->origins, s->config->lanes)];
	r->ticket = (lb_ticket){0};
	r->started = s->now;
	r->settled = false;
	if (lb_select(s->clients[r->client].selector, &wanted, &r->ticket) != LB_OK)
		return SIM_NOBODY;
	s->spare_n--;
	return number;
}

static void on_arrival(simulation *s)
{
	double work = draw_work(s);

	s->arrived++;
	schedule(s, s->events.arrival, s->now + s->gap * sim_random_exponential(&s->arrivals));
	uint32_t number = s->spare_n > 0 ? place(s) : SIM_NOBODY;
	if (number == SIM_NOBODY) {
		s->result->refused++;
		return;
	}
	s->requests[number].work = work;
	s->open++;
	if (s->config->timeout > 0)
		join(s, &s->patience, s->events.patience, number, s->config->timeout);
	if (s->config->delay > 0)
		join(s, &s->outbound, s->events.outbound, number, s->config->delay);
	else
		serve(s, number);
}

static void on_antagonist(simulation *s, uint32_t number)
{
	sim_server *server = &s->servers[number];
	bool begins = server->cores_now == server->cores;

	sim_server_advance(server, s->now);
	server->cores_now = begins ? server->cores * s->config->left : server->cores;
	schedule_server(s, number);
	schedule(s, s->events.antagonists + number,
		 s->now +
		     (begins ? s->config->busy : s->config->idle) * sim_random_exponential(&s->antagonists));
}

static void on_patience(simulation *s)
{
	uint32_t number = leave_due(s, &s->patience, s->events.patience);

	if (number != SIM_NOBODY)
		settle(s, &s->requests[number], LB_TIMEOUT);
}

static void on_tick(simulation *s)
{
	for (uint32_t i = 0; i < s->config->pools; i++)
		lb_pool_tick(s->clients[i].pool);
	schedule(s, s->events.tick, s->now + 1e9);
}

static void dispatch(simulation *s, uint32_t event)
{
	const events *e = &s->events;

	if (event < e->antagonists)
		on_served(s, event);
	else if (event < e->arrival)
		on_antagonist(s, event - e->antagonists);
	else if (event == e->arrival)
		on_arrival(s);
	else if (event == e->outbound)
		serve(s, leave_due(s, &s->outbound, event));
	else if (event == e->inbound)
		answer(s, leave_due(s, &s->inbound, event));
	else if (event == e->patience)
		on_patience(s);
	else
		on_tick(s);
}

/* Until so many requests have arrived. */
static void run_until(simulation *s, uint32_t arrived)
{
	while (s->arrived < arrived) {
		sim_item next = sim_heap_pop(&s->events.heap);
		s->open_time += s->open * (next.key - s->now);
		s->now = next.key;
		dispatch(s, next.id);
	}
}

/* The warm-up is over: all figures begin anew. */
static void forget(simulation *s)
{
	for (uint32_t i = 0; i < s->config->servers; i++) {
		sim_server_advance(&s->servers[i], s->now);
		memset(s->servers[i].held, 0, sizeof s->servers[i].held);
	}
	s->begun = s->now;
	s->open_time = 0;
	s->latency = 0;
	memset(&s->latencies, 0, sizeof s->latencies);
	memset(s->result, 0, sizeof *s->result);
}

static void sum_up(simulation *s)
{
	sim_result *result = s->result;
	double server_time = (s->now - s->begun) * s->config->servers;

	for (uint32_t i = 0; i < s->config->servers; i++) {
		sim_server_advance(&s->servers[i], s->now);
		for (uint32_t n = 0; n <= SIM_TAILS; n++)
			for (uint32_t tail = 0; tail <= n; tail++)
				result->tails[tail] += s->servers[i].held[n] / server_time;
	}
	result->queue = s->open_time / server_time;
	result->latency = result->settled > 0 ? s->latency / (double)result->settled : 0;
	result->p50 = sim_histogram_quantile(&s->latencies, 0.5);
	result->p90 = sim_histogram_quantile(&s->latencies, 0.9);
	result->p99 = sim_histogram_quantile(&s->latencies, 0.99);
}

static void open_servers(simulation *s)
{
	const sim_config *config = s->config;
	double capacity = 0, left = 1;

	if (config->busy > 0)
		left = (config->left * config->busy + config->idle) / (config->busy + config->idle);
	for (uint32_t i = 0; i < config->servers; i++) {
		sim_server *server = &s->servers[i];
		server->discipline = config->discipline;
		server->speed =
		    config->slow_every > 0 && i % config->slow_every == 0 ? config->slow_speed : 1;
		server->cores = config->cores;
		server->cores_now = config->cores;
		server->at = s->now;
		capacity += server->speed * server->cores * left;
		if (config->busy > 0)
			schedule(s, s->events.antagonists + i,
				 s->now + config->idle * sim_random_exponential(&s->antagonists));
	}
	s->gap = config->service / (config->load * capacity);
}

static void open_events(events *e, uint32_t servers)
{
	e->antagonists = servers;
	e->arrival = 2 * servers;
	e->outbound = e->arrival + 1;
	e->inbound = e->arrival + 2;
	e->patience = e->arrival + 3;
	e->tick = e->arrival + 4;
	sim_heap_open(&e->heap, e->tick + 1);
}

static void open_simulation(simulation *s)
{
	const sim_config *config = s->config;
	uint32_t tickets = OPEN_MAX / (config->pools * (config->lanes > 0 ? config->lanes : 1));

	s->now = BEGIN;
	s->arrivals = sim_random_of(config->seed, 1);
	s->work = sim_random_of(config->seed, 2);
	s->origins = sim_random_of(config->seed, 3);
	s->antagonists = sim_random_of(config->seed, 4);
	s->servers = zeroed(config->servers, sizeof *s->servers);
	s->clients = zeroed(config->pools, sizeof *s->clients);
	s->requests = zeroed(OPEN_MAX, sizeof *s->requests);
	s->spare = zeroed(OPEN_MAX, sizeof *s->spare);
	s->ways = zeroed(OPEN_MAX, sizeof *s->ways);
	s->waits = zeroed(OPEN_MAX, sizeof *s->waits);
	for (uint32_t i = OPEN_MAX; i-- > 0;)
		s->spare[s->spare_n++] = i;
	s->outbound = sim_line_of(s->ways);
	s->inbound = sim_line_of(s->ways);
	s->patience = sim_line_of(s->waits);
	open_events(&s->events, config->servers);
	open_servers(s);
	for (uint32_t i = 0; i < config->pools; i++)
		sim_client_open(&s->clients[i], config, &s->now, i, tickets);
	schedule(s, s->events.arrival, s->now + s->gap * sim_random_exponential(&s->arrivals));
	schedule(s, s->events.tick, s->now + 1e9);
}

static void close_simulation(simulation *s)
{
	for (uint32_t i = 0; i < s->config->pools; i++)
		sim_client_close(&s->clients[i]);
	for (uint32_t i = 0; i < s->config->servers; i++)
		sim_heap_close(&s->servers[i].jobs);
	sim_heap_close(&s->events.heap);
	free(s->servers);
	free(s->clients);
	free(s->requests);
	free(s->spare);
	free(s->ways);
	free(s->waits);
}

void sim_config_init(sim_config *config)
{
	*config = (sim_config){
	    .servers = 100,
	    .cores = 1,
	    .service = 1e6,
	    .slow_speed = 1,
	    .left = 1,
	    .algorithm = LB_TWO_CHOICES,
	    .choices = 2,
	    .pools = 1,
	    .load = 0.5,
	    .warmup = 10000,
	    .requests = 100000,
	    .seed = 1,
	};
}

void sim_run(const sim_config *config, sim_result *result)
{
	simulation *s = zeroed(1, sizeof *s);

	s->config = config;
	s->result = result;
	open_simulation(s);
	run_until(s, config->warmup);
	forget(s);
	run_until(s, config->warmup + config->requests);
	sum_up(s);
	close_simulation(s);
	free(s);
}
