/* A pool of up to 64 endpoints "s0", "s1", ... by configs that a test edits first, and one selector. */
#ifndef FLEET_H
#define FLEET_H

#include "test.h"

#include <stdio.h>
#include <string.h>

enum { FLEET_MAX = 64 };

/* What the fleet is made of; the ramp and the breaker count if the pool's config points to them. */
typedef struct fleet_plan {
	lb_pool_config pool;
	lb_selector_config selector;
	lb_ramp_config ramp;
	lb_breaker_config breaker;
} fleet_plan;

typedef struct fleet {
	world w;
	lb_pool *pool;
	lb_selector *selector;
	lb_endpoint e[FLEET_MAX];
} fleet;

/* The defaults, small; no ramp; a breaker that opens for a second at the first failure and closes at the first success. */
static inline void fleet_draw(fleet_plan *plan, lb_algorithm algorithm)
{
	lb_pool_config_init(&plan->pool, sizeof plan->pool);
	lb_selector_config_init(&plan->selector, sizeof plan->selector);
	lb_ramp_config_init(&plan->ramp, sizeof plan->ramp);
	lb_breaker_config_init(&plan->breaker, sizeof plan->breaker);
	plan->pool.endpoints_max = FLEET_MAX;
	plan->pool.tickets_max = 256;
	plan->pool.lanes_max = 2;
	plan->pool.recent_max = 0;
	plan->pool.breaker = NULL;
	plan->breaker.consecutive = 1;
	plan->breaker.open_for = LB_SECONDS;
	plan->breaker.jitter_percent = 0;
	plan->breaker.trials = 1;
	plan->breaker.successes = 1;
	plan->selector.algorithm = algorithm;
	plan->selector.random_start = 0;
	plan->selector.seed = 42;
}

static inline void fleet_add(fleet *f, int number, uint32_t weight)
{
	char name[16];

	snprintf(name, sizeof name, "s%d", number);
	ck_ok(lb_pool_add(f->pool, name, "url", weight, &f->e[number]));
}

/* One of weight 1 in a priority and a zone. */
static inline void fleet_add_in(fleet *f, int number, uint32_t priority, uint32_t zone)
{
	lb_endpoint_config config;
	char name[16];

	snprintf(name, sizeof name, "s%d", number);
	lb_endpoint_config_init(&config, sizeof config);
	config.name = name;
	config.priority = priority;
	config.zone = zone;
	ck_ok(lb_pool_add_endpoint(f->pool, &config, &f->e[number]));
}

/* `weights` NULL = 1 for each. `env` NULL = the world's. */
static inline void fleet_open_in(fleet *f, const fleet_plan *plan, int n, const uint32_t *weights,
				 const lb_env *env)
{
	memset(f, 0, sizeof *f);
	f->w.now = 1000 * LB_SECONDS;
	lb_env own = world_env(&f->w);
	ck_ok(lb_pool_create(&f->pool, &plan->pool, env ? env : &own));
	ck_ok(lb_selector_create(&f->selector, f->pool, &plan->selector));
	for (int i = 0; i < n; i++)
		fleet_add(f, i, weights ? weights[i] : 1);
}

static inline void fleet_open(fleet *f, const fleet_plan *plan, int n, const uint32_t *weights)
{
	fleet_open_in(f, plan, n, weights, NULL);
}

static inline void fleet_close(fleet *f)
{
	lb_selector_destroy(f->selector);
	ck_ok(lb_pool_destroy(f->pool));
	ck_assert_int_eq(f->w.bytes, 0);
}

static inline int fleet_number(const fleet *f, lb_endpoint endpoint)
{
	for (int i = 0; endpoint != LB_NO_ENDPOINT && i < FLEET_MAX; i++)
		if (f->e[i] == endpoint)
			return i;
	return -100;
}

static inline lb_endpoint_info fleet_info(const fleet *f, int number)
{
	lb_endpoint_info info;

	if (lb_pool_info(f->pool, f->e[number], &info, sizeof info) != LB_OK)
		ck_abort_msg("s%d is not there", number);
	return info;
}

/* Selects; answers the endpoint's number or the error. The ticket stays open. */
static inline int fleet_select(fleet *f, const lb_request *request, lb_ticket *ticket)
{
	int error = lb_select(f->selector, request, ticket);

	return error == LB_OK ? fleet_number(f, ticket->endpoint) : error;
}

/* The same, reported at once as a result. */
static inline int fleet_pick(fleet *f, const lb_request *request, lb_result result)
{
	lb_ticket ticket = {0};
	int number = fleet_select(f, request, &ticket);

	if (number >= 0 && lb_report_result(f->selector, &ticket, result) != LB_OK)
		ck_abort_msg("no report");
	return number;
}

static inline int fleet_pick_key(fleet *f, uint64_t key)
{
	return fleet_pick(f, &(lb_request){.key = key, .flags = LB_REQUEST_KEY}, LB_SUCCESS);
}

static inline int fleet_select_key(fleet *f, uint64_t key, lb_ticket *ticket)
{
	return fleet_select(f, &(lb_request){.key = key, .flags = LB_REQUEST_KEY}, ticket);
}

/* Time passes, and the host ticks. */
static inline lb_time fleet_wait(fleet *f, lb_span span)
{
	f->w.now += span;
	return lb_pool_tick(f->pool);
}

#endif
