/* A pool and a selector that hashes, for the tests of rings, maps and their vectors. */
#ifndef HASHING_H
#define HASHING_H

#include "pool/view.h"
#include "select/selector.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

typedef struct hashing {
	world w;
	lb_pool *pool;
	lb_selector *selector;
} hashing;

static inline void hashing_open(hashing *h, uint32_t endpoints_max, lb_algorithm algorithm,
				lb_hash_profile profile, uint32_t table_size)
{
	lb_pool_config config;
	lb_selector_config selection;

	memset(h, 0, sizeof *h);
	h->w.now = 1000 * LB_SECONDS;
	lb_env env = world_env(&h->w);
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = endpoints_max;
	config.tickets_max = 64;
	config.lanes_max = 1;
	config.recent_max = 0;
	config.breaker = NULL;
	ck_ok(lb_pool_create(&h->pool, &config, &env));
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = algorithm;
	selection.hash_profile = profile;
	selection.table_size = table_size;
	selection.seed = 42;
	ck_ok(lb_selector_create(&h->selector, h->pool, &selection));
}

static inline void hashing_close(hashing *h)
{
	lb_selector_destroy(h->selector);
	ck_ok(lb_pool_destroy(h->pool));
	ck_assert_int_eq(h->w.blocks, 0);
}

static inline lb_endpoint hashing_add(hashing *h, const char *name, uint32_t weight)
{
	lb_endpoint endpoint;

	ck_ok(lb_pool_add(h->pool, name, "url", weight, &endpoint));
	return endpoint;
}

/* The name of the endpoint that a request with the key, as bits, goes to. */
static inline const char *hashing_owner_of_bits(hashing *h, uint64_t bits)
{
	static char name[64];
	lb_ticket ticket = {0};
	lb_request request = {.key = bits, .flags = LB_REQUEST_KEY};

	/* by the million: an assertion that holds costs a write */
	if (lb_select(h->selector, &request, &ticket) != LB_OK)
		ck_abort_msg("nobody");
	strncpy(name, ticket.name, sizeof name - 1);
	if (lb_report_result(h->selector, &ticket, LB_SUCCESS) != LB_OK)
		ck_abort_msg("not settled");
	return name;
}

static inline const char *hashing_owner(hashing *h, const char *key)
{
	return hashing_owner_of_bits(h, lb_selector_hash(h->selector, key, strlen(key)));
}

/* The size of the table of the tier at `place`; entry `i` if there is one. */
static inline uint32_t hashing_table(const hashing *h, uint32_t place, uint32_t i, lb_algo_entry *entry)
{
	lb_view_hold hold = lb_view_hold_now(h->pool);
	lb_tier tier = lb_view_tier_at(h->pool, &hold, place);

	return h->selector->algo->table(h->selector->state, &h->pool->shape, &tier, i, entry);
}

static inline const char *hashing_name(const hashing *h, uint32_t slot)
{
	return h->pool->about[slot].name;
}

#endif
