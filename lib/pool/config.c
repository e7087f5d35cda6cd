/* Defaults and checks of the pool's and the endpoints' configs. */
#include "pool/config.h"

#include "base/text.h"

void lb_pool_config_init(lb_pool_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config = (lb_pool_config){
	    .size = sizeof *config,
	    .name = "pool",
	    .endpoints_max = 256,
	    .tickets_max = 8192,
	    .lanes_max = 8,
	    .selectors_max = 4,
	    .recent_max = 1000,
	    .ticket_timeout = 600 * LB_SECONDS,
	    .decay = 10 * LB_SECONDS,
	    .failure_latency = LB_SECONDS,
	    .initial_health = LB_HEALTHY,
	    .overprovision_percent = 140,
	    .zone_endpoints_min = 6,
	    .breaker = &lb_breaker_defaults,
	};
}

void lb_endpoint_config_init(lb_endpoint_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config = (lb_endpoint_config){.size = sizeof *config, .weight = 1};
}

void lb_ramp_config_init(lb_ramp_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config = (lb_ramp_config){
	    .size = sizeof *config, .window = 30 * LB_SECONDS, .curve_percent = 100, .min_percent = 10};
}

int lb_endpoint_config_from(lb_endpoint_config *config, size_t size, const lb_endpoint_info *info)
{
	if (!config || !info)
		return LB_EINVAL;
	if (size != sizeof *config)
		return LB_EVERSION;
	*config = (lb_endpoint_config){
	    .size = sizeof *config,
	    .name = info->name,
	    .url = info->url,
	    .tag = info->tag,
	    .weight = info->weight,
	    .priority = info->priority,
	    .zone = info->zone,
	    .inflight_max = info->inflight_max,
	};
	return LB_OK;
}

static bool between(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

static bool capacities_valid(const lb_pool_config *config)
{
	return between(config->endpoints_max, 1, LB_ENDPOINTS_MAX) &&
	       between(config->tickets_max, 1, LB_TICKETS_MAX) && config->lanes_max <= LB_LANES_MAX &&
	       between(config->selectors_max, 1, LB_SELECTORS_MAX) && config->recent_max <= LB_RECENT_MAX;
}

static bool rules_valid(const lb_pool_config *config)
{
	return config->ticket_timeout > 0 &&
	       between(config->decay, LB_MICROSECONDS, UINT64_C(86400) * LB_SECONDS) &&
	       between(config->failure_latency, 1, 10 * LB_SECONDS) &&
	       (unsigned)config->initial_health <= LB_UNHEALTHY && config->panic_percent <= 100 &&
	       config->panic_fails <= 1 && (unsigned)config->fail_mode <= LB_FAIL_LAST_GOOD &&
	       between(config->overprovision_percent, 100, 1000);
}

static int check_ramp(const lb_ramp_config *ramp)
{
	if (!ramp)
		return LB_OK;
	if (ramp->size != sizeof *ramp)
		return LB_EVERSION;
	bool valid = between(ramp->window, LB_MICROSECONDS, UINT64_C(86400) * LB_SECONDS) &&
		     between(ramp->curve_percent, 1, 1000) && between(ramp->min_percent, 1, 100) &&
		     ramp->successes <= UINT32_C(1) << 20;
	return valid ? LB_OK : LB_EINVAL;
}

int lb_pool_config_take(lb_pool_config *out, lb_circuit_rules *rules, const lb_pool_config *config)
{
	lb_pool_config_init(out, sizeof *out);
	if (config && config->size != sizeof *config)
		return LB_EVERSION;
	if (config)
		*out = *config;
	if (!lb_text_valid(out->name, 1, LB_NAME_MAX) || !capacities_valid(out) || !rules_valid(out))
		return LB_EINVAL;
	if (!out->memory.base != (out->memory.size == 0))
		return LB_EINVAL;
	int error = check_ramp(out->ramp);
	if (error != LB_OK)
		return error;
	return out->breaker ? lb_circuit_rules_from(rules, out->breaker) : LB_OK;
}

int lb_endpoint_config_check(const lb_endpoint_config *config)
{
	if (!config)
		return LB_EINVAL;
	if (config->size != sizeof *config)
		return LB_EVERSION;
	if (!lb_text_valid(config->name, 1, LB_NAME_MAX))
		return LB_EINVAL;
	if (config->url && !lb_text_valid(config->url, 0, LB_URL_MAX))
		return LB_EINVAL;
	if (config->weight > LB_WEIGHT_MAX || config->priority > LB_PRIORITY_MAX)
		return LB_EINVAL;
	return LB_OK;
}
