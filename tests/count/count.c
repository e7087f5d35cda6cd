/*
 * A loop of selects and reports, to be counted by callgrind (count.sh): algorithm, endpoints, own lane or lane 0, steps. 64
 * requests in flight, time from the host, everything on.
 */
#include <lbcore/lbcore.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPEN = 64 };

static lb_ticket tickets[OPEN];

int main(int argc, char **argv)
{
	lb_pool *pool;
	lb_selector *selector;
	lb_pool_config config;
	lb_selector_config selection;
	uint32_t lane = 0;
	lb_time now = LB_SECONDS;
	uint64_t key = 0; /* for the algorithms that go by one */

	if (argc != 5)
		return 2;
	lb_pool_config_init(&config, sizeof config);
	lb_selector_config_init(&selection, sizeof selection);
	config.endpoints_max = (uint32_t)atoi(argv[2]);
	config.tickets_max = 2 * OPEN;
	if (lb_algorithm_find(argv[1], &selection.algorithm) != LB_OK ||
	    lb_pool_create(&pool, &config, NULL) != LB_OK)
		return 2;
	for (uint32_t i = 0; i < config.endpoints_max; i++) {
		char name[16];
		snprintf(name, sizeof name, "e%u", i);
		if (lb_pool_add(pool, name, "", 1, NULL) != LB_OK)
			return 2;
	}
	/* the selector last: its tables are built once */
	if (lb_selector_create(&selector, pool, &selection) != LB_OK)
		return 2;
	if (argv[3][0] == 'o' && lb_pool_join(pool, 1, &lane) != LB_OK)
		return 2;
	long steps = atol(argv[4]);
	for (long i = 0; i < steps; i++) {
		lb_ticket *ticket = &tickets[i % OPEN];
		lb_outcome outcome = {.result = LB_SUCCESS, .latency = LB_MILLISECONDS, .now = now};
		lb_request request = {.lane = lane, .now = now, .key = key += UINT64_C(0x9e3779b97f4a7c15)};
		if (ticket->id != 0 && lb_report(selector, ticket, &outcome) != LB_OK)
			return 1;
		if (lb_select(selector, &request, ticket) != LB_OK)
			return 1;
		now += 30;
	}
	return 0;
}
