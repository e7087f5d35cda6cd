/*
 * The health checker: a schedule of probes over the pool's endpoints, and what their answers do.
 *
 * The schedule is this handle's, under a lock of its own that is held neither while a hook runs nor together with the
 * pool's lease. What checks found (status, counts in a row) is the endpoint's, in its slot.
 */
#include "base/random.h"
#include "base/span.h"
#include "base/text.h"
#include "core/probe.h"
#include "pool/chain.h"
#include "pool/events.h"

#define DAY (UINT64_C(86400) * LB_SECONDS)
#define TICK_MAX LB_SECONDS

/* When an endpoint is probed next. */
typedef struct lb_schedule {
	uint32_t generation; /* of the endpoint that this is about; 0 = none yet */
	bool probing;
	lb_time due;
} lb_schedule;

/* A probe in flight. */
typedef struct lb_flight {
	uint32_t number; /* of the probe; 0 = free */
	bool starting;   /* probe_start is being called: not to be timed out yet */
	lb_endpoint endpoint;
	lb_time started, deadline;
	void *mine;
} lb_flight;

struct lb_health {
	lb_pool *pool;
	lb_health_config rules;
	lb_transport transport;
	size_t size;
	lb_lease lock; /* of all below */
	lb_random random;
	lb_atomic64 stream;
	lb_schedule *schedules; /* by slot */
	lb_flight *flights;
	uint32_t flights_max;
	lb_atomic32 flying;
	uint32_t numbers; /* the last probe's */
	uint32_t next;    /* slot to begin looking for due probes with: whoever waited longest */
};

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
	lb_put64(&health->stream, lb_env_seed(&pool->env, (uint64_t)(uintptr_t)health));
	health->random = (lb_random){&health->stream, true, pool->env.random, pool->env.user};
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

static lb_probe probe_of(const lb_health *health, const lb_flight *flight)
{
	return (lb_probe){(uint64_t)flight->number << 32 | (uint32_t)(flight - health->flights)};
}

static void cancel(const lb_health *health, const lb_flight *flight, lb_probe probe)
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
			cancel(health, &health->flights[i], probe_of(health, &health->flights[i]));
	lb_env_free(&pool->env, health, health->size);
	return LB_OK;
}

static uint32_t slot_of(lb_endpoint endpoint)
{
	return (uint32_t)(endpoint >> 16) & 0xffff;
}

static uint32_t random32(const lb_health *health)
{
	return (uint32_t)(lb_random_next(&health->random) >> 32);
}

/* Ends a flight: its endpoint may be probed again after a while. Under the lock. */
static void land(lb_health *health, lb_flight *flight, lb_time now)
{
	lb_schedule *schedule = &health->schedules[slot_of(flight->endpoint)];

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
	uint32_t holding = lb_lease_begin(&health->lock, &health->pool->env);
	lb_schedule *schedule = &health->schedules[slot_of(endpoint)];

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

/* Lets the pool know what a check found. LB_ESTALE if the endpoint is gone. */
static int apply(lb_health *health, lb_endpoint endpoint, lb_finding finding)
{
	lb_pool *pool = health->pool;

	if (finding == LB_FOUND_NOTHING)
		return LB_OK;
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
						   lb_get(&slot->checks_failed), random32(health)));
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
	uint32_t holding = lb_lease_begin(&health->lock, &health->pool->env);
	lb_flight flight = health->flights[index];
	if (flight.number == number)
		land(health, &health->flights[index], now);
	lb_lease_end(&health->lock, holding);
	if (flight.number != number)
		return LB_ESTALE;
	if (latency == 0)
		latency = lb_time_since(now, flight.started);
	return apply(health, flight.endpoint, lb_probe_finding(&health->rules, result, says, latency));
}

/* Is the flight over: too late, or its endpoint gone? A clock that stepped back gives it its whole time again. */
static bool flight_over(const lb_health *health, lb_flight *flight, lb_time now)
{
	if (flight->number == 0 || flight->starting)
		return false;
	if (lb_pool_slot(health->pool, flight->endpoint, false) == LB_NO_SLOT)
		return true;
	if (flight->deadline > now && flight->deadline - now > health->rules.timeout)
		flight->deadline = lb_time_after(now, health->rules.timeout);
	return now >= flight->deadline;
}

/* Ends one flight that is over. Returns false if there is none. */
static bool time_out_one(lb_health *health, lb_time now)
{
	uint32_t holding = lb_lease_begin(&health->lock, &health->pool->env);
	lb_flight over = {0};
	lb_probe probe = {0};

	for (uint32_t i = 0; i < health->flights_max && over.number == 0; i++) {
		if (!flight_over(health, &health->flights[i], now))
			continue;
		over = health->flights[i];
		probe = probe_of(health, &health->flights[i]);
		land(health, &health->flights[i], now);
	}
	lb_lease_end(&health->lock, holding);
	if (over.number == 0)
		return false;
	cancel(health, &over, probe);
	apply(health, over.endpoint, LB_FOUND_BAD);
	return true;
}

/* The schedule of the endpoint that is in a slot now: a new one begins at a random moment of its first interval. */
static lb_schedule *schedule_of(lb_health *health, uint32_t number, lb_endpoint endpoint, lb_time now)
{
	lb_schedule *schedule = &health->schedules[number];
	lb_span reach = 2 * lb_max64(health->rules.interval, health->rules.interval_down);

	if (schedule->generation != endpoint >> 32) {
		lb_span spread = lb_below64(lb_random_next(&health->random), health->rules.interval);
		*schedule = (lb_schedule){
		    .generation = (uint32_t)(endpoint >> 32),
		    .due = lb_time_after(now, spread),
		};
	}
	/* a due time beyond any interval comes of a clock that stepped back */
	if (schedule->due > now && schedule->due - now > reach)
		schedule->due = now;
	return schedule;
}

