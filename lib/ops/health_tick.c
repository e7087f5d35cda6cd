/* The health checker's tick: times probes out, starts those that are due. */
#include "base/span.h"
#include "base/text.h"
#include "ops/health.h"

#define TICK_MAX LB_SECONDS
#define BACKLOG_PAUSE (10 * LB_MILLISECONDS)

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
	uint32_t holding = lb_health_lock(health);
	lb_flight over = {0};
	lb_probe probe = {0};

	for (uint32_t i = 0; i < health->flights_max && over.number == 0; i++) {
		if (!flight_over(health, &health->flights[i], now))
			continue;
		over = health->flights[i];
		probe = lb_flight_probe(health, &health->flights[i]);
		lb_health_land(health, &health->flights[i], now);
	}
	lb_lease_end(&health->lock, holding);
	if (over.number == 0)
		return false;
	lb_health_cancel(health, &over, probe);
	lb_health_apply(health, over.endpoint, LB_FOUND_BAD);
	return true;
}

/*
 * A look at the schedule. The random number is drawn before the lock is taken (it may be a hook); all endpoints that are new
 * in this look make theirs of it.
 */
typedef struct lb_look {
	lb_time now;
	uint64_t random;
} lb_look;

static lb_look look_now(const lb_health *health, lb_time now)
{
	return (lb_look){now, lb_random_next(&health->random)};
}

/*
 * The schedule of the endpoint that is in a slot now. A new one begins at a random moment of its first interval, which began
 * when all were last looked at: a host that ticks late finds what is due then, not only in another interval.
 */
static lb_schedule *schedule_of(lb_health *health, uint32_t number, lb_endpoint endpoint, const lb_look *look)
{
	lb_schedule *schedule = &health->schedules[number];
	lb_span reach = 2 * lb_max64(health->rules.interval, health->rules.interval_down);

	if (schedule->generation != endpoint >> 32) {
		lb_span spread = lb_below64(lb_mix64(look->random ^ endpoint), health->rules.interval);
		*schedule = (lb_schedule){
		    .generation = (uint32_t)(endpoint >> 32),
		    .due = lb_time_after(lb_min64(health->looked, look->now), spread),
		};
	}
	/* a due time beyond any interval comes of a clock that stepped back */
	if (schedule->due > look->now && schedule->due - look->now > reach)
		schedule->due = look->now;
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
static lb_endpoint find_due(lb_health *health, const lb_look *look)
{
	uint32_t slots = lb_get_acquire(&health->pool->header->slots_used);

	for (uint32_t steps = 0; steps < slots; steps++) {
		uint32_t number = health->next < slots ? health->next : 0;
		health->next = number + 1;
		lb_endpoint endpoint = probed(health->pool, number);
		if (endpoint == LB_NO_ENDPOINT)
			continue;
		const lb_schedule *schedule = schedule_of(health, number, endpoint, look);
		if (!schedule->probing && schedule->due <= look->now)
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
	health->schedules[lb_endpoint_slot(endpoint)].probing = true;
	lb_add(&health->flying, 1);
	return index;
}

/* Calls the host. No lock is held; name and url are copies, the slot may change hands meanwhile. */
static int call_probe_start(lb_health *health, lb_probe probe, const lb_flight *flight, void **mine)
{
	uint32_t number = lb_endpoint_slot(flight->endpoint);
	const lb_about *about = &health->pool->about[number];
	char name[LB_NAME_MAX + 1], url[LB_URL_MAX + 1];
	lb_probe_request request = {
	    .probe = probe,
	    .endpoint = flight->endpoint,
	    .tag = lb_get64(&health->pool->slots[number].tag),
	    .name = name,
	    .url = url,
	    .deadline = flight->deadline,
	};

	lb_text_load(name, about->name, sizeof name);
	lb_text_load(url, about->url, sizeof url);
	return health->transport.probe_start(health->transport.user, &request, mine);
}

/* What follows the host's answer, unless the probe was done (or its place taken) inside of probe_start. */
static void note_start(lb_health *health, uint32_t index, uint32_t number, int error, void *mine, lb_time now)
{
	uint32_t holding = lb_health_lock(health);
	lb_flight *flight = &health->flights[index];

	if (flight->number == number) {
		flight->starting = false;
		flight->mine = mine;
		if (error != 0)
			lb_health_land(health, flight, now);
	}
	lb_lease_end(&health->lock, holding);
}

/* Starts one probe that is due. Returns false if none is, or too many are in flight. */
static bool start_one(lb_health *health, lb_time now)
{
	lb_look look = look_now(health, now);
	uint32_t holding = lb_health_lock(health);
	bool room = lb_get(&health->flying) < health->flights_max;
	lb_endpoint endpoint = room ? find_due(health, &look) : LB_NO_ENDPOINT;
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

/*
 * When something is due next. What waits for a free place in the air is due when one may be free again: answers come in
 * without a tick, so a host that ticks at the returned time only must be told to look soon, or a backlog would never end.
 */
static lb_time next_deadline(lb_health *health, lb_time now)
{
	lb_look look = look_now(health, now);
	uint32_t holding = lb_health_lock(health);
	lb_time next = lb_time_after(now, TICK_MAX);
	bool room = lb_get(&health->flying) < health->flights_max;

	for (uint32_t i = 0; i < health->flights_max; i++)
		if (health->flights[i].number != 0)
			next = lb_min64(next, health->flights[i].deadline);
	for (uint32_t number = 0; number < lb_get(&health->pool->header->slots_used); number++) {
		lb_endpoint endpoint = probed(health->pool, number);
		if (endpoint == LB_NO_ENDPOINT)
			continue;
		const lb_schedule *schedule = schedule_of(health, number, endpoint, &look);
		lb_time due =
		    room ? schedule->due : lb_max64(schedule->due, lb_time_after(now, BACKLOG_PAUSE));
		if (!schedule->probing)
			next = lb_min64(next, due);
	}
	health->looked = now;
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
