/* Slow start of the pool's endpoints. See ramps.h. */
#include "pool/ramps.h"

#include "base/span.h"

/* So long after its first usable endpoint a pool has started, with requests or without. */
#define FIRST_START LB_SECONDS
#define STEP_MIN (10 * LB_MILLISECONDS)

static bool usable(const lb_slot *slot)
{
	return (lb_get(&slot->gates) & LB_GATES_CLOSED) == 0;
}

static bool has_selected(const lb_pool *pool)
{
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		if (lb_get(&pool->lanes[lane].head->ledger_cursor) != 0)
			return true;
	return false;
}

/*
 * Is the first start over? While a pool fills up and nobody has asked it for anything, all of its endpoints are new, and a ramp
 * would only tell the first from the last.
 */
static bool has_started(const lb_pool *pool, lb_time now)
{
	lb_pool_header *header = pool->header;

	if (lb_get(&header->started) != 0)
		return true;
	lb_time first = lb_get64(&header->first_serving);
	if (!has_selected(pool) && (first == 0 || lb_time_since(now, first) < FIRST_START))
		return false;
	lb_put(&header->started, 1);
	return true;
}

static uint64_t successes(const lb_pool *pool, uint32_t slot)
{
	uint64_t sum = 0;

	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		sum += lb_get64(&pool->lanes[lane].records[slot].succeeded);
	return sum;
}

/* Begins a slot's ramp if it just came (back). */
static void follow(lb_pool *pool, uint32_t number, bool started, lb_time now)
{
	lb_about *about = &pool->about[number];
	bool serves = usable(&pool->slots[number]);
	bool returned = lb_get(&about->returned) != 0;
	bool came = lb_get(&about->serving) == 0 || returned;

	lb_put(&about->serving, serves);
	/* only a mark that was seen: a breaker may close right now */
	if (serves && returned)
		lb_put(&about->returned, 0);
	if (!serves || !came)
		return;
	if (lb_get64(&pool->header->first_serving) == 0)
		lb_put64(&pool->header->first_serving, now);
	if (!pool->has_ramp || !started)
		return;
	lb_ramp_begin(&about->ramp, now);
	lb_put64(&about->ramp_base, successes(pool, number));
}

/* The part of its weight that a slot has now, of LB_WHOLE; ends the ramp that has come to it. */
static uint64_t factor_of(lb_pool *pool, uint32_t number, lb_time now)
{
	lb_about *about = &pool->about[number];

	if (!lb_ramp_running(&about->ramp))
		return LB_WHOLE;
	if (pool->ramp.successes != 0)
		lb_ramp_prove(&about->ramp, successes(pool, number) - lb_get64(&about->ramp_base));
	uint64_t factor = lb_ramp_factor(&about->ramp, &pool->ramp, now);
	if (factor >= LB_WHOLE)
		lb_ramp_end(&about->ramp);
	return factor;
}

/* weight x LB_WEIGHT_UNIT x factor, to the nearest hundredth, at least one of a weight that is not 0. */
static uint32_t scaled(uint32_t weight, uint64_t factor)
{
	uint32_t hundredths = (uint32_t)((factor * LB_WEIGHT_UNIT + LB_WHOLE / 2) >> 32);

	return weight * (hundredths > 0 ? hundredths : 1);
}

bool lb_ramps_follow(lb_pool *pool, lb_time now)
{
	bool started = has_started(pool, now), changed = false;

	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later)) {
		follow(pool, at, started, now);
		uint64_t factor = factor_of(pool, at, now);
		uint32_t weight = scaled(lb_get(&pool->weights[at]), factor);
		lb_put(&pool->ramps[at], factor < LB_WHOLE ? (uint32_t)factor : 0);
		changed |= lb_get(&pool->weights_now[at]) != weight;
		lb_put(&pool->weights_now[at], weight);
	}
	return changed;
}

lb_time lb_ramps_next(const lb_pool *pool, lb_time now)
{
	if (!pool->has_ramp)
		return LB_NEVER;
	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later))
		if (lb_ramp_running(&pool->about[at].ramp))
			return lb_time_after(now, lb_max64(pool->ramp.window / 100, STEP_MIN));
	return LB_NEVER;
}

uint32_t lb_ramps_weight(const lb_pool *pool, uint32_t slot)
{
	uint32_t weight = lb_get(&pool->weights[slot]);
	uint32_t ramp = lb_get(&pool->ramps[slot]);

	if (ramp == 0 || weight == 0)
		return weight;
	return (uint32_t)lb_max64(((uint64_t)weight * ramp + LB_WHOLE / 2) >> 32, 1);
}
