/* Circuits of the pool's endpoints: gates, and the search for trials. See trial.h. */
#include "pool/trial.h"

#include "pool/chain.h"
#include "pool/events.h"

/*
 * Makes the gate follow the circuit. Two transitions in quick succession may set the gate in the wrong order, so each
 * looks at the circuit again after it wrote; what slips through even so is mended by the next tick.
 */
static void set_gate(lb_pool *pool, uint32_t slot)
{
	const lb_circuit *circuit = &pool->slots[slot].circuit;

	for (uint32_t tries = 0; tries < 4; tries++) {
		bool open_gate = lb_circuit_lets_all(circuit);
		lb_gates_set(&pool->slots[slot], LB_WHY_BREAKER, !open_gate);
		if (lb_circuit_lets_all(circuit) == open_gate)
			return;
	}
}

void lb_trials_from(lb_pool *pool, lb_time when)
{
	if (when < lb_get64(&pool->header->trial_at))
		lb_put64(&pool->header->trial_at, when);
}

void lb_pool_turned(lb_pool *pool, uint32_t slot, const lb_turn *turn, lb_time now)
{
	lb_time until;

	if (turn->from == turn->to)
		return;
	set_gate(pool, slot);
	if (turn->to == LB_BREAKER_CLOSED) {
		lb_pool_forget_calls(pool, slot);
		lb_put(&pool->about[slot].returned, 1);
	}
	if (lb_circuit_state(&pool->slots[slot].circuit, &pool->breaker, now, &until) != LB_BREAKER_CLOSED)
		lb_trials_from(pool, until);
	lb_events_note(pool, LB_EVENT_BREAKER, slot, (uint32_t)turn->from, (uint32_t)turn->to, LB_NO_ENDPOINT,
		       now);
	lb_chains_follow(pool, slot, now);
	lb_put(&pool->header->dirty, 1);
}

/* When the slot may want a trial; LB_NEVER: it does not. */
static lb_time review(lb_pool *pool, uint32_t slot, lb_time now)
{
	lb_time until;

	if (lb_get(&pool->slots[slot].stand_in) != 0 && lb_chain_wants_trial(pool, slot))
		return now;
	if (!pool->has_breaker)
		return LB_NEVER;
	bool shut = (lb_get(&pool->slots[slot].gates) & LB_WHY_BREAKER) != 0;
	if (lb_circuit_lets_all(&pool->slots[slot].circuit) == shut)
		set_gate(pool, slot);
	switch (lb_circuit_state(&pool->slots[slot].circuit, &pool->breaker, now, &until)) {
	case LB_BREAKER_OPEN:
		return until;
	case LB_BREAKER_HALF_OPEN:
		return now;
	case LB_BREAKER_CLOSED:
		break;
	}
	return LB_NEVER;
}

/*
 * Who looks through the circuits says so first and looks then: a transition meanwhile writes its time over the LB_NEVER, or
 * happened before the look and is seen by it (both ordered).
 */
void lb_trials_begin(lb_pool *pool)
{
	lb_put64_in_order(&pool->header->trial_at, LB_NEVER);
}

void lb_trials_review(lb_pool *pool, lb_time now)
{
	lb_time earliest = LB_NEVER;

	lb_trials_begin(pool);
	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later)) {
		lb_time until = review(pool, at, now);
		if (until < earliest)
			earliest = until;
	}
	lb_trials_from(pool, earliest);
}

uint32_t lb_pool_window_calls(const lb_pool *pool, uint32_t slot, lb_time now)
{
	uint64_t calls = lb_window_calls(&pool->slots[slot].circuit.window, pool->breaker.bucket, now);

	for (uint32_t lane = 0; lane < pool->lanes_n; lane++) {
		const lb_record *record = &pool->lanes[lane].records[slot];
		calls += lb_tally_calls(&record->tally, pool->breaker.bucket, now, lb_record_calls(record));
	}
	return calls > UINT32_MAX ? UINT32_MAX : (uint32_t)calls;
}

void lb_pool_forget_calls(lb_pool *pool, uint32_t slot)
{
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++) {
		lb_record *record = &pool->lanes[lane].records[slot];
		lb_tally_restart(&record->tally, lb_record_calls(record));
	}
}
