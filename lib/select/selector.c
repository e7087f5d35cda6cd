/* Creating and destroying selectors. */
#include "select/selector.h"

#include "base/random.h"
#include "pool/view.h"

#include <string.h>

void lb_selector_config_init(lb_selector_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config = (lb_selector_config){
	    .size = sizeof *config,
	    .algorithm = LB_TWO_CHOICES,
	    .random_start = 1,
	    .choices = 2,
	    .bias_percent = 100,
	    .first_latency = 10 * LB_MILLISECONDS,
	};
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
		pool->tables[place] = (lb_tables){selector->algo, &selector->rules, selector->state};
		if (config->seed != 0)
			seed_lanes(pool, config->seed);
		lb_put(&pool->header->selectors[place], (uint32_t)config->algorithm + 1);
		if ((selector->algo->traits & LB_ALGO_PEAKS) != 0)
			lb_add(&pool->header->peaks, 1);
	}
	/* publishing builds the tables of all selectors, this one's too */
	lb_control_end(&control, found);
	return found ? LB_OK : LB_ELIMIT;
}

static bool between(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

static bool knows_no_table(const lb_algo_rules *rules)
{
	return rules->profile == LB_HASH_LBCORE && rules->table_size == 0;
}

/* Checks a config; LB_OK with the algorithm's row and its rules, or an error. */
static int take_config(const lb_selector_config *config, const lb_algo **algo, lb_algo_rules *rules)
{
	*algo = lb_algo_row(config->algorithm);
	if (!*algo || config->random_start > 1 || (unsigned)config->hash_profile > LB_HASH_ENVOY)
		return LB_EINVAL;
	if (!between(config->choices, 2, LB_CHOICES_MAX) || config->bias_percent > LB_BIAS_MAX ||
	    !between(config->first_latency, 1, 10 * LB_SECONDS))
		return LB_EINVAL;
	bool bounded = config->bound_percent != 0;
	if (bounded && (((*algo)->traits & LB_ALGO_KEYED) == 0 || !between(config->bound_percent, 100, 1000)))
		return LB_EINVAL;
	*rules = (lb_algo_rules){
	    .profile = config->hash_profile,
	    .choices = config->choices,
	    .bias_percent = config->bias_percent,
	    .table_size = config->table_size,
	    .first_latency = config->first_latency,
	    .random_start = config->random_start != 0,
	};
	return ((*algo)->accepts ? (*algo)->accepts : knows_no_table)(rules) ? LB_OK : LB_EINVAL;
}

/* The handle, with room for the algorithm's state behind it; NULL = no memory. */
static lb_selector *allocate(lb_pool *pool, const lb_algo *algo, const lb_algo_rules *rules)
{
	size_t state = algo->size(&pool->shape, rules);
	size_t head = sizeof(lb_selector) + LB_LINE;

	if (state > SIZE_MAX - head)
		return NULL;
	lb_selector *selector = lb_env_alloc(&pool->env, head + state);
	if (!selector)
		return NULL;
	uintptr_t misfit = (uintptr_t)(selector + 1) % LB_LINE;
	*selector = (lb_selector){
	    .pool = pool,
	    .algo = algo,
	    .rules = *rules,
	    .state = lb_at(selector + 1, misfit == 0 ? 0 : LB_LINE - misfit),
	    .size = head + state,
	};
	return selector;
}

int lb_selector_create(lb_selector **out, lb_pool *pool, const lb_selector_config *config)
{
	lb_selector_config taken;
	const lb_algo *algo;
	lb_algo_rules rules;

	if (!out || !pool)
		return LB_EINVAL;
	lb_selector_config_init(&taken, sizeof taken);
	if (config && config->size != sizeof *config)
		return LB_EVERSION;
	if (config)
		taken = *config;
	int error = take_config(&taken, &algo, &rules);
	if (error != LB_OK)
		return error;
	lb_selector *selector = allocate(pool, algo, &rules);
	if (!selector)
		return LB_ENOMEM;
	selector->pick = algo->pick;
	selector->bound_percent = taken.bound_percent;
	selector->keyed = (algo->traits & LB_ALGO_KEYED) != 0;
	selector->plain = taken.bound_percent == 0 && !(pool->has_ramp && selector->keyed) &&
			  (algo->traits & LB_ALGO_LEVELS) == 0;
	error = open_place(selector, &taken);
	if (error != LB_OK) {
		lb_env_free(&pool->env, selector, selector->size);
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
	pool->tables[selector->index] = (lb_tables){0};
	if ((selector->algo->traits & LB_ALGO_PEAKS) != 0)
		lb_sub(&pool->header->peaks, 1);
	lb_control_end(&control, false);
	lb_env_free(&pool->env, selector, selector->size);
}

uint64_t lb_selector_hash(const lb_selector *selector, const void *key, size_t length)
{
	if (!selector || (!key && length > 0))
		return 0;
	const lb_algo *algo = selector->algo;
	return algo->hash ? algo->hash(&selector->rules, key, length) : lb_hash(key, length, 0);
}
