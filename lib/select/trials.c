/* A request as a trial of a circuit. See trials.h. */
#include "select/trials.h"

#include "base/span.h"
#include "pool/chain.h"
#include "pool/trial.h"

#define TRIAL_CHUNK 64u /* slots that one select looks at for a trial */
#define TRIAL_PAUSE (20 * LB_MILLISECONDS)

/*
 * May this slot have a request as a trial? One whose circuit is not closed, unless it is a backup that stands by; and a
 * primary that needs successes to have its traffic back, one request at a time.
 */
static bool wants_trial(const lb_pool *pool, uint32_t number)
{
	const lb_slot *slot = &pool->slots[number];
	uint32_t gates = lb_get(&slot->gates);
	bool primary = lb_get(&slot->stand_in) != 0;

	if ((gates & LB_WHY_BREAKER) != 0)
		return (gates & LB_WHY_STANDBY) == 0 || primary;
	return primary && lb_pool_inflight(pool, number) == 0 && lb_chain_wants_trial(pool, number);
}

bool lb_choice_try_trial(lb_choice *choice)
{
	lb_pool *pool = choice->pool;
	lb_time now = choice->pick->now, next = lb_time_after(now, TRIAL_PAUSE), until;
	uint32_t slots = lb_get(&pool->header->slots_used);
	uint32_t slot = lb_get(&pool->header->trial_slot);
	bool waits = slots > TRIAL_CHUNK, dry = choice->pick->lane->dry;

	if (!dry)
		lb_trials_begin(pool);
	for (uint32_t steps = 0; steps < TRIAL_CHUNK && steps < slots; steps++, slot++) {
		if (slot >= slots)
			slot = 0;
		if (!wants_trial(pool, slot))
			continue;
		if (lb_choice_take(choice, slot,
				   LB_GATES_CLOSED & ~(uint32_t)(LB_WHY_BREAKER | LB_WHY_STANDBY))) {
			choice->taken.reason = LB_BY_TRIAL;
			if (!dry)
				lb_trials_from(pool, now);
			return true;
		}
		waits = true;
		if (lb_circuit_state(&pool->slots[slot].circuit, &pool->breaker, now, &until) ==
		    LB_BREAKER_OPEN)
			next = lb_min64(next, until);
	}
	if (dry)
		return false;
	lb_put(&pool->header->trial_slot, slot);
	bool round_over = slots <= TRIAL_CHUNK || slot >= slots;
	if (waits)
		lb_trials_from(pool, round_over ? next : now);
	return false;
}
