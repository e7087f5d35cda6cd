/* The life of a slot. See slots.h. */
#include "pool/slots.h"

#include "base/span.h"
#include "base/text.h"
#include "pool/chain.h"
#include "pool/events.h"
#include "pool/figures.h"
#include "pool/index.h"
#include "pool/trial.h"

static lb_atomic32 *link_after(lb_pool *pool, uint32_t slot)
{
	return slot == LB_NO_SLOT ? &pool->header->oldest : &pool->about[slot].later;
}

static lb_atomic32 *link_before(lb_pool *pool, uint32_t slot)
{
	return slot == LB_NO_SLOT ? &pool->header->newest : &pool->about[slot].earlier;
}

/* The next number in order of addition; when they run out, the living are numbered anew. */
static uint32_t next_order(lb_pool *pool)
{
	lb_pool_header *header = pool->header;

	if (lb_get(&header->orders) == UINT32_MAX) {
		uint32_t order = 0;
		for (uint32_t at = lb_get(&header->oldest); at != LB_NO_SLOT;
		     at = lb_get(&pool->about[at].later))
			lb_put(&pool->about[at].order, ++order);
		lb_put(&header->orders, order);
	}
	uint32_t order = lb_get(&header->orders) + 1;
	lb_put(&header->orders, order);
	return order;
}

static void append(lb_pool *pool, uint32_t slot)
{
	uint32_t newest = lb_get(&pool->header->newest);

	lb_put(&pool->about[slot].order, next_order(pool));
	lb_put(&pool->about[slot].earlier, newest);
	lb_put(&pool->about[slot].later, LB_NO_SLOT);
	lb_put(link_after(pool, newest), slot);
	lb_put(&pool->header->newest, slot);
}

static void unlink_slot(lb_pool *pool, uint32_t slot)
{
	uint32_t earlier = lb_get(&pool->about[slot].earlier);
	uint32_t later = lb_get(&pool->about[slot].later);

	lb_put(link_after(pool, earlier), later);
	lb_put(link_before(pool, later), earlier);
}

static void write_endpoint(lb_pool *pool, uint32_t number, const lb_endpoint_config *config)
{
	lb_slot *slot = &pool->slots[number];
	lb_about *about = &pool->about[number];

	lb_text_store(about->name, config->name, sizeof about->name);
	lb_text_store(about->url, config->url ? config->url : "", sizeof about->url);
	lb_put64(&slot->tag, config->tag);
	lb_put(&slot->inflight_max, config->inflight_max);
	lb_put(&slot->stand_in, 0);
	lb_put(&slot->admin, LB_ADMIN_UP);
	lb_put(&slot->health, (uint32_t)pool->initial_health);
	lb_put(&slot->priority, config->priority);
	lb_put(&slot->zone, config->zone);
	lb_put(&slot->checks_failed, 0);
	lb_put(&slot->checks_passed, 0);
	lb_put64(&slot->checked, 0);
	lb_put(&pool->weights[number], config->weight);
	lb_put(&about->serving, 0);
	lb_put(&about->returned, 0);
	lb_put(&about->good, 0);
	lb_ramp_end(&about->ramp);
	lb_put(&pool->ramps[number], 0);
	if (pool->has_breaker)
		lb_circuit_init(&pool->slots[number].circuit, lb_pool_cells(pool, number), &pool->breaker);
}

