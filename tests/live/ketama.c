/*
 * lbcore's ring beside libmemcached's weighted ketama: `ketama SEED`. Sets of servers with weights, on the usual port and on others,
 * 500 keys each; no network: libmemcached is only asked where a key belongs. Exits 3 when this lbcore lacks the ring.
 */
#include "live.h"

#include <libmemcached/memcached.h>
#include <string.h>

enum { SETS = 5, KEYS = 500, SERVERS_MAX = 12 };

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = lb_hash(&state, sizeof state, 1);
	return (uint32_t)(state >> 32) % below;
}

/* Adds the same servers to both; the usual port is left out of libmemcached's labels. */
static uint32_t add_servers(memcached_st *memcached, const live_pair *made, char names[][64], uint32_t set)
{
	uint32_t n = 1 + draw(SERVERS_MAX);

	for (uint32_t i = 0; i < n; i++) {
		char host[32];
		uint32_t port = set % 2 == 0 ? 11211 : 1024 + draw(60000);
		uint32_t weight = set == 0 ? 1 : 1 + draw(1000);
		snprintf(host, sizeof host, "10.0.1.%u", (unsigned)i + 1);
		snprintf(names[i], sizeof names[i], "%s:%u", host, (unsigned)port);
		if (memcached_server_add_with_weight(memcached, host, (in_port_t)port, weight) !=
			MEMCACHED_SUCCESS ||
		    lb_pool_add(made->pool, names[i], "", weight, NULL) != LB_OK)
			live_fail(names[i]);
	}
	return n;
}

static uint32_t compare(uint32_t set, uint32_t *servers)
{
	live_pair made;
	char names[SERVERS_MAX][64];
	uint32_t differ = 0;
	memcached_st *memcached = memcached_create(NULL);

	if (!memcached ||
	    memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1) != MEMCACHED_SUCCESS)
		live_fail("libmemcached");
	live_make(&made, LB_RING_HASH, LB_HASH_LIBMEMCACHED);
	*servers = add_servers(memcached, &made, names, set);
	for (int i = 0; i < KEYS; i++) {
		char key[32];
		snprintf(key, sizeof key, "%x/%x", (unsigned)draw(UINT32_MAX), (unsigned)draw(1000));
		uint32_t server = memcached_generate_hash(memcached, key, strlen(key));
		const char *picked = live_pick(&made, lb_selector_hash(made.selector, key, strlen(key)));
		if (server < *servers && strcmp(picked, names[server]) == 0)
			continue;
		if (differ++ < 3)
			printf("    %s: libmemcached %s, lbcore %s\n", key,
			       server < *servers ? names[server] : "none", picked);
	}
	live_free(&made);
	memcached_free(memcached);
	return differ;
}

int main(int argc, char **argv)
{
	bool same = true;

	if (argc != 2)
		return 2;
	state = lb_hash(argv[1], strlen(argv[1]), 0);
	for (uint32_t set = 0; set < SETS; set++) {
		uint32_t servers, differ = compare(set, &servers);
		printf("  libmemcached     %-8s %u of %d keys differ, %u servers, %s\n",
		       differ ? "DIFFERS" : "ok", (unsigned)differ, KEYS, (unsigned)servers,
		       set % 2 == 0 ? "usual port" : "other ports");
		same &= differ == 0;
	}
	return same ? 0 : 1;
}
