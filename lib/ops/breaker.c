/* The standalone breaker: one circuit with a clock, a tally and a permit for each call. */
#include "base/env.h"
#include "base/random.h"
#include "core/circuit.h"
#include "core/record.h"

struct lb_breaker {
	lb_env env;
	lb_circuit_rules rules;
	lb_circuit circuit;
	lb_tally tally;
	lb_atomic32 calls;  /* with a verdict, modulo 2^32 */
	lb_atomic32 events; /* numbers them */
	lb_trial cells[];   /* rules.trials */
};

/* Permits: {6 bits of the cell + 1, 1 bit that is always set, 32 bits of the pass's epoch}. */
#define PERMIT_SET (UINT64_C(1) << 32)
#define PERMIT_CELL_SHIFT 33

static size_t breaker_size(uint32_t trials)
{
	return sizeof(lb_breaker) + trials * sizeof(lb_trial);
}

int lb_breaker_create(lb_breaker **out, const lb_breaker_config *config, const lb_env *host)
{
	lb_circuit_rules rules;
	lb_env env;

	if (!out)
		return LB_EINVAL;
	int error = lb_circuit_rules_from(&rules, config ? config : &lb_breaker_defaults);
	if (error == LB_OK)
		error = lb_env_take(&env, host);
	if (error != LB_OK)
		return error;
	lb_breaker *breaker = lb_env_alloc(&env, breaker_size(rules.trials));
	if (!breaker)
		return LB_ENOMEM;
	breaker->env = env;
	breaker->rules = rules;
	lb_circuit_init(&breaker->circuit, breaker->cells, &rules);
	*out = breaker;
	return LB_OK;
}

void lb_breaker_destroy(lb_breaker *breaker)
{
	if (!breaker)
		return;
	lb_env env = breaker->env;
	lb_env_free(&env, breaker, breaker_size(breaker->rules.trials));
}

/* Tells the host of a transition that this call made. */
static void tell(lb_breaker *breaker, const lb_turn *turn, lb_time now)
{
	if (turn->from == turn->to)
		return;
	uint32_t number = lb_add(&breaker->events, 1) + 1;
	if (!breaker->env.event)
		return;
	lb_event event = {
	    .kind = LB_EVENT_BREAKER,
	    .from = (uint32_t)turn->from,
	    .to = (uint32_t)turn->to,
	    .at = now,
	    .sequence = number,
	    .name = "",
	};
	breaker->env.event(breaker->env.user, &event);
}

int lb_breaker_enter(lb_breaker *breaker, lb_permit *permit)
{
	lb_pass pass;
	lb_turn turn;

	if (!breaker || !permit)
		return LB_EINVAL;
	lb_time now = lb_env_now(&breaker->env);
	bool entered =
	    lb_circuit_enter(&breaker->circuit, breaker->cells, &breaker->rules, now, &pass, &turn);
	tell(breaker, &turn, now);
	if (!entered)
		return LB_EOPEN;
	permit->id = (uint64_t)pass.cell << PERMIT_CELL_SHIFT | PERMIT_SET | pass.epoch;
	return LB_OK;
}

/*
 * Counts a call with a verdict. Returns the calls in the window if the rate is to be looked at: by a failure, by a success
 * that may complete calls_min, and when the window moved on.
 */
static uint32_t count(lb_breaker *breaker, lb_time now, bool failed)
{
	lb_circuit *circuit = &breaker->circuit;
	lb_span bucket = breaker->rules.bucket;
	bool moved_on = lb_tally_due(&breaker->tally, bucket, now);

	if (moved_on)
		lb_tally_turn(&breaker->tally, &circuit->window, bucket, now, lb_get(&breaker->calls), true);
	uint32_t calls = lb_add(&breaker->calls, 1) + 1;
	if (failed)
		lb_window_fail(&circuit->window, bucket, now);
	if (!failed && !moved_on && !lb_circuit_armed(circuit))
		return 0;
	return lb_window_calls(&circuit->window, bucket, now) +
	       lb_tally_calls(&breaker->tally, bucket, now, calls);
}

int lb_breaker_leave(lb_breaker *breaker, lb_permit permit, lb_result result, lb_span latency)
{
	lb_pass pass = {
	    .epoch = (uint32_t)permit.id,
	    .cell = (uint32_t)(permit.id >> PERMIT_CELL_SHIFT),
	};
	lb_turn turn;

	(void)latency;
	if (!breaker || (unsigned)result > LB_LOCAL)
		return LB_EINVAL;
	if ((permit.id & PERMIT_SET) == 0 || pass.cell > breaker->rules.trials)
		return LB_EINVAL;
	if (!lb_circuit_current(&breaker->circuit, pass))
		return LB_ESTALE;
	lb_time now = lb_env_now(&breaker->env);
	if (result == LB_CANCELLED || result == LB_LOCAL)
		return lb_circuit_cancel(&breaker->circuit, breaker->cells, &breaker->rules, now, pass);
	/* a trial decides by itself: it is in no rate */
	bool failed = lb_outcome_fails((uint32_t)result);
	uint32_t calls = pass.cell == 0 ? count(breaker, now, failed) : 0;
	int error =
	    lb_circuit_leave(&breaker->circuit, breaker->cells, &breaker->rules, now, pass, failed, calls,
			     (uint32_t)(lb_mix64(now ^ (uint64_t)(uintptr_t)breaker) >> 32), &turn);
	if (turn.from != turn.to && turn.to == LB_BREAKER_CLOSED)
		lb_tally_restart(&breaker->tally, lb_get(&breaker->calls));
	tell(breaker, &turn, now);
	return error;
}

int lb_breaker_set(lb_breaker *breaker, lb_breaker_force force)
{
	lb_turn turn;

	if (!breaker || (unsigned)force > LB_FORCE_METRICS_ONLY)
		return LB_EINVAL;
	lb_circuit_force(&breaker->circuit, force, &turn);
	lb_tally_restart(&breaker->tally, lb_get(&breaker->calls));
	tell(breaker, &turn, lb_env_now(&breaker->env));
	return LB_OK;
}

lb_breaker_state lb_breaker_get(const lb_breaker *breaker, lb_time *until)
{
	if (!breaker)
		return LB_BREAKER_CLOSED;
	return lb_circuit_state(&breaker->circuit, &breaker->rules, lb_env_now(&breaker->env), until);
}
