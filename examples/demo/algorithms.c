/* One line for each algorithm: how it splits requests over weights 3:2:1, and what a select and its report cost. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS = 3, OPEN = 12, ROUNDS = 6000, TIMED = 300000 };

/* Keeps a fixed number of requests open, reports the oldest, selects the next: what a busy server does. */
static void run(lb_selector *selector, uint32_t lane, int rounds, uint64_t *served)
{
	static lb_ticket tickets[OPEN];
	lb_time now = clock_now();

	for (int i = 0; i < rounds; i++) {
		lb_ticket *ticket = &tickets[i % OPEN];
		lb_request request = {.now = now, .lane = lane};
		lb_outcome outcome = {.result = LB_SUCCESS, .latency = LB_MILLISECONDS, .now = now};
		if (ticket->id != 0)
			lb_report(selector, ticket, &outcome);
		if (lb_select(selector, &request, ticket) == LB_OK && served)
			served[ticket->tag]++;
	}
	for (int i = 0; i < OPEN; i++)
		if (tickets[i].id != 0)
			lb_report_result(selector, &tickets[i], LB_SUCCESS);
}

static void show(lb_algorithm algorithm)
{
	lb_pool *pool;
	lb_selector *selector;
	lb_selector_config config;
	lb_endpoint_config endpoint;
	uint32_t lane = 0;
	uint64_t served[MEMBERS] = {0};
	static const char *const names[MEMBERS] = {"a", "b", "c"};

	lb_selector_config_init(&config, sizeof config);
	config.algorithm = algorithm;
	if (lb_pool_create(&pool, NULL, NULL) != LB_OK ||
	    lb_selector_create(&selector, pool, &config) != LB_OK || lb_pool_join(pool, 1, &lane) != LB_OK)
		abort();
	for (uint32_t i = 0; i < MEMBERS; i++) {
		lb_endpoint_config_init(&endpoint, sizeof endpoint);
		endpoint.name = names[i];
		endpoint.weight = MEMBERS - i;
		endpoint.tag = i;
		lb_pool_add_endpoint(pool, &endpoint, NULL);
	}
	run(selector, lane, ROUNDS, served);
	lb_time begun = clock_now();
	run(selector, lane, TIMED, NULL);
	lb_span each = (clock_now() - begun) * 10 / TIMED;
	printf("  %-22s %5.1f %% %6.1f %% %6.1f %%   %4u.%u ns\n", lb_algorithm_name(algorithm),
	       (double)served[0] * 100 / ROUNDS, (double)served[1] * 100 / ROUNDS,
	       (double)served[2] * 100 / ROUNDS, (unsigned)(each / 10), (unsigned)(each % 10));
	lb_selector_destroy(selector);
	lb_pool_destroy(pool);
}

void show_algorithms(void)
{
	printf("\nAlgorithms, weights 3:2:1, 12 requests open    (round robin ignores weight)\n\n");
	printf("  %-22s %7s %8s %8s   %s\n", "", "a (3)", "b (2)", "c (1)", "select + report");
	for (int i = 0; lb_algorithm_name((lb_algorithm)i); i++)
		show((lb_algorithm)i);
}
