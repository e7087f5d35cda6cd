/* The failover manager: a thin handle over the pool's chains. */
#include "base/span.h"
#include "pool/chain.h"
#include "pool/events.h"

#define TICK_MAX LB_SECONDS

struct lb_failover {
	lb_pool *pool;
	uint32_t history_max;
};

void lb_failover_config_init(lb_failover_config *config, size_t size)
{
	if (!config || size != sizeof *config)
		return;
	*config = (lb_failover_config){
	    .size = sizeof *config,
	    .hold_up = 30 * LB_SECONDS,
	    .successes = 5,
	    .history_max = 256,
	};
}

static int take_config(lb_failover_config *out, const lb_failover_config *config)
{
	lb_failover_config_init(out, sizeof *out);
	if (config && config->size != sizeof *config)
		return LB_EVERSION;
	if (config)
		*out = *config;
	if (out->history_max == 0 || out->history_max > LB_HISTORY_MAX || out->manual_return > 1 ||
	    out->reserved != 0)
		return LB_EINVAL;
	return LB_OK;
}

int lb_failover_create(lb_failover **out, lb_pool *pool, const lb_failover_config *config)
{
	lb_failover_config taken;

	if (!out || !pool)
		return LB_EINVAL;
	int error = take_config(&taken, config);
	if (error != LB_OK)
		return error;
	lb_failover *failover = lb_env_alloc(&pool->env, sizeof *failover);
	if (!failover)
		return LB_ENOMEM;
	*failover = (lb_failover){pool, taken.history_max};
	lb_standby_rules rules = {taken.hold_down, taken.hold_up, taken.successes, taken.manual_return != 0};
	lb_control control = lb_control_begin(pool);
	bool first = pool->failover == NULL;
	if (first) {
		pool->failover = failover;
		lb_chains_open(pool, &rules);
	}
	lb_control_end(&control, false);
	if (!first) {
		lb_env_free(&pool->env, failover, sizeof *failover);
		return LB_EEXIST;
	}
	*out = failover;
	return LB_OK;
}

void lb_failover_destroy(lb_failover *failover)
{
	if (!failover)
		return;
	lb_pool *pool = failover->pool;
	lb_control control = lb_control_begin(pool);
	pool->failover = NULL;
	lb_chains_close(pool);
	lb_control_end(&control, true);
	lb_env_free(&pool->env, failover, sizeof *failover);
}

/* A place for a chain, or NULL. Under control. */
static lb_chain *free_chain(lb_pool *pool)
{
	lb_chains *chains = pool->chains;
	uint32_t used = lb_get(&chains->n);

	for (uint32_t i = 0; i < used; i++)
		if (lb_get(&chains->chains[i].length) == 0)
			return &chains->chains[i];
	if (used == lb_chains_max(pool->endpoints_max))
		return NULL;
	lb_put_release(&chains->n, used + 1);
	return &chains->chains[used];
}

static int make_primary(lb_failover *failover, uint32_t slot, lb_time now)
{
	if (lb_chain_of(failover->pool, slot))
		return LB_OK;
	if (lb_chains_backup(failover->pool, slot))
		return LB_EINVAL;
	lb_chain *chain = free_chain(failover->pool);
	if (!chain)
		return LB_ELIMIT;
	lb_standby_init(&chain->standby);
	lb_put64(&chain->failovers, 0);
	lb_put64(&chain->failbacks, 0);
	lb_put64(&chain->since, now);
	lb_put_release(&chain->members[0], slot);
	/* last: from now on a transition on the request path may find the chain */
	lb_put_release(&chain->length, 1);
	return LB_OK;
}

int lb_failover_set_primary(lb_failover *failover, lb_endpoint primary)
{
	if (!failover)
		return LB_EINVAL;
	lb_control control = lb_control_begin(failover->pool);
	uint32_t slot = lb_pool_slot(failover->pool, primary, false);
	int error = slot == LB_NO_SLOT ? LB_ENOENT : make_primary(failover, slot, control.now);
	lb_control_end(&control, error == LB_OK);
	return error;
}

/* The end of the chain, or else a place that a removed backup left. */
static uint32_t place_for_backup(const lb_chain *chain)
{
	uint32_t length = lb_get(&chain->length);
	uint32_t place = length;

	if (length == LB_CHAIN_MEMBERS)
		for (place = 1; place < length && lb_get(&chain->members[place]) != LB_NO_SLOT;)
			place++;
	return place;
}

static int append(lb_pool *pool, lb_chain *chain, uint32_t backup)
{
	uint32_t length = lb_get(&chain->length);
	uint32_t place = place_for_backup(chain);

	if (lb_chain_of(pool, backup))
		return LB_EINVAL;
	for (uint32_t i = 0; i < length; i++)
		if (lb_get(&chain->members[i]) == backup)
			return LB_EINVAL;
	if (place == LB_CHAIN_MEMBERS)
		return LB_ELIMIT;
	/* in order: whoever sees the length sees the member, and who misses it made its change before our poll looks */
	lb_put_release(&chain->members[place], backup);
	if (place == length)
		lb_put_in_order(&chain->length, length + 1);
	lb_chains_set_gate(pool, backup);
	return LB_OK;
}

