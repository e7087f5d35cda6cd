/* The health checker: the handle, and what the answers of probes do. What checks found is the endpoint's, in its slot. */
#include "ops/health.h"

#include "base/span.h"
#include "pool/chain.h"

#define DAY (UINT64_C(86400) * LB_SECONDS)

void lb_health_config_init(lb_health_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config = (lb_health_config){
	    .size = sizeof *config,
	    .interval = 5 * LB_SECONDS,
	    .interval_down = LB_SECONDS,
	    .timeout = 2 * LB_SECONDS,
	    .rise = 2,
	    .fall = 3,
	    .jitter_percent = 10,
	    .parallel_max = 16,
	};
}

void lb_transport_init(lb_transport *transport, size_t size)
{
	if (transport && size == sizeof *transport)
		*transport = (lb_transport){.size = sizeof *transport};
}

static bool between(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

static int take_config(lb_health_config *out, const lb_health_config *config)
{
	lb_health_config_init(out, sizeof *out);
	if (config && config->size != sizeof *config)
		return LB_EVERSION;
	if (config)
		*out = *config;
	if (!between(out->interval, LB_MILLISECONDS, DAY) ||
	    !between(out->interval_down, LB_MILLISECONDS, DAY) || !between(out->timeout, 1, DAY) ||
	    out->rise == 0 || out->fall == 0 || out->jitter_percent > 100 || out->parallel_max == 0)
		return LB_EINVAL;
	return LB_OK;
}

static lb_health *allocate(lb_pool *pool, const lb_health_config *rules)
{
	uint32_t slots = pool->shape.slots;
	uint32_t flights = rules->parallel_max < slots ? rules->parallel_max : slots;
	size_t schedules_at = (sizeof(lb_health) + LB_LINE - 1) & ~(size_t)(LB_LINE - 1);
	size_t flights_at = schedules_at + slots * sizeof(lb_schedule);
	size_t size = flights_at + flights * sizeof(lb_flight);
	lb_health *health = lb_env_alloc(&pool->env, size);

	if (!health)
		return NULL;
	health->pool = pool;
	health->rules = *rules;
	health->size = size;
	health->schedules = lb_at(health, schedules_at);
	health->flights = lb_at(health, flights_at);
	health->flights_max = flights;
	health->looked = lb_env_now(&pool->env);
	lb_put64(&health->stream, lb_env_seed(&pool->env, (uint64_t)(uintptr_t)health));
	health->random = (lb_random){&health->stream, pool->env.random, pool->env.user};
	return health;
}

int lb_health_create(lb_health **out, lb_pool *pool, const lb_health_config *config,
		     const lb_transport *transport)
{
	lb_health_config rules;

	if (!out || !pool || !transport)
		return LB_EINVAL;
	int error = take_config(&rules, config);
	if (error != LB_OK)
		return error;
	if (transport->size != sizeof *transport)
		return LB_EVERSION;
	if (!transport->probe_start)
		return LB_EINVAL;
	lb_health *health = allocate(pool, &rules);
	if (!health)
		return LB_ENOMEM;
	health->transport = *transport;
	lb_control control = lb_control_begin(pool);
	bool first = pool->health == NULL;
	if (first)
		pool->health = health;
	lb_control_end(&control, false);
	if (!first) {
		lb_env_free(&pool->env, health, health->size);
		return LB_EEXIST;
	}
	*out = health;
	return LB_OK;
}

void lb_health_cancel(const lb_health *health, const lb_flight *flight, lb_probe probe)
{
	if (health->transport.probe_cancel)
		health->transport.probe_cancel(health->transport.user, probe, flight->mine);
}

int lb_health_destroy(lb_health *health)
{
	if (!health)
		return LB_EINVAL;
	lb_pool *pool = health->pool;
	lb_control control = lb_control_begin(pool);
	pool->health = NULL;
	lb_control_end(&control, false);
	for (uint32_t i = 0; i < health->flights_max; i++)
		if (health->flights[i].number != 0)
			lb_health_cancel(health, &health->flights[i],
					 lb_flight_probe(health, &health->flights[i]));
	lb_env_free(&pool->env, health, health->size);
	return LB_OK;
}

void lb_health_land(lb_health *health, lb_flight *flight, lb_time now)
{
	lb_schedule *schedule = &health->schedules[lb_endpoint_slot(flight->endpoint)];

	if (schedule->generation == flight->endpoint >> 32) {
		schedule->probing = false;
		schedule->due = lb_time_after(now, health->rules.interval_down);
	}
	flight->number = 0;
	lb_sub(&health->flying, 1);
}

/* Writes when the endpoint is due again, now that its status is known. */
static void reschedule(lb_health *health, lb_endpoint endpoint, lb_time due)
{
	uint32_t holding = lb_health_lock(health);
	lb_schedule *schedule = &health->schedules[lb_endpoint_slot(endpoint)];

	if (schedule->generation == endpoint >> 32 && !schedule->probing)
		schedule->due = due;
	lb_lease_end(&health->lock, holding);
}

/* Counts a check in its slot. Under control. Returns the status that follows. */
static lb_health_status count(const lb_health *health, lb_slot *slot, lb_finding finding, lb_time now)
{
	bool passed = finding != LB_FOUND_BAD;

	lb_put(&slot->checks_passed, passed ? lb_get(&slot->checks_passed) + 1 : 0);
	lb_put(&slot->checks_failed, passed ? 0 : lb_get(&slot->checks_failed) + 1);
	lb_put64(&slot->checked, now);
	return lb_probe_status(&health->rules, (lb_health_status)lb_get(&slot->health), finding,
			       lb_get(&slot->checks_passed), lb_get(&slot->checks_failed));
}

int lb_health_apply(lb_health *health, lb_endpoint endpoint, lb_finding finding)
{
	lb_pool *pool = health->pool;

	if (finding == LB_FOUND_NOTHING)
		return LB_OK;
	/* drawn here, for it may be a hook, and hooks run outside of all locks */
	uint32_t random = (uint32_t)(lb_random_next(&health->random) >> 32);
	lb_control control = lb_control_begin(pool);
	uint32_t number = lb_pool_slot(pool, endpoint, false);
	bool changed = false;
	lb_time due = 0;
	if (number != LB_NO_SLOT) {
		lb_slot *slot = &pool->slots[number];
		lb_health_status status = count(health, slot, finding, control.now);
		changed = (uint32_t)status != lb_get(&slot->health);
		lb_pool_put_health(&control, number, status);
		lb_chains_checked(pool, number, finding != LB_FOUND_BAD, control.now);
		due = lb_time_after(control.now,
				    lb_probe_pause(&health->rules, status, lb_get(&slot->checks_passed),
						   lb_get(&slot->checks_failed), random));
	}
	lb_control_end(&control, changed || lb_get(&pool->header->dirty) != 0);
	if (number == LB_NO_SLOT)
		return LB_ESTALE;
	reschedule(health, endpoint, due);
	return LB_OK;
}

int lb_health_done(lb_health *health, lb_probe probe, lb_result result, lb_health_status says,
		   lb_span latency)
{
	if (!health || (unsigned)result > LB_LOCAL || (unsigned)says > LB_UNHEALTHY)
		return LB_EINVAL;
	uint32_t index = (uint32_t)probe.id, number = (uint32_t)(probe.id >> 32);
	if (number == 0 || index >= health->flights_max)
		return LB_ESTALE;
	lb_time now = lb_env_now(&health->pool->env);
	uint32_t holding = lb_health_lock(health);
	lb_flight flight = health->flights[index];
	/* behind its deadline it is late, whether a tick came by or not: the next one times it out */
	bool in_time = flight.number == number && now < flight.deadline;
	if (in_time)
		lb_health_land(health, &health->flights[index], now);
	lb_lease_end(&health->lock, holding);
	if (!in_time)
		return LB_ESTALE;
	if (latency == 0)
		latency = lb_time_since(now, flight.started);
	return lb_health_apply(health, flight.endpoint,
			       lb_probe_finding(&health->rules, result, says, latency));
}

int lb_health_summary(const lb_health *health, lb_health_counts *counts, size_t size)
{
	if (!health || !counts)
		return LB_EINVAL;
	if (size != sizeof *counts)
		return LB_EVERSION;
	const lb_pool *pool = health->pool;
	uint32_t by_status[LB_UNHEALTHY + 1] = {0};
	for (uint32_t number = 0; number < lb_get_acquire(&pool->header->slots_used); number++)
		if (lb_get_acquire(&pool->slots[number].life) == LB_SLOT_LIVE)
			by_status[lb_get(&pool->slots[number].health) & 3]++;
	*counts = (lb_health_counts){
	    .healthy = by_status[LB_HEALTHY],
	    .degraded = by_status[LB_DEGRADED],
	    .unhealthy = by_status[LB_UNHEALTHY],
	    .unknown = by_status[LB_UNKNOWN],
	    .total = by_status[0] + by_status[1] + by_status[2] + by_status[3],
	    .probes_in_flight = lb_get(&health->flying),
	};
	return LB_OK;
}
