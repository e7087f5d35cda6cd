/* Creating and destroying a pool. */
#include "base/random.h"
#include "base/text.h"
#include "pool/config.h"
#include "pool/layout.h"

size_t lb_pool_size(const lb_pool_config *config)
{
	lb_pool_config taken;
	lb_circuit_rules rules = {0};

	if (lb_pool_config_take(&taken, &rules, config) != LB_OK)
		return 0;
	size_t size = lb_pool_layout_of(&taken, &rules).size;
	return size == SIZE_MAX ? 0 : size;
}

static size_t handle_size(uint32_t lanes, uint32_t selectors)
{
	return sizeof(lb_pool) + (size_t)lanes * sizeof(lb_lane) + selectors * sizeof(lb_tables);
}

static void take_rules(lb_pool *pool, const lb_pool_config *config, const lb_circuit_rules *rules)
{
	lb_text_store(pool->name, config->name, sizeof pool->name);
	pool->decay = lb_decay_of(config->decay);
	pool->ticket_timeout = config->ticket_timeout;
	pool->failure_latency = config->failure_latency;
	pool->breaker = *rules;
	pool->has_breaker = config->breaker != NULL;
	pool->initial_health = config->initial_health;
	pool->shares = (lb_shares_rules){config->overprovision_percent, config->panic_percent};
	pool->panic_fails = config->panic_fails != 0;
	pool->fail_mode = config->fail_mode;
	pool->zone = config->zone;
	pool->zone_endpoints_min = config->zone_endpoints_min;
	pool->has_ramp = config->ramp != NULL;
	if (config->ramp)
		pool->ramp = (lb_ramp_rules){config->ramp->window, config->ramp->curve_percent,
					     config->ramp->min_percent, config->ramp->successes};
	pool->endpoints_max = config->endpoints_max;
	pool->selectors_max = config->selectors_max;
	pool->recent_max = config->recent_max;
}

/* Gives a slot its first contents: free, and linked behind the one before it. */
static void format_slot(lb_pool *pool, uint32_t number)
{
	lb_slot *slot = &pool->slots[number];

	lb_put(&slot->life, LB_SLOT_FREE);
	lb_put(&slot->gates, LB_WHY_REMOVED);
	lb_put(&pool->about[number].later, number + 1 < pool->shape.slots ? number + 1 : LB_NO_SLOT);
	if (pool->has_breaker)
		lb_circuit_init(&pool->slots[number].circuit, lb_pool_cells(pool, number), &pool->breaker);
}

/* Fills a zeroed block. */
static void format(lb_pool *pool, lb_time now)
{
	lb_pool_header *header = pool->header;
	uint64_t seed = lb_env_seed(&pool->env, (uint64_t)(uintptr_t)pool);

	pool->nonce = (uint32_t)(lb_mix64(seed) & 0xffff);
	for (uint32_t slot = 0; slot < pool->shape.slots; slot++)
		format_slot(pool, slot);
	for (uint32_t bucket = 0; bucket <= pool->index_mask; bucket++)
		lb_put(&pool->index[bucket], LB_NO_SLOT);
	for (uint32_t number = 0; number < pool->lanes_n; number++) {
		lb_lane *lane = &pool->lanes[number];
		lane->mark = lb_lane_mark(pool, number);
		lb_put64(&lane->head->stream, lb_mix64(seed + number));
		lb_ledger_init(&lane->ledger, lb_mix64(seed ^ number));
	}
	lb_put(&header->oldest, LB_NO_SLOT);
	lb_put(&header->newest, LB_NO_SLOT);
	lb_put(&header->era, 1);
	lb_put64(&header->since, now);
	lb_put64(&header->trial_at, LB_NEVER);
}

static int make_block(lb_pool *pool, const lb_pool_config *config, const lb_pool_layout *layout)
{
	void *base = config->memory.base;

	if (layout->size == SIZE_MAX)
		return LB_ENOMEM;
	if (base) {
		if (config->memory.size < layout->size)
			return LB_ENOMEM;
		memset(base, 0, layout->size);
	} else {
		base = lb_env_alloc(&pool->env, layout->size);
		if (!base)
			return LB_ENOMEM;
		pool->memory = (lb_memory){base, layout->size};
	}
	lb_pool_lay_out(pool, layout, base);
	return LB_OK;
}

int lb_pool_create(lb_pool **out, const lb_pool_config *config, const lb_env *host)
{
	lb_pool_config taken;
	lb_circuit_rules rules = {0};
	lb_env env;

	if (!out)
		return LB_EINVAL;
	int error = lb_pool_config_take(&taken, &rules, config);
	if (error == LB_OK)
		error = lb_env_take(&env, host);
	if (error != LB_OK)
		return error;
	lb_pool_layout layout = lb_pool_layout_of(&taken, &rules);
	lb_pool *pool = lb_env_alloc(&env, handle_size(layout.shape.lanes, taken.selectors_max));
	if (!pool)
		return LB_ENOMEM;
	pool->env = env;
	pool->lanes = (lb_lane *)(pool + 1);
	pool->tables = (lb_tables *)(pool->lanes + layout.shape.lanes);
	take_rules(pool, &taken, &rules);
	error = make_block(pool, &taken, &layout);
	if (error != LB_OK) {
		lb_env_free(&env, pool, handle_size(layout.shape.lanes, taken.selectors_max));
		return error;
	}
	format(pool, lb_env_now(&env));
	*out = pool;
	return LB_OK;
}

int lb_pool_destroy(lb_pool *pool)
{
	if (!pool)
		return LB_EINVAL;
	if (pool->health || pool->failover || lb_pool_has_selectors(pool))
		return LB_EBUSY;
	lb_env env = pool->env;
	lb_env_free(&env, pool->memory.base, pool->memory.size);
	lb_env_free(&env, pool, handle_size(pool->lanes_n, pool->selectors_max));
	return LB_OK;
}

lb_time lb_pool_now(const lb_pool *pool)
{
	return pool ? lb_env_now(&pool->env) : 0;
}
