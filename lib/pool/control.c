/* The frame around every control call, and the calls that set one property of an endpoint. */
#include "base/span.h"
#include "pool/chain.h"
#include "pool/events.h"
#include "pool/trial.h"
#include "pool/view.h"

lb_control lb_control_begin(lb_pool *pool)
{
	lb_control control = {.pool = pool};

	control.holding = lb_lease_begin(&pool->header->lease, &pool->env, &control.now);
	return control;
}

void lb_control_end(lb_control *control, bool changed)
{
	lb_pool *pool = control->pool;

	if (changed) {
		lb_chains_poll(pool, control->now);
		lb_view_publish(pool, control->now);
	}
	lb_lease_end(&pool->header->lease, control->holding);
	lb_events_deliver_all(pool);
}

/* Begins a control call on a living endpoint; writes its slot. On an error nothing is held. */
static int begin_on(lb_control *control, lb_pool *pool, lb_endpoint endpoint, uint32_t *slot)
{
	if (!pool)
		return LB_EINVAL;
	*control = lb_control_begin(pool);
	*slot = lb_pool_slot(pool, endpoint, false);
	if (*slot != LB_NO_SLOT)
		return LB_OK;
	lb_control_end(control, false);
	return LB_ENOENT;
}

void lb_pool_put_weight(lb_control *control, uint32_t slot, uint32_t weight)
{
	lb_pool *pool = control->pool;
	uint32_t before = lb_get(&pool->weights[slot]);

	if (before == weight)
		return;
	/* algorithms divide by no weight: 0 shuts the gate first, and the table of weights keeps at least 1 */
	lb_put(&pool->weights[slot], weight);
	lb_gates_set(&pool->slots[slot], LB_WHY_WEIGHT, weight == 0);
	lb_events_note(pool, LB_EVENT_WEIGHT, slot, before, weight, LB_NO_ENDPOINT, control->now);
}

int lb_pool_set_weight(lb_pool *pool, lb_endpoint endpoint, uint32_t weight)
{
	lb_control control;
	uint32_t slot;

	if (weight > LB_WEIGHT_MAX)
		return LB_EINVAL;
	int error = begin_on(&control, pool, endpoint, &slot);
	if (error != LB_OK)
		return error;
	lb_pool_put_weight(&control, slot, weight);
	lb_control_end(&control, true);
	return LB_OK;
}

int lb_pool_set_admin(lb_pool *pool, lb_endpoint endpoint, lb_admin admin)
{
	lb_control control;
	uint32_t number;

	if ((unsigned)admin > LB_ADMIN_DOWN)
		return LB_EINVAL;
	int error = begin_on(&control, pool, endpoint, &number);
	if (error != LB_OK)
		return error;
	lb_slot *slot = &pool->slots[number];
	uint32_t before = lb_get(&slot->admin);
	if (before != (uint32_t)admin) {
		lb_put(&slot->admin, (uint32_t)admin);
		lb_gates_set(slot, LB_WHY_ADMIN, admin != LB_ADMIN_UP);
		lb_events_note(pool, LB_EVENT_ADMIN, number, before, (uint32_t)admin, LB_NO_ENDPOINT,
			       control.now);
	}
	lb_control_end(&control, before != (uint32_t)admin);
	return LB_OK;
}

void lb_pool_put_health(lb_control *control, uint32_t number, lb_health_status health)
{
	lb_slot *slot = &control->pool->slots[number];
	uint32_t before = lb_get(&slot->health);

	if (before == (uint32_t)health)
		return;
	lb_put(&slot->health, (uint32_t)health);
	lb_gates_set(slot, LB_WHY_HEALTH, health == LB_UNHEALTHY);
	lb_events_note(control->pool, LB_EVENT_HEALTH, number, before, (uint32_t)health, LB_NO_ENDPOINT,
		       control->now);
}

/* One check that decides at once: counts in a row as a check does. */
static void count_check(lb_slot *slot, lb_health_status health, lb_time now)
{
	if (health == LB_UNKNOWN)
		return;
	bool passed = health != LB_UNHEALTHY;
	lb_put(&slot->checks_passed, passed ? lb_get(&slot->checks_passed) + 1 : 0);
	lb_put(&slot->checks_failed, passed ? 0 : lb_get(&slot->checks_failed) + 1);
	lb_put64(&slot->checked, now);
}

int lb_pool_set_health(lb_pool *pool, lb_endpoint endpoint, lb_health_status health)
{
	lb_control control;
	uint32_t slot;

	if ((unsigned)health > LB_UNHEALTHY)
		return LB_EINVAL;
	int error = begin_on(&control, pool, endpoint, &slot);
	if (error != LB_OK)
		return error;
	count_check(&pool->slots[slot], health, control.now);
	lb_pool_put_health(&control, slot, health);
	if (health == LB_HEALTHY || health == LB_UNHEALTHY)
		lb_chains_checked(pool, slot, health == LB_HEALTHY, control.now);
	lb_control_end(&control, true);
	return LB_OK;
}

int lb_pool_set_breaker(lb_pool *pool, lb_endpoint endpoint, lb_breaker_force force)
{
	lb_control control;
	uint32_t slot;
	lb_turn turn;

	if (!pool || !pool->has_breaker || (unsigned)force > LB_FORCE_METRICS_ONLY)
		return LB_EINVAL;
	int error = begin_on(&control, pool, endpoint, &slot);
	if (error != LB_OK)
		return error;
	lb_circuit_force(&pool->slots[slot].circuit, force, &turn);
	lb_pool_forget_calls(pool, slot);
	lb_pool_turned(pool, slot, &turn, control.now);
	lb_control_end(&control, true);
	return LB_OK;
}
