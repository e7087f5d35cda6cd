/* A pool and a selector for live comparisons: no breaker, no random start; each pick is a success at once. */
#ifndef LIVE_H
#define LIVE_H

#include <lbcore/lbcore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct live_pair {
	lb_pool *pool;
	lb_selector *selector;
} live_pair;

static inline void live_fail(const char *what)
{
	fprintf(stderr, "live: %s\n", what);
	exit(1);
}

static inline void live_make(live_pair *made, lb_algorithm algorithm, lb_hash_profile profile)
{
	lb_pool_config config;
	lb_selector_config selection;

	lb_pool_config_init(&config, sizeof config);
	config.breaker = NULL;
	if (lb_pool_create(&made->pool, &config, NULL) != LB_OK)
		live_fail("no pool");
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = algorithm;
	selection.hash_profile = profile;
	selection.random_start = 0;
	if (lb_selector_create(&made->selector, made->pool, &selection) != LB_OK)
		live_fail("no such selector");
}

static inline void live_free(live_pair *made)
{
	lb_selector_destroy(made->selector);
	lb_pool_destroy(made->pool);
}

/* The name of the endpoint for a key, or the error. */
static inline const char *live_pick(const live_pair *made, uint64_t key)
{
	lb_ticket ticket = {0};
	lb_request request = {.key = key, .flags = LB_REQUEST_KEY};
	int error = lb_select(made->selector, &request, &ticket);

	if (error != LB_OK)
		return lb_strerror(error);
	const char *name = ticket.name;
	lb_report_result(made->selector, &ticket, LB_SUCCESS);
	return name;
}

#endif
