/* The load: 16 clients, each sends its next request when the last one is answered. */
#define _GNU_SOURCE
#include "demo.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

lb_time clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (lb_time)now.tv_sec * LB_SECONDS + (lb_time)now.tv_nsec;
}

void sleep_until(lb_time then)
{
	struct timespec when = {.tv_sec = (time_t)(then / LB_SECONDS), .tv_nsec = (long)(then % LB_SECONDS)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) != 0)
		;
}

static void keep_latency(tally *t, lb_span latency)
{
	if (t->latencies_n == t->latencies_max) {
		size_t more = t->latencies_max ? t->latencies_max * 2 : 4096;
		uint32_t *grown = realloc(t->latencies, more * sizeof *grown);
		if (!grown)
			return;
		t->latencies = grown;
		t->latencies_max = more;
	}
	t->latencies[t->latencies_n++] = (uint32_t)(latency / LB_MICROSECONDS);
}

/* One user request the naive way: the next backend of a fixed list, and what it answers is what the user gets. */
static int request_naive(load *l, connection *connections)
{
	unsigned turn = atomic_fetch_add(&l->turn, 1) % REGULAR;

	return http_get(&connections[turn], l->backends[turn].port, "/api/data") == LB_SUCCESS ? (int)turn
											       : -1;
}

/* The same with lbcore: the loop that every host writes. */
static int request_balanced(load *l, connection *connections)
{
	lb_ticket ticket = {0};

	while (lb_select(l->selector, NULL, &ticket) == LB_OK) {
		size_t chosen = (size_t)ticket.tag;
		lb_result result = http_get(&connections[chosen], l->backends[chosen].port, "/api/data");
		lb_report_result(l->selector, &ticket, result);
		if (result == LB_SUCCESS)
			return (int)chosen;
	}
	return -1;
}

static void *run_client(void *arg)
{
	struct client *client = arg;
	load *l = client->load;
	connection connections[BACKENDS];
	int phase;

	for (int i = 0; i < BACKENDS; i++)
		connections[i].fd = -1;
	while ((phase = atomic_load(&l->phase)) >= 0) {
		lb_time begun = clock_now();
		int served = l->selector ? request_balanced(l, connections) : request_naive(l, connections);
		/* it belongs to the phase in which it ended: what a phase's change did to it shows there */
		int ended = atomic_load(&l->phase);
		tally *t = &client->phases[ended >= 0 ? ended : phase];
		t->requests++;
		if (served < 0) {
			t->errors++;
			continue;
		}
		t->served[served]++;
		keep_latency(t, clock_now() - begun);
		if (phase == 2 && begun >= l->steady_at)
			client->steady_slow.served[served]++;
		if (phase == PHASES - 1 && begun >= l->last_second)
			client->last_second.served[served]++;
	}
	for (int i = 0; i < BACKENDS; i++)
		http_close(&connections[i]);
	return NULL;
}

void load_start(load *l)
{
	for (int i = 0; i < CLIENTS; i++) {
		l->clients[i].load = l;
		if (pthread_create(&l->clients[i].thread, NULL, run_client, &l->clients[i]) != 0)
			abort();
	}
}

void load_stop(load *l)
{
	atomic_store(&l->phase, -1);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(l->clients[i].thread, NULL);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

tally load_sum(const load *l, int phase)
{
	tally sum = {0};

	for (int i = 0; i < CLIENTS; i++) {
		const tally *t = &l->clients[i].phases[phase];
		sum.requests += t->requests;
		sum.errors += t->errors;
		for (int b = 0; b < BACKENDS; b++)
			sum.served[b] += t->served[b];
		for (size_t n = 0; n < t->latencies_n; n++)
			keep_latency(&sum, t->latencies[n] * LB_MICROSECONDS);
	}
	if (sum.latencies_n > 0)
		qsort(sum.latencies, sum.latencies_n, sizeof *sum.latencies, by_size);
	return sum;
}

uint64_t load_served(const load *l, bool last_second, int which, uint64_t *all)
{
	uint64_t one = 0;

	*all = 0;
	for (int i = 0; i < CLIENTS; i++) {
		const tally *t = last_second ? &l->clients[i].last_second : &l->clients[i].steady_slow;
		one += t->served[which];
		for (int b = 0; b < BACKENDS; b++)
			*all += t->served[b];
	}
	return one;
}

void load_free(load *l)
{
	for (int i = 0; i < CLIENTS; i++)
		for (int phase = 0; phase < PHASES; phase++)
			free(l->clients[i].phases[phase].latencies);
}
