/* The scenes: who takes part, and what happens to them meanwhile. */
#include "golden.h"

#include <inttypes.h>
#include <stdio.h>

/* The tag is the endpoint's number: what the script knows it by. */
static lb_endpoint_config member(const run *r, uint32_t number, char name[static 16])
{
	static const uint32_t weights[] = {5, 1, 1, 3, 20, 7, 2, 40, 0, 1};
	lb_endpoint_config config;

	snprintf(name, 16, "e%" PRIu32, number);
	lb_endpoint_config_init(&config, sizeof config);
	config.name = name;
	config.url = name;
	config.tag = number;
	config.weight = r->scene->weights ? weights[number % 10] : 1;
	config.priority = r->scene->priorities ? number % 3 : 0;
	config.inflight_max = r->scene->limits ? 1 + number % 3 : 0;
	return config;
}

/* Makes the pool hold the endpoints from..to-1. */
void sync_members(run *r, uint32_t from, uint32_t to)
{
	static lb_endpoint_config wanted[ENDPOINTS_MAX];
	static char names[ENDPOINTS_MAX][16];

	for (uint32_t i = from; i < to; i++)
		wanted[i - from] = member(r, i, names[i - from]);
	say_answer(r, "sync", lb_pool_sync(r->pool, wanted, to - from));
}

static lb_endpoint find(const run *r, uint32_t number)
{
	char name[16];
	lb_endpoint endpoint = LB_NO_ENDPOINT;

	snprintf(name, sizeof name, "e%" PRIu32, number);
	lb_pool_find(r->pool, name, &endpoint);
	return endpoint;
}

lb_endpoint any_member(run *r)
{
	return find(r, (uint32_t)(dice(r) % r->scene->endpoints));
}

static void change_health(run *r, uint32_t number)
{
	static const lb_health_status statuses[] = {LB_UNHEALTHY, LB_DEGRADED, LB_UNHEALTHY, LB_HEALTHY,
						    LB_UNKNOWN,   LB_HEALTHY,  LB_UNHEALTHY, LB_HEALTHY};
	static const lb_admin admins[] = {LB_ADMIN_DOWN, LB_ADMIN_UP, LB_ADMIN_DRAIN, LB_ADMIN_UP};

	say_answer(r, "set_health",
		   lb_pool_set_health(r->pool, find(r, number % r->scene->endpoints), statuses[number % 8]));
	say_answer(r, "set_admin", lb_pool_set_admin(r->pool, find(r, number / 4 % 2), admins[number % 4]));
}

/* All go down, one after the other, and come back. */
static void change_all(run *r, uint32_t number)
{
	uint32_t n = r->scene->endpoints;

	say_answer(r, "set_health",
		   lb_pool_set_health(r->pool, find(r, number % n),
				      number / n % 2 == 0 ? LB_UNHEALTHY : LB_HEALTHY));
}

static void change_breakers(run *r, uint32_t number)
{
	static const lb_breaker_force forces[] = {LB_FORCE_OPEN, LB_FORCE_NONE, LB_FORCE_METRICS_ONLY,
						  LB_FORCE_CLOSED, LB_FORCE_NONE};

	say_answer(r, "set_breaker", lb_pool_set_breaker(r->pool, find(r, 0), forces[number % 5]));
}

static void change_members(run *r, uint32_t number)
{
	char name[16];
	lb_endpoint_config config = member(r, 100 + number, name);

	switch (number % 5) {
	case 0:
		say_answer(r, "add", lb_pool_add_endpoint(r->pool, &config, NULL));
		break;
	case 1:
		say_answer(r, "remove", lb_pool_remove(r->pool, find(r, number)));
		break;
	case 2:
		say_answer(r, "set_weight", lb_pool_set_weight(r->pool, any_member(r), number));
		break;
	case 3:
		sync_members(r, number % 4, number % 4 + r->scene->endpoints);
		break;
	default:
		say_answer(r, "reset", lb_stats_reset(r->pool));
	}
}

/* The second lane's owner goes, with what it has under way; another one comes. */
static void change_lanes(run *r, uint32_t number)
{
	if (number % 3 != 2)
		return;
	say_answer(r, "leave", lb_pool_leave(r->pool, r->lanes[1]));
	must(lb_pool_join(r->pool, 1000 + number, &r->lanes[1]), "join");
	say_number(r, "lane", r->lanes[1]);
}

static void begin_chains(run *r)
{
	lb_failover_config config;

	lb_failover_config_init(&config, sizeof config);
	config.hold_up = LB_SECONDS;
	config.successes = 2;
	must(lb_failover_create(&r->failover, r->pool, &config), "failover");
	must(lb_failover_set_primary(r->failover, find(r, 0)), "primary");
	must(lb_failover_set_backup(r->failover, find(r, 0), find(r, 1)), "backup");
	must(lb_failover_set_backup(r->failover, find(r, 0), find(r, 2)), "backup");
	must(lb_failover_set_primary(r->failover, find(r, 3)), "primary");
	must(lb_failover_set_backup(r->failover, find(r, 3), find(r, 2)), "backup");
}

static void change_chains(run *r, uint32_t number)
{
	lb_failover_status status;

	say_answer(r, "set_health",
		   lb_pool_set_health(r->pool, find(r, number / 2 % 4),
				      number % 2 == 0 ? LB_UNHEALTHY : LB_HEALTHY));
	if (number % 7 == 5)
		say_answer(
		    r, "force",
		    lb_failover_force(r->failover, find(r, 3), number % 2 ? find(r, 2) : LB_NO_ENDPOINT));
	for (uint32_t primary = 0; primary <= 3; primary += 3) {
		must(lb_failover_get(r->failover, find(r, primary), &status, sizeof status), "status");
		say_endpoint(r, "active", status.active);
		say_number(r, "since", status.since);
		say_number(r, "failovers", status.failovers);
		say_number(r, "failbacks", status.failbacks);
		say_number(r, "next", status.next);
	}
}

const scene scenes[] = {
    {.name = "plain", .steps = 1500, .endpoints = 7},
    {.name = "weights", .steps = 2000, .endpoints = 10, .weights = true},
    {.name = "priorities", .steps = 1500, .endpoints = 9, .priorities = true, .change = change_health},
    {.name = "limits", .steps = 2000, .endpoints = 9, .weights = true, .limits = true},
    {.name = "lanes", .steps = 2000, .endpoints = 8, .weights = true, .lanes = true, .change = change_lanes},
    {.name = "health", .steps = 2000, .endpoints = 6, .weights = true, .change = change_health},
    {.name = "panic", .steps = 1500, .endpoints = 6, .panic_percent = 50, .change = change_all},
    {.name = "nobody", .steps = 1000, .endpoints = 4, .change = change_all},
    {.name = "breakers", .steps = 2500, .endpoints = 8, .illness = true, .change = change_breakers},
    {.name = "chains",
     .steps = 2000,
     .endpoints = 5,
     .illness = true,
     .begin = begin_chains,
     .change = change_chains},
    {.name = "members", .steps = 1500, .endpoints = 8, .weights = true, .change = change_members},
    {.name = "many",
     .steps = 1000,
     .endpoints = ENDPOINTS_MAX,
     .weights = true,
     .lanes = true,
     .illness = true},
    {.name = NULL},
};