int lb_failover_set_backup(lb_failover *failover, lb_endpoint primary, lb_endpoint backup)
{
	if (!failover)
		return LB_EINVAL;
	lb_pool *pool = failover->pool;
	lb_control control = lb_control_begin(pool);
	uint32_t first = lb_pool_slot(pool, primary, false);
	uint32_t second = lb_pool_slot(pool, backup, false);
	lb_chain *chain = first == LB_NO_SLOT ? NULL : lb_chain_of(pool, first);
	int error = LB_EINVAL;

	if (first == LB_NO_SLOT || second == LB_NO_SLOT)
		error = LB_ENOENT;
	else if (chain)
		error = append(pool, chain, second);
	lb_control_end(&control, error == LB_OK);
	return error;
}

/* Moves the chain to a place by hand; races with transitions until it wins. */
static void force_place(lb_pool *pool, lb_chain *chain, uint32_t place, lb_time now)
{
	while (!lb_chain_switch(pool, chain, lb_standby_word(&chain->standby), place, LB_FORCED, now))
		;
}

static int force(lb_pool *pool, lb_chain *chain, lb_endpoint active, lb_time now)
{
	uint32_t slot = lb_pool_slot(pool, active, false);

	if (active == LB_NO_ENDPOINT) {
		lb_standby_release(&chain->standby);
		return LB_OK;
	}
	if (slot == LB_NO_SLOT)
		return LB_ENOENT;
	for (uint32_t place = 0; place < lb_get(&chain->length); place++) {
		if (lb_get(&chain->members[place]) != slot)
			continue;
		force_place(pool, chain, place, now);
		return LB_OK;
	}
	return LB_EINVAL;
}

int lb_failover_force(lb_failover *failover, lb_endpoint primary, lb_endpoint active)
{
	if (!failover)
		return LB_EINVAL;
	lb_pool *pool = failover->pool;
	lb_control control = lb_control_begin(pool);
	uint32_t slot = lb_pool_slot(pool, primary, false);
	lb_chain *chain = slot == LB_NO_SLOT ? NULL : lb_chain_of(pool, slot);
	int error = LB_EINVAL;

	if (slot == LB_NO_SLOT)
		error = LB_ENOENT;
	else if (chain)
		error = force(pool, chain, active, control.now);
	lb_control_end(&control, error == LB_OK);
	return error;
}

/* When a switch that waits for a hold only is due; 0 = none waits. */
static lb_time pending(const lb_pool *pool, const lb_chain *chain, const lb_standby_rules *rules)
{
	uint32_t word = lb_standby_word(&chain->standby);
	lb_time down = lb_get64(&chain->standby.down_since);
	lb_time up = lb_get64(&chain->standby.up_since);

	if (lb_standby_forced(word) || lb_chain_usable(pool, chain) == 0)
		return 0;
	if (down != 0)
		return lb_time_after(down, rules->hold_down);
	bool returns = lb_standby_place(word) != 0 && up != 0 && !rules->manual_return &&
		       lb_get(&chain->standby.passed) >= rules->successes;
	return returns ? lb_time_after(up, rules->hold_up) : 0;
}

int lb_failover_get(const lb_failover *failover, lb_endpoint primary, lb_failover_status *status, size_t size)
{
	if (!failover || !status)
		return LB_EINVAL;
	if (size != sizeof *status)
		return LB_EVERSION;
	const lb_pool *pool = failover->pool;
	uint32_t slot = lb_pool_slot(pool, primary, false);
	const lb_chain *chain = slot == LB_NO_SLOT ? NULL : lb_chain_of(pool, slot);
	if (!chain)
		return LB_ENOENT;
	uint32_t active = lb_get_acquire(&chain->members[lb_standby_place(lb_standby_word(&chain->standby))]);
	lb_standby_rules rules = lb_chains_rules(pool);
	*status = (lb_failover_status){
	    .active = active == LB_NO_SLOT ? LB_NO_ENDPOINT : lb_pool_id_of(pool, active),
	    .since = lb_get64(&chain->since),
	    .failovers = lb_get64(&chain->failovers),
	    .failbacks = lb_get64(&chain->failbacks),
	    .next = pending(pool, chain, &rules),
	};
	return LB_OK;
}

lb_time lb_failover_tick(lb_failover *failover)
{
	if (!failover)
		return LB_NEVER;
	lb_control control = lb_control_begin(failover->pool);
	lb_time next =
	    lb_min64(lb_chains_poll(failover->pool, control.now), lb_time_after(control.now, TICK_MAX));
	lb_control_end(&control, lb_get(&failover->pool->header->dirty) != 0);
	return next;
}

/* Copies one switch out; false if it is being written or was overwritten. */
static bool read_switch(const lb_switch_cell *cell, uint32_t number, lb_failover_event *event)
{
	if (lb_mark_look(&cell->mark, number) != LB_MARK_WHOLE)
		return false;
	event->kind = (lb_failover_kind)lb_get_acquire(&cell->kind);
	event->why = lb_get_acquire(&cell->why);
	event->at = lb_get64_acquire(&cell->at);
	event->from = lb_get64_acquire(&cell->from);
	event->to = lb_get64_acquire(&cell->to);
	return lb_mark_same(&cell->mark, number);
}

int lb_failover_history(const lb_failover *failover, lb_failover_event *events, uint32_t n, size_t size)
{
	if (!failover || (!events && n > 0))
		return LB_EINVAL;
	if (size != sizeof *events)
		return LB_EVERSION;
	const lb_chains *chains = failover->pool->chains;
	uint32_t number = lb_get_acquire(&chains->switches);
	uint32_t mine = number - lb_get(&chains->before_mine);
	uint32_t copied = 0;
	for (uint32_t i = 0; i < failover->history_max && i < mine && copied < n; i++, number--)
		if (read_switch(&chains->history[number % LB_HISTORY_MAX], number, &events[copied]))
			copied++;
	return (int)copied;
}
