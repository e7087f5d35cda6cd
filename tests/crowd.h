/* A pool of many endpoints, in priorities and zones, and a random hook that counts: for tests of who gets how much. */
#ifndef CROWD_H
#define CROWD_H

#include "test.h"

#include <stdio.h>
#include <string.h>

enum { CROWD = 520 };

typedef struct crowd {
	world w;
	lb_pool *pool;
	lb_selector *selector;
	int n;
	lb_endpoint e[CROWD];
	uint32_t priority[CROWD], zone[CROWD];
	lb_health_status health[CROWD];
} crowd;

/* 0, 1, 2, ...: a hundred draws in a row have each remainder of 100 once. */
static inline uint64_t crowd_count(void *user)
{
	return ((world *)user)->random++;
}

static inline lb_pool_config crowd_config(void)
{
	lb_pool_config config;

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = CROWD;
	config.tickets_max = 512;
	config.lanes_max = 1;
	config.selectors_max = 1;
	config.recent_max = 0;
	config.breaker = NULL;
	return config;
}

/* Another algorithm for the same pool; `counts`: the lanes' seed does not matter, the hook counts. */
static inline void crowd_choose_by(crowd *c, lb_algorithm algorithm)
{
	lb_selector_config config;

	lb_selector_destroy(c->selector);
	c->selector = NULL;
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = algorithm;
	config.random_start = 0;
	config.seed = 11;
	ck_ok(lb_selector_create(&c->selector, c->pool, &config));
}

/* `counts`: random numbers count up; else the lanes' own streams. */
static inline void crowd_open(crowd *c, const lb_pool_config *config, lb_algorithm algorithm, bool counts)
{
	memset(c, 0, sizeof *c);
	c->w.now = 1000 * LB_SECONDS;
	lb_env env = world_env(&c->w);
	if (counts)
		env.random = crowd_count;
	ck_ok(lb_pool_create(&c->pool, config, &env));
	crowd_choose_by(c, algorithm);
}

static inline void crowd_close(crowd *c)
{
	lb_selector_destroy(c->selector);
	ck_ok(lb_pool_destroy(c->pool));
	ck_assert_int_eq(c->w.blocks, 0);
}

/* Adds `n` that are alike. Returns the first one's number. */
static inline int crowd_add(crowd *c, int n, uint32_t priority, uint32_t zone, lb_health_status health)
{
	int first = c->n;

	for (int i = 0; i < n; i++, c->n++) {
		lb_endpoint_config config;
		char name[16];
		snprintf(name, sizeof name, "e%03d", c->n);
		lb_endpoint_config_init(&config, sizeof config);
		config.name = name;
		config.priority = priority;
		config.zone = zone;
		ck_ok(lb_pool_add_endpoint(c->pool, &config, &c->e[c->n]));
		if (health != LB_HEALTHY)
			ck_ok(lb_pool_set_health(c->pool, c->e[c->n], health));
		c->priority[c->n] = priority;
		c->zone[c->n] = zone;
		c->health[c->n] = health;
	}
	return first;
}

static inline void crowd_set_health(crowd *c, int number, lb_health_status health)
{
	ck_ok(lb_pool_set_health(c->pool, c->e[number], health));
	c->health[number] = health;
}

static inline int crowd_number(const crowd *c, lb_endpoint endpoint)
{
	for (int i = 0; i < c->n; i++)
		if (c->e[i] == endpoint)
			return i;
	ck_abort_msg("an endpoint that is none");
	return -1;
}

/* Answers the endpoint's number, or the error. The ticket stays open. */
static inline int crowd_select(crowd *c, const lb_request *request, lb_ticket *ticket)
{
	int error = lb_select(c->selector, request, ticket);

	return error == LB_OK ? crowd_number(c, ticket->endpoint) : error;
}

/* The same, settled at once; `reason` may be NULL. */
static inline int crowd_pick(crowd *c, const lb_request *request, uint32_t *reason)
{
	lb_ticket ticket = {0};
	int number = crowd_select(c, request, &ticket);

	if (number < 0)
		return number;
	if (reason)
		*reason = ticket.reason;
	ck_ok(lb_report_result(c->selector, &ticket, LB_SUCCESS));
	return number;
}

#endif