uint32_t lb_slots_take(lb_control *control, const lb_endpoint_config *config)
{
	lb_pool *pool = control->pool;
	uint32_t number = lb_get(&pool->header->free);
	lb_slot *slot = &pool->slots[number];
	uint32_t gates = 0;

	lb_put(&pool->header->free, lb_get(&pool->about[number].later));
	write_endpoint(pool, number, config);
	uint32_t generation = lb_get(&slot->generation) + 1;
	if (generation == 0)
		generation = 1;
	if (config->weight == 0)
		gates |= LB_WHY_WEIGHT;
	if (pool->initial_health == LB_UNHEALTHY)
		gates |= LB_WHY_HEALTH;
	/* releases: whoever sees the new generation, or the open gate, sees the endpoint that it belongs to */
	lb_put_release(&slot->generation, generation);
	lb_put_release(&slot->life, LB_SLOT_LIVE);
	if (number >= lb_get(&pool->header->slots_used))
		lb_put_release(&pool->header->slots_used, number + 1);
	lb_put_release(&slot->gates, generation << LB_GATES_GENERATION | gates);
	append(pool, number);
	lb_index_insert(pool, number);
	lb_add(&pool->header->live, 1);
	lb_events_note(pool, LB_EVENT_ADDED, number, 0, 0, LB_NO_ENDPOINT, control->now);
	return number;
}

void lb_slots_leave(lb_control *control, uint32_t number)
{
	lb_pool *pool = control->pool;
	lb_slot *slot = &pool->slots[number];

	lb_gates_set(slot, LB_WHY_REMOVED, true);
	lb_chains_remove(pool, number, control->now);
	lb_index_remove(pool, number);
	unlink_slot(pool, number);
	lb_put64(&pool->about[number].removed, control->now);
	lb_put_release(&slot->life, LB_SLOT_LEAVING);
	lb_sub(&pool->header->live, 1);
	lb_add(&pool->header->leaving, 1);
}

void lb_slots_update(lb_control *control, uint32_t number, const lb_endpoint_config *config)
{
	lb_slot *slot = &control->pool->slots[number];

	lb_put64(&slot->tag, config->tag);
	lb_put(&slot->priority, config->priority);
	lb_put(&slot->zone, config->zone);
	lb_put(&slot->inflight_max, config->inflight_max);
	lb_pool_put_weight(control, number, config->weight);
}

/*
 * May the slot be given to another endpoint? No row may point to it, and no select may be between its first and its
 * second look at the gates: the grace is far longer than that takes, and a select that was suspended in between finds
 * another generation. Without a selector there is none, and nothing to wait for. (A clock that stepped back starts the
 * grace anew.)
 */
static bool may_free(lb_control *control, uint32_t number)
{
	lb_about *about = &control->pool->about[number];

	if (lb_pool_inflight(control->pool, number) != 0)
		return false;
	if (!lb_pool_has_selectors(control->pool))
		return true;
	if (lb_get64(&about->removed) > control->now)
		lb_put64(&about->removed, control->now);
	return lb_time_since(control->now, lb_get64(&about->removed)) >= LB_GRACE;
}

static void free_slot(lb_control *control, uint32_t number)
{
	lb_pool *pool = control->pool;
	lb_slot *slot = &pool->slots[number];

	lb_events_note(pool, LB_EVENT_REMOVED, number, 0, 0, LB_NO_ENDPOINT, control->now);
	lb_pool_retire(pool, number);
	lb_put_release(&slot->life, LB_SLOT_FREE);
	lb_put(&pool->about[number].later, lb_get(&pool->header->free));
	lb_put(&pool->header->free, number);
	lb_sub(&pool->header->leaving, 1);
}

lb_time lb_slots_free(lb_control *control)
{
	lb_pool *pool = control->pool;
	uint32_t waiting = lb_get(&pool->header->leaving);
	lb_time next = LB_NEVER;

	for (uint32_t number = 0; number < pool->shape.slots && waiting > 0; number++) {
		if (lb_get(&pool->slots[number].life) != LB_SLOT_LEAVING)
			continue;
		waiting--;
		if (may_free(control, number))
			free_slot(control, number);
		else
			next = lb_time_after(control->now, LB_GRACE);
	}
	return next;
}

static uint32_t count_free(const lb_pool *pool)
{
	return pool->shape.slots - lb_get(&pool->header->live) - lb_get(&pool->header->leaving);
}

uint32_t lb_slots_spare(lb_control *control, uint32_t wanted)
{
	if (count_free(control->pool) < wanted)
		lb_slots_free(control);
	return count_free(control->pool);
}