/* The endpoint in a slot if it is to be probed at all. */
static lb_endpoint probed(const lb_pool *pool, uint32_t number)
{
	const lb_slot *slot = &pool->slots[number];

	if (lb_get_acquire(&slot->life) != LB_SLOT_LIVE || lb_get(&slot->admin) == LB_ADMIN_DOWN)
		return LB_NO_ENDPOINT;
	return lb_pool_id_of(pool, number);
}

/* Finds a due endpoint, from the one on that waited longest. Under the lock. LB_NO_ENDPOINT if none is due. */
static lb_endpoint find_due(lb_health *health, lb_time now)
{
	uint32_t slots = lb_get_acquire(&health->pool->header->slots_used);

	for (uint32_t steps = 0; steps < slots; steps++) {
		uint32_t number = health->next < slots ? health->next : 0;
		health->next = number + 1;
		lb_endpoint endpoint = probed(health->pool, number);
		if (endpoint == LB_NO_ENDPOINT)
			continue;
		const lb_schedule *schedule = schedule_of(health, number, endpoint, now);
		if (!schedule->probing && schedule->due <= now)
			return endpoint;
	}
	return LB_NO_ENDPOINT;
}

/* Takes a free flight for an endpoint. Under the lock; there is one. */
static uint32_t take_off(lb_health *health, lb_endpoint endpoint, lb_time now)
{
	uint32_t index = 0;

	while (health->flights[index].number != 0)
		index++;
	if (++health->numbers == 0)
		health->numbers = 1;
	health->flights[index] = (lb_flight){
	    .number = health->numbers,
	    .starting = true,
	    .endpoint = endpoint,
	    .started = now,
	    .deadline = lb_time_after(now, health->rules.timeout),
	};
	health->schedules[slot_of(endpoint)].probing = true;
	lb_add(&health->flying, 1);
	return index;
}

/* Calls the host. No lock is held; name and url are copies, the slot may change hands meanwhile. */
static int call_probe_start(lb_health *health, lb_probe probe, const lb_flight *flight, void **mine)
{
	const lb_slot *slot = &health->pool->slots[slot_of(flight->endpoint)];
	char name[LB_NAME_MAX + 1], url[LB_URL_MAX + 1];
	lb_probe_request request = {
	    .probe = probe,
	    .endpoint = flight->endpoint,
	    .tag = lb_get64(&slot->tag),
	    .name = name,
	    .url = url,
	    .deadline = flight->deadline,
	};

	lb_text_load(name, slot->name, sizeof name);
	lb_text_load(url, slot->url, sizeof url);
	return health->transport.probe_start(health->transport.user, &request, mine);
}

/* What follows the host's answer, unless the probe was done (or its place taken) inside of probe_start. */
static void note_start(lb_health *health, uint32_t index, uint32_t number, int error, void *mine, lb_time now)
{
	uint32_t holding = lb_lease_begin(&health->lock, &health->pool->env);
	lb_flight *flight = &health->flights[index];

	if (flight->number == number) {
		flight->starting = false;
		flight->mine = mine;
		if (error != 0)
			land(health, flight, now);
	}
	lb_lease_end(&health->lock, holding);
}

/* Starts one probe that is due. Returns false if none is, or too many are in flight. */
static bool start_one(lb_health *health, lb_time now)
{
	uint32_t holding = lb_lease_begin(&health->lock, &health->pool->env);
	bool room = lb_get(&health->flying) < health->flights_max;
	lb_endpoint endpoint = room ? find_due(health, now) : LB_NO_ENDPOINT;
	uint32_t index = endpoint != LB_NO_ENDPOINT ? take_off(health, endpoint, now) : 0;
	lb_flight flight = health->flights[index];

	lb_lease_end(&health->lock, holding);
	if (endpoint == LB_NO_ENDPOINT)
		return false;
	lb_probe probe = {(uint64_t)flight.number << 32 | index};
	void *mine = NULL;
	int error = call_probe_start(health, probe, &flight, &mine);
	note_start(health, index, flight.number, error, mine, now);
	return true;
}

/* When something is due next; what waits for a free place in the air is not. */
static lb_time next_deadline(lb_health *health, lb_time now)
{
	uint32_t holding = lb_lease_begin(&health->lock, &health->pool->env);
	lb_time next = lb_time_after(now, TICK_MAX);
	bool room = lb_get(&health->flying) < health->flights_max;

	for (uint32_t i = 0; i < health->flights_max; i++)
		if (health->flights[i].number != 0)
			next = lb_min64(next, health->flights[i].deadline);
	for (uint32_t number = 0; room && number < lb_get(&health->pool->header->slots_used); number++) {
		lb_endpoint endpoint = probed(health->pool, number);
		if (endpoint == LB_NO_ENDPOINT)
			continue;
		const lb_schedule *schedule = schedule_of(health, number, endpoint, now);
		if (!schedule->probing)
			next = lb_min64(next, schedule->due);
	}
	lb_lease_end(&health->lock, holding);
	return next;
}

lb_time lb_health_tick(lb_health *health)
{
	if (!health)
		return LB_NEVER;
	lb_time now = lb_env_now(&health->pool->env);
	/* bounded: each round ends one flight or starts one probe, and what it touched is not due again at `now` */
	uint32_t rounds = 2 * health->pool->shape.slots;
	while (rounds > 0 && time_out_one(health, now))
		rounds--;
	while (rounds > 0 && start_one(health, now))
		rounds--;
	return next_deadline(health, now);
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
