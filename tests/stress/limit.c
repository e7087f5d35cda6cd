/*
 * Stress: 2 threads on lane 0 and 2 in lanes of their own hammer endpoints whose in-flight limits are 1, 2 and 3. A count
 * that goes up behind each select and down before its report never passes the limit. Argument: seconds.
 */
#define _GNU_SOURCE
#include <lbcore/lbcore.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SHARED = 2, OWN = 2, LIMIT_MAX = 3, OPEN = 2 };

static lb_pool *pool;
static lb_selector *selector;
static atomic_bool stop;
static atomic_uint holders[LIMIT_MAX + 1]; /* by tag: an endpoint's limit */
static atomic_ullong selected, refused, above, wrong;

static lb_time clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (lb_time)now.tv_sec * LB_SECONDS + (lb_time)now.tv_nsec;
}

/* The endpoint's tag, 0 = refused. */
static uint64_t take(const lb_request *request, lb_ticket *ticket)
{
	int error = lb_select(selector, request, ticket);

	if (error != LB_OK) {
		atomic_fetch_add(error == LB_EFULL ? &refused : &wrong, 1);
		return 0;
	}
	if (atomic_fetch_add(&holders[ticket->tag], 1) + 1 > ticket->tag)
		atomic_fetch_add(&above, 1);
	return ticket->tag;
}

static void give_back(lb_ticket *ticket, lb_time now)
{
	lb_outcome outcome = {.result = LB_SUCCESS, .latency = 1, .now = now};

	atomic_fetch_sub(&holders[ticket->tag], 1);
	if (lb_report(selector, ticket, &outcome) != LB_OK)
		atomic_fetch_add(&wrong, 1);
}

static void *traffic(void *arg)
{
	uint64_t number = (uint64_t)(uintptr_t)arg;
	unsigned seed = (unsigned)number;
	unsigned long long count = 0;
	lb_ticket tickets[OPEN] = {{0}};
	/* a clock that stands still costs nothing: more races */
	lb_request request = {.now = LB_SECONDS};

	if (number > SHARED && lb_pool_join(pool, number, &request.lane) != LB_OK)
		abort();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		lb_ticket *ticket = &tickets[rand_r(&seed) % OPEN];
		if (ticket->id != 0)
			give_back(ticket, request.now);
		else
			count += take(&request, ticket) != 0;
	}
	for (int i = 0; i < OPEN; i++)
		if (tickets[i].id != 0)
			give_back(&tickets[i], request.now);
	atomic_fetch_add(&selected, count);
	return NULL;
}

static uint64_t sum_inflight(void)
{
	uint64_t inflight = 0;

	for (lb_endpoint at = lb_pool_next(pool, 0); at != 0; at = lb_pool_next(pool, at)) {
		lb_endpoint_info info;
		if (lb_pool_info(pool, at, &info, sizeof info) == LB_OK)
			inflight += info.inflight;
	}
	return inflight;
}

static bool prepare(void)
{
	lb_selector_config selection;
	lb_endpoint_config config;

	if (lb_pool_create(&pool, NULL, NULL) != LB_OK)
		return false;
	lb_endpoint_config_init(&config, sizeof config);
	for (uint32_t limit = 1; limit <= LIMIT_MAX; limit++) {
		config.name = (char[]){(char)('0' + limit), '\0'};
		config.tag = limit;
		config.inflight_max = limit;
		if (lb_pool_add_endpoint(pool, &config, NULL) != LB_OK)
			return false;
	}
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = LB_ROUND_ROBIN;
	return lb_selector_create(&selector, pool, &selection) == LB_OK;
}

int main(int argc, char **argv)
{
	pthread_t threads[SHARED + OWN];
	lb_span span = (lb_span)(argc > 1 ? atoi(argv[1]) : 2) * LB_SECONDS;

	if (!prepare())
		return 1;
	for (uintptr_t i = 0; i < SHARED + OWN; i++)
		if (pthread_create(&threads[i], NULL, traffic, (void *)(i + 1)) != 0)
			abort();
	for (lb_time end = clock_now() + span; clock_now() < end;)
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	atomic_store(&stop, true);
	for (int i = 0; i < SHARED + OWN; i++)
		pthread_join(threads[i], NULL);
	uint64_t inflight = sum_inflight();
	printf("limit: %llu selections, %llu refused, %llu in flight, %llu above a limit, %llu wrong\n",
	       (unsigned long long)selected, (unsigned long long)refused, (unsigned long long)inflight,
	       (unsigned long long)above, (unsigned long long)wrong);
	bool kept = above == 0 && wrong == 0 && inflight == 0 && selected > 1000;
	lb_selector_destroy(selector);
	return kept && lb_pool_destroy(pool) == LB_OK ? 0 : 1;
}
