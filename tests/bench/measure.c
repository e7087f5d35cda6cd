/* Floors and measurements. */
#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHUNK = 512, WARM_UP = 16384 }; /* steps */

static const uint64_t SPAN = 10000000; /* ns of one measurement */
static const uint64_t FLOOR_SPAN = 2000000;

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

static _Atomic uint64_t word;
static volatile uint64_t sink;

static void add_locked(void)
{
	for (int i = 0; i < CHUNK; i++)
		atomic_fetch_add_explicit(&word, 1, memory_order_relaxed);
}

static void read_clock(void)
{
	for (int i = 0; i < CHUNK; i++)
		sink = clock_ns();
}

static void nothing(void)
{
	sink = 1;
}

static void (*volatile called)(void) = nothing;

static void call_it(void)
{
	for (int i = 0; i < CHUNK; i++)
		called();
}

static double floor_of(void (*loop)(void))
{
	double each[REPEATS];

	for (int r = 0; r < REPEATS; r++) {
		uint64_t steps = 0, begun = clock_ns(), now;
		do {
			loop();
			steps += CHUNK;
		} while ((now = clock_ns()) - begun < FLOOR_SPAN);
		each[r] = (double)(now - begun) / (double)steps;
	}
	return median(each, REPEATS);
}

double floor_locked(void)
{
	return floor_of(add_locked);
}

floors floors_measure(void)
{
	return (floors){
	    .locked = floor_of(add_locked), .clock = floor_of(read_clock), .call = floor_of(call_it)};
}

void subject_make(subject *s, lb_algorithm algorithm, uint32_t n)
{
	lb_pool_config config;
	lb_selector_config selection;
	lb_endpoint_config *list = calloc(n, sizeof *list);
	char(*names)[16] = calloc(n, sizeof *names);

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = n;
	config.lanes_max = 2;
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = algorithm;
	/* nginx's 160 points for each endpoint, 64 bits wide */
	if (algorithm == LB_RING_HASH)
		selection.table_size = 160 * n;
	for (uint32_t i = 0; list && names && i < n; i++) {
		snprintf(names[i], sizeof names[i], "e%u", i);
		lb_endpoint_config_init(&list[i], sizeof list[i]);
		list[i].name = names[i];
		/* weights 1, 2, 3 where weights are the point */
		list[i].weight = algorithm == LB_WEIGHTED_ROUND_ROBIN || algorithm == LB_RANDOM ||
					 algorithm == LB_LEAST_REQUEST
				     ? i % 3 + 1
				     : 1;
	}
	if (!list || !names || lb_pool_create(&s->pool, &config, NULL) != LB_OK ||
	    lb_selector_create(&s->selector, s->pool, &selection) != LB_OK ||
	    lb_pool_sync(s->pool, list, n) != LB_OK)
		abort();
	for (uint64_t i = 0; i < 2; i++)
		if (lb_pool_join(s->pool, i + 1, &s->lanes[i]) != LB_OK)
			abort();
	free(list);
	free(names);
}

void subject_free(subject *s)
{
	lb_selector_destroy(s->selector);
	lb_pool_destroy(s->pool);
}

/* One thread's part. */
typedef struct runner {
	lb_selector *selector;
	uint32_t lane;
	atomic_int *gate;
	int threads;
	double each;
	uint64_t key;
	lb_ticket tickets[OPEN];
} runner;

static lb_time step(runner *r, int place, lb_time now)
{
	lb_ticket *ticket = &r->tickets[place];
	lb_outcome outcome = {.result = LB_SUCCESS, .latency = 1000000, .now = now};
	/* keys that nobody foresees, for those that go by them */
	lb_request request = {.lane = r->lane, .now = now, .key = r->key, .flags = LB_REQUEST_KEY};

	r->key = r->key * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	if (ticket->id != 0)
		lb_report(r->selector, ticket, &outcome);
	if (lb_select(r->selector, &request, ticket) != LB_OK)
		abort();
	/* the host's clock: read once for many requests; here it advances as fast as the work does */
	return now + 30;
}

static void *run(void *arg)
{
	runner *r = arg;
	uint64_t steps = 0, begun, now;
	lb_time host = clock_ns();

	/* until the lane's part of the largest pool is in the caches again: another lane was measured before */
	for (uint64_t i = 0, end = clock_ns() + SPAN; i < WARM_UP && clock_ns() < end; i++)
		host = step(r, (int)(i % OPEN), host);
	atomic_fetch_add(r->gate, 1);
	while (atomic_load(r->gate) < r->threads)
		;
	begun = clock_ns();
	do {
		for (int i = 0; i < OPEN; i++)
			host = step(r, i, host);
		steps += OPEN;
	} while ((now = clock_ns()) - begun < SPAN);
	r->each = (double)(now - begun) / (double)steps;
	for (int i = 0; i < OPEN; i++)
		lb_report_result(r->selector, &r->tickets[i], LB_SUCCESS);
	return NULL;
}

double subject_run(subject *s, bool own, int threads)
{
	static runner runners[2];
	atomic_int gate = 0;
	pthread_t second;

	for (int i = 0; i < threads; i++)
		runners[i] = (runner){.selector = s->selector,
				      .lane = own ? s->lanes[i] : 0,
				      .gate = &gate,
				      .threads = threads};
	if (threads == 2 && pthread_create(&second, NULL, run, &runners[1]) != 0)
		abort();
	run(&runners[0]);
	if (threads == 2)
		pthread_join(second, NULL);
	return threads == 2 ? (runners[0].each + runners[1].each) / 2 : runners[0].each;
}
