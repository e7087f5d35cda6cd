/* The public calls that add, remove, change, find and show endpoints. */
#include "base/text.h"
#include "pool/config.h"
#include "pool/events.h"
#include "pool/index.h"
#include "pool/ramps.h"
#include "pool/slots.h"

int lb_pool_add_endpoint(lb_pool *pool, const lb_endpoint_config *config, lb_endpoint *endpoint)
{
	if (!pool)
		return LB_EINVAL;
	int error = lb_endpoint_config_check(config);
	if (error != LB_OK)
		return error;
	lb_control control = lb_control_begin(pool);
	if (lb_index_find(pool, config->name) != LB_NO_SLOT)
		error = LB_EEXIST;
	else if (lb_get(&pool->header->live) == pool->endpoints_max || lb_slots_spare(&control, 1) == 0)
		error = LB_ELIMIT;
	lb_endpoint added =
	    error == LB_OK ? lb_pool_id_of(pool, lb_slots_take(&control, config)) : LB_NO_ENDPOINT;
	lb_control_end(&control, error == LB_OK);
	if (error == LB_OK && endpoint)
		*endpoint = added;
	return error;
}

int lb_pool_add(lb_pool *pool, const char *name, const char *url, uint32_t weight, lb_endpoint *endpoint)
{
	lb_endpoint_config config;

	lb_endpoint_config_init(&config, sizeof config);
	config.name = name;
	config.url = url;
	config.weight = weight;
	return lb_pool_add_endpoint(pool, &config, endpoint);
}

int lb_pool_remove(lb_pool *pool, lb_endpoint endpoint)
{
	if (!pool)
		return LB_EINVAL;
	lb_control control = lb_control_begin(pool);
	uint32_t slot = lb_pool_slot(pool, endpoint, false);
	if (slot != LB_NO_SLOT)
		lb_slots_leave(&control, slot);
	lb_control_end(&control, slot != LB_NO_SLOT);
	return slot == LB_NO_SLOT ? LB_ENOENT : LB_OK;
}

/* An update may repeat name and url, but not change them: that would be another endpoint. */
static bool same_identity(const lb_about *about, const lb_endpoint_config *config)
{
	if (config->name && !lb_text_same(about->name, config->name, sizeof about->name))
		return false;
	return !config->url || lb_text_same(about->url, config->url, sizeof about->url);
}

int lb_pool_update(lb_pool *pool, lb_endpoint endpoint, const lb_endpoint_config *config)
{
	if (!pool || !config)
		return LB_EINVAL;
	lb_endpoint_config checked = *config;
	if (config->size == sizeof *config && !config->name)
		checked.name = "unchanged";
	int error = lb_endpoint_config_check(&checked);
	if (error != LB_OK)
		return error;
	lb_control control = lb_control_begin(pool);
	uint32_t slot = lb_pool_slot(pool, endpoint, false);
	if (slot == LB_NO_SLOT)
		error = LB_ENOENT;
	else if (!same_identity(&pool->about[slot], config))
		error = LB_EINVAL;
	else
		lb_slots_update(&control, slot, config);
	lb_control_end(&control, error == LB_OK);
	return error;
}

int lb_pool_find(const lb_pool *pool, const char *name, lb_endpoint *endpoint)
{
	if (!pool || !endpoint || !lb_text_valid(name, 1, LB_NAME_MAX))
		return LB_EINVAL;
	for (;;) {
		uint32_t slot = lb_index_find(pool, name);
		if (slot == LB_NO_SLOT)
			return LB_ENOENT;
		/* between the look into the index and this one the slot may have been given away: then look again */
		lb_endpoint found = lb_pool_id_of(pool, slot);
		if (lb_pool_slot(pool, found, false) != LB_NO_SLOT &&
		    lb_text_same(pool->about[slot].name, name, sizeof pool->about[slot].name)) {
			*endpoint = found;
			return LB_OK;
		}
	}
}

lb_endpoint lb_pool_next(const lb_pool *pool, lb_endpoint after)
{
	if (!pool)
		return LB_NO_ENDPOINT;
	uint32_t slot = after == LB_NO_ENDPOINT ? 0 : lb_endpoint_slot(after) + 1;
	for (; slot < pool->shape.slots; slot++)
		if (lb_get_acquire(&pool->slots[slot].life) == LB_SLOT_LIVE)
			return lb_pool_id_of(pool, slot);
	return LB_NO_ENDPOINT;
}

static lb_breaker_state breaker_state(const lb_pool *pool, uint32_t slot)
{
	if (!pool->has_breaker)
		return LB_BREAKER_CLOSED;
	return lb_circuit_state(&pool->slots[slot].circuit, &pool->breaker, lb_env_now(&pool->env), NULL);
}

static void show(const lb_pool *pool, uint32_t number, lb_endpoint_info *info)
{
	const lb_slot *slot = &pool->slots[number];
	uint32_t weight = lb_get(&pool->weights[number]);

	*info = (lb_endpoint_info){
	    .tag = lb_get64(&slot->tag),
	    .weight = weight,
	    .weight_now = lb_ramps_weight(pool, number),
	    .priority = lb_get(&slot->priority),
	    .zone = lb_get(&slot->zone),
	    .inflight = lb_pool_inflight(pool, number),
	    .inflight_max = lb_get(&slot->inflight_max),
	    .admin = (lb_admin)lb_get(&slot->admin),
	    .health = (lb_health_status)lb_get(&slot->health),
	    .breaker = breaker_state(pool, number),
	    .why = lb_pool_why(pool, number),
	    .consecutive_failures = lb_get(&slot->checks_failed),
	    .consecutive_successes = lb_get(&slot->checks_passed),
	    .last_check = lb_get64(&slot->checked),
	};
	lb_text_load(info->name, pool->about[number].name, sizeof info->name);
	lb_text_load(info->url, pool->about[number].url, sizeof info->url);
}

int lb_pool_info(const lb_pool *pool, lb_endpoint endpoint, lb_endpoint_info *info, size_t size)
{
	lb_endpoint_info shown;

	if (!pool || !info)
		return LB_EINVAL;
	if (size != sizeof *info)
		return LB_EVERSION;
	uint32_t slot = lb_pool_slot(pool, endpoint, true);
	if (slot == LB_NO_SLOT)
		return LB_ENOENT;
	show(pool, slot, &shown);
	shown.endpoint = endpoint;
	/* still the same endpoint? Else what was copied may be half another's */
	if (lb_pool_slot(pool, endpoint, true) == LB_NO_SLOT)
		return LB_ENOENT;
	*info = shown;
	return LB_OK;
}
