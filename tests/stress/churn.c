/*
 * Stress: 4 threads on lane 0 and 2 in lanes of their own select and report, while 2 others add, remove, re-weight, drain
 * and flip health. In the end nothing is in flight, every selection was reported, and nobody was ever sent to an endpoint that
 * was no member or saw a torn name. Argument: seconds.
 *
 * A name carries its own check: "<number>-<number>", the url the number again, the tag too.
 */
#define _GNU_SOURCE
#include <lbcore/lbcore.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHARED = 4, OWN = 2, CONTROL = 2, ENDPOINTS = 40, OPEN = 8 };

static lb_pool *pool;
static lb_selector *selectors[6];
static atomic_bool stop;
static atomic_ullong numbers, selected, reported, refused, wrong;

static lb_time clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (lb_time)now.tv_sec * LB_SECONDS + (lb_time)now.tv_nsec;
}

static void complain(const char *what, const char *name, const char *url, uint64_t tag)
{
	fprintf(stderr, "churn: %s: name %s, url %s, tag %llu\n", what, name, url, (unsigned long long)tag);
	atomic_fetch_add(&wrong, 1);
}

static void check_identity(const char *name, const char *url, uint64_t tag)
{
	char expected[64];

	snprintf(expected, sizeof expected, "%llu-%llu", (unsigned long long)tag, (unsigned long long)tag);
	if (strcmp(name, expected) != 0 || strtoull(url, NULL, 10) != tag)
		complain("a torn or foreign endpoint", name, url, tag);
}

static void settle(lb_selector *selector, lb_ticket *ticket, unsigned *seed)
{
	check_identity(ticket->name, ticket->url, ticket->tag);
	lb_outcome outcome = {.result = (lb_result)(rand_r(seed) % 20 ? 0 : rand_r(seed) % 7)};
	if (lb_report(selector, ticket, &outcome) == LB_OK)
		atomic_fetch_add(&reported, 1);
	else
		complain("a report was refused", "", "", 0);
}

static void *traffic(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	lb_ticket tickets[OPEN];
	uint32_t lane = 0;

	memset(tickets, 0, sizeof tickets);
	if (seed > SHARED && lb_pool_join(pool, seed, &lane) != LB_OK)
		abort();
	while (!atomic_load(&stop)) {
		lb_selector *selector = selectors[rand_r(&seed) % 6];
		lb_ticket *ticket = &tickets[rand_r(&seed) % OPEN];
		if (ticket->id != 0) {
			settle(selector, ticket, &seed);
			continue;
		}
		ticket->attempts = 0;
		int error = lb_select(selector, &(lb_request){.lane = lane}, ticket);
		if (error == LB_OK)
			atomic_fetch_add(&selected, 1);
		else if (error == LB_ENONE || error == LB_EFULL)
			atomic_fetch_add(&refused, 1);
		else
			complain(lb_strerror(error), "", "", 0);
	}
	for (int i = 0; i < OPEN; i++)
		if (tickets[i].id != 0)
			settle(selectors[0], &tickets[i], &seed);
	return NULL;
}

static lb_endpoint any_endpoint(unsigned *seed)
{
	lb_endpoint at = LB_NO_ENDPOINT;

	for (int steps = rand_r(seed) % ENDPOINTS; steps >= 0; steps--)
		at = lb_pool_next(pool, at);
	return at;
}

static int add_one(void)
{
	char name[64], url[32];
	lb_endpoint_config config;
	uint64_t number = atomic_fetch_add(&numbers, 1);

	snprintf(name, sizeof name, "%llu-%llu", (unsigned long long)number, (unsigned long long)number);
	snprintf(url, sizeof url, "%llu", (unsigned long long)number);
	lb_endpoint_config_init(&config, sizeof config);
	config.name = name;
	config.url = url;
	config.tag = number;
	config.weight = 1 + (uint32_t)(number % 5);
	config.priority = number % 7 == 0;
	config.inflight_max = number % 5 == 0 ? 3 : 0;
	return lb_pool_add_endpoint(pool, &config, NULL);
}

