/* Creating and destroying selectors. */
#include "select/selector.h"

#include "base/random.h"
#include "pool/view.h"

#include <string.h>

void lb_selector_config_init(lb_selector_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config =
	    (lb_selector_config){.size = sizeof *config, .algorithm = LB_TWO_CHOICES, .random_start = 1};
}

/* A free place for a selector's state, or selectors_max. */
static uint32_t find_place(const lb_pool *pool)
{
	uint32_t place = 0;

	while (place < pool->selectors_max && lb_get(&pool->header->selectors[place]) != 0)
		place++;
	return place;
}

/* A seed starts the lanes' streams anew: with the same seed and the same calls come the same picks. */
static void seed_lanes(lb_pool *pool, uint64_t seed)
{
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		lb_put64(&pool->lanes[lane].head->stream, lb_mix64(seed + lane));
}

static int open_place(lb_selector *selector, const lb_selector_config *config)
{
	lb_pool *pool = selector->pool;
	lb_control control = lb_control_begin(pool);
	uint32_t place = find_place(pool);
	bool found = place < pool->selectors_max;

	if (found) {
		selector->index = place;
		selector->state = lb_pool_selector_state(pool, place);
		memset(selector->state, 0, pool->selector_stride);
		if (config->seed != 0)
			seed_lanes(pool, config->seed);
		lb_put(&pool->header->selectors[place], (uint32_t)config->algorithm + 1);
	}
	/* publishing builds the tables of all selectors, this one's too */
	lb_control_end(&control, found);
	return found ? LB_OK : LB_ELIMIT;
}

int lb_selector_create(lb_selector **out, lb_pool *pool, const lb_selector_config *config)
{
	lb_selector_config taken;

	if (!out || !pool)
		return LB_EINVAL;
	lb_selector_config_init(&taken, sizeof taken);
	if (config && config->size != sizeof *config)
		return LB_EVERSION;
	if (config)
		taken = *config;
	const lb_algo *algo = lb_algo_row(taken.algorithm);
	if (!algo || taken.random_start > 1)
		return LB_EINVAL;
	lb_selector *selector = lb_env_alloc(&pool->env, sizeof *selector);
	if (!selector)
		return LB_ENOMEM;
	*selector = (lb_selector){.pool = pool, .algo = algo, .random_start = taken.random_start != 0};
	int error = open_place(selector, &taken);
	if (error != LB_OK) {
		lb_env_free(&pool->env, selector, sizeof *selector);
		return error;
	}
	*out = selector;
	return LB_OK;
}

void lb_selector_destroy(lb_selector *selector)
{
	if (!selector)
		return;
	lb_pool *pool = selector->pool;
	lb_control control = lb_control_begin(pool);
	lb_put(&pool->header->selectors[selector->index], 0);
	lb_control_end(&control, false);
	lb_env_free(&pool->env, selector, sizeof *selector);
}
