/* Clients. See client.h. */
#include "sim/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lb_time client_now(void *user)
{
	return (lb_time) * ((sim_client *)user)->now;
}

static uint64_t client_random(void *user)
{
	return sim_random_next(&((sim_client *)user)->random);
}

static void *client_allocate(void *user, void *block, size_t old_size, size_t new_size)
{
	((sim_client *)user)->bytes += (long)new_size - (long)old_size;
	if (new_size == 0) {
		free(block);
		return NULL;
	}
	return realloc(block, new_size);
}

static void must(int error)
{
	if (error == LB_OK)
		return;
	fprintf(stderr, "sim: lbcore says: %s\n", lb_strerror(error));
	abort();
}

static void add_servers(sim_client *client, const sim_config *config)
{
	uint32_t n = config->servers;
	lb_endpoint_config *servers = calloc(n, sizeof *servers);
	char(*names)[12] = calloc(n, sizeof *names);

	if (!servers || !names)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		lb_endpoint_config_init(&servers[i], sizeof servers[i]);
		snprintf(names[i], sizeof names[i], "s%u", i);
		servers[i].name = names[i];
		servers[i].tag = i;
		servers[i].inflight_max = config->inflight_max;
	}
	must(lb_pool_sync(client->pool, servers, n));
	free(servers);
	free(names);
}

void sim_client_open(sim_client *client, const sim_config *config, const double *now, uint32_t number,
		     uint32_t tickets)
{
	lb_env env;
	lb_pool_config pool;
	lb_selector_config selector;

	memset(client, 0, sizeof *client);
	client->now = now;
	client->random = sim_random_of(config->seed, UINT64_C(0x10000) + number);
	lb_env_init(&env, sizeof env);
	env.user = client;
	env.now = client_now;
	env.random = client_random;
	env.allocate = client_allocate;
	lb_pool_config_init(&pool, sizeof pool);
	pool.endpoints_max = config->servers;
	pool.tickets_max = tickets;
	pool.lanes_max = config->lanes;
	pool.selectors_max = 1;
	pool.recent_max = 0;
	pool.breaker = NULL; /* the algorithms by themselves */
	must(lb_pool_create(&client->pool, &pool, &env));
	add_servers(client, config);
	lb_selector_config_init(&selector, sizeof selector);
	selector.algorithm = config->algorithm;
	selector.choices = config->choices;
	selector.random_start = 1;
	must(lb_selector_create(&client->selector, client->pool, &selector));
	for (uint32_t i = 0; i < config->lanes; i++)
		must(lb_pool_join(client->pool, i + 1, &client->lanes[i]));
}

void sim_client_close(sim_client *client)
{
	lb_selector_destroy(client->selector);
	must(lb_pool_destroy(client->pool));
	if (client->bytes != 0)
		abort();
}