static void look_at(lb_endpoint endpoint)
{
	lb_endpoint_info info;
	lb_endpoint_stats stats;
	lb_endpoint found;

	if (lb_pool_info(pool, endpoint, &info, sizeof info) != LB_OK)
		return;
	check_identity(info.name, info.url, info.tag);
	/* who is about to be refused has counted itself already: limit.c says exactly that none gets past */
	if (info.inflight_max > 0 && info.inflight > info.inflight_max + SHARED + OWN)
		complain("above its limit", info.name, info.url, info.inflight);
	lb_pool_find(pool, info.name, &found);
	lb_stats_endpoint(pool, endpoint, &stats, sizeof stats);
}

static void *control(void *arg)
{
	unsigned seed = 1000 + (unsigned)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		lb_endpoint endpoint = any_endpoint(&seed);
		unsigned what = (unsigned)rand_r(&seed) % 64;
		/* one by one: when there is room for no other, one goes, and its slot is free a grace later */
		if (what < 8 && add_one() == LB_ELIMIT && what == 0)
			lb_pool_remove(pool, endpoint);
		else if (what < 18)
			lb_pool_set_weight(pool, endpoint, (uint32_t)rand_r(&seed) % 9);
		else if (what < 26)
			lb_pool_set_admin(pool, endpoint, rand_r(&seed) % 5 ? LB_ADMIN_UP : LB_ADMIN_DRAIN);
		else if (what < 34)
			lb_pool_set_health(pool, endpoint, rand_r(&seed) % 5 ? LB_HEALTHY : LB_UNHEALTHY);
		else if (what < 38)
			lb_pool_set_breaker(pool, endpoint,
					    rand_r(&seed) % 5 ? LB_FORCE_NONE : LB_FORCE_OPEN);
		else if (what < 50)
			look_at(endpoint);
		else
			lb_pool_tick(pool);
	}
	return NULL;
}

static bool judge(void)
{
	lb_pool_stats stats;
	uint64_t inflight = 0;

	lb_stats_pool(pool, &stats, sizeof stats);
	for (lb_endpoint at = lb_pool_next(pool, 0); at != 0; at = lb_pool_next(pool, at)) {
		lb_endpoint_info info;
		if (lb_pool_info(pool, at, &info, sizeof info) == LB_OK)
			inflight += info.inflight;
	}
	printf("churn: %llu selections, %llu reports, %llu refused, %llu endpoints, %llu in flight, %llu "
	       "wrong\n",
	       (unsigned long long)selected, (unsigned long long)reported, (unsigned long long)refused,
	       (unsigned long long)numbers, (unsigned long long)inflight, (unsigned long long)wrong);
	return wrong == 0 && selected == reported && selected > 1000 && inflight == 0 &&
	       stats.tickets_open == 0 && stats.total.selected == selected;
}

int main(int argc, char **argv)
{
	pthread_t threads[SHARED + OWN + CONTROL];
	lb_span span = (lb_span)(argc > 1 ? atoi(argv[1]) : 2) * LB_SECONDS;
	lb_pool_config config;

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = ENDPOINTS;
	config.selectors_max = 6;
	if (lb_pool_create(&pool, &config, NULL) != LB_OK)
		return 1;
	for (int i = 0; i < 6; i++) {
		lb_selector_config selection;
		lb_selector_config_init(&selection, sizeof selection);
		selection.algorithm = (lb_algorithm)i;
		if (lb_selector_create(&selectors[i], pool, &selection) != LB_OK)
			return 1;
	}
	for (int i = 0; i < ENDPOINTS / 2; i++)
		add_one();
	for (uintptr_t i = 0; i < SHARED + OWN + CONTROL; i++)
		if (pthread_create(&threads[i], NULL, i < SHARED + OWN ? traffic : control,
				   (void *)(i + 1)) != 0)
			abort();
	for (lb_time end = clock_now() + span; clock_now() < end;)
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	atomic_store(&stop, true);
	for (int i = 0; i < SHARED + OWN + CONTROL; i++)
		pthread_join(threads[i], NULL);
	bool kept = judge();
	for (int i = 0; i < 6; i++)
		lb_selector_destroy(selectors[i]);
	return kept && lb_pool_destroy(pool) == LB_OK ? 0 : 1;
}
