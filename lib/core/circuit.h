/*
 * Circuit: the state machine of one breaker, as a value. It knows no clock, no pool and no lane; the breaker handle and
 * every endpoint of a pool are made of it.
 *
 * One word decides: {2 bits state, 2 bits force, 28 bits epoch}. A transition is one compare-and-swap on it, and
 * each raises the epoch; whoever wins reports the transition (lb_turn) to its caller, so each is told once. A call
 * remembers the epoch in which it began (lb_pass); its result is ignored in any other.
 *
 * A half-open trial holds a cell, CASed from free to a word that names the epoch and the trial. Leaving clears it; its
 * timeout, or a newer epoch, lets the next trial take it over, and a late leave then finds another word: nothing is ever
 * stuck.
 */
#ifndef LB_CORE_CIRCUIT_H
#define LB_CORE_CIRCUIT_H

#include "core/window.h"

#include <lbcore/breaker.h>

/* A checked copy of lb_breaker_config with what can be worked out beforehand. */
typedef struct lb_circuit_rules {
	lb_span bucket; /* window / LB_WINDOW_BUCKETS */
	lb_span open_for, open_max, trial_timeout;
	uint32_t consecutive, calls_min, failure_percent, jitter_percent, trials, successes;
} lb_circuit_rules;

typedef struct lb_circuit {
	lb_atomic32 word;
	lb_atomic32 consecutive; /* failures in a row */
	lb_atomic32 armed;       /* the rate is reached but for calls_min: successes must look, too */
	lb_atomic32 openings;    /* in a row, for the growing open time */
	lb_atomic32 successes;   /* of trials in a row */
	lb_atomic32 tokens;      /* numbers the trials */
	lb_atomic32 opened;      /* the epoch that `until` belongs to */
	lb_atomic64 until;       /* end of the open period */
	lb_window window;
} lb_circuit;

/* A place for one half-open trial. */
typedef struct lb_trial {
	lb_atomic32 owner; /* {12 bits epoch, 19 bits token, 1 bit being written}; 0 = free */
	lb_atomic64 since;
} lb_trial;

/* What a call takes along from lb_circuit_enter to lb_circuit_leave. */
typedef struct lb_pass {
	uint32_t epoch; /* of the closed state; of a trial: the owner that it wrote into its cell */
	uint32_t cell;  /* 0 = no trial, else the cell's index + 1 */
} lb_pass;

#define LB_NO_EPOCH                                                                                          \
	UINT32_MAX /* of a call that was made although the circuit said no: it counts for nothing */

/* A transition that this call made; from == to means none. */
typedef struct lb_turn {
	lb_breaker_state from, to;
} lb_turn;

/* The word. */
#define LB_CIRCUIT_STATE 3u
#define LB_CIRCUIT_FORCE_SHIFT 2
#define LB_CIRCUIT_EPOCH_SHIFT 4

static inline uint32_t lb_circuit_epoch(uint32_t word)
{
	return word >> LB_CIRCUIT_EPOCH_SHIFT;
}

/* What lb_breaker_config_init writes: the pool's default breaker points to it. */
extern const lb_breaker_config lb_breaker_defaults;

/* Takes in a config. Returns LB_OK, LB_EVERSION, LB_EINVAL. */
int lb_circuit_rules_from(lb_circuit_rules *rules, const lb_breaker_config *config);

/* Puts a circuit of unknown contents and its rules->trials cells into the closed state. No other thread looks yet. */
void lb_circuit_init(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules);

/*
 * May a call begin? Closed (or forced closed, metrics only): always, one load. Open: when its time is over it turns
 * half open first. Half open: if a cell is free or expired. `turn` is always written.
 */
bool lb_circuit_enter(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		      lb_pass *pass, lb_turn *turn);

/* The same for a circuit that is closed and not forced, in one load; false: ask lb_circuit_enter. */
static inline bool lb_circuit_closed(const lb_circuit *circuit, lb_pass *pass)
{
	uint32_t word = lb_get_acquire(&circuit->word);

	*pass = (lb_pass){.epoch = lb_circuit_epoch(word)};
	return (word & (LB_CIRCUIT_STATE | 3u << LB_CIRCUIT_FORCE_SHIFT)) == 0;
}

/* Would one that is half open, or open with its time over, let a trial begin? Changes nothing. */
bool lb_circuit_has_place(const lb_circuit *circuit, const lb_trial *cells, const lb_circuit_rules *rules,
			  lb_time now);

/*
 * How a call went. `calls` = calls with a verdict in the window now, this one included; 0 = do not look at the rate.
 * `random` = 32 random bits for the jitter. Returns LB_OK or LB_ESTALE (older epoch, expired trial). Does not count into
 * the window: the caller did, by tally and lb_window_fail, if lb_circuit_current.
 */
int lb_circuit_leave(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		     lb_pass pass, bool failed, uint32_t calls, uint32_t random, lb_turn *turn);

/* Gives a trial's place back without a verdict. LB_OK, LB_ESTALE as above. A closed pass: LB_OK, nothing to give back. */
int lb_circuit_cancel(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		      lb_pass pass);

/* The quick look of a success in the closed state: of this epoch, and nothing to do for it but count. */
static inline bool lb_circuit_quiet(const lb_circuit *circuit, lb_pass pass)
{
	bool current = lb_circuit_epoch(lb_get_acquire(&circuit->word)) == pass.epoch;

	return current && (pass.cell | lb_get(&circuit->consecutive) | lb_get(&circuit->armed)) == 0;
}

/* Is a closed-state pass of the present epoch? A trial's is found out by its cell. */
static inline bool lb_circuit_current(const lb_circuit *circuit, lb_pass pass)
{
	return pass.cell != 0 || lb_circuit_epoch(lb_get_acquire(&circuit->word)) == pass.epoch;
}

static inline bool lb_circuit_armed(const lb_circuit *circuit)
{
	return lb_get(&circuit->armed) != 0;
}

/* Forces a state, or closes (LB_FORCE_NONE); clears all counts. */
void lb_circuit_force(lb_circuit *circuit, lb_breaker_force force, lb_turn *turn);

/* An open circuit whose time is over turns half open. */
void lb_circuit_poll(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		     lb_turn *turn);

/* The state at `now`: an open one whose time is over shows as half open. `until` may be NULL. */
lb_breaker_state lb_circuit_state(const lb_circuit *circuit, const lb_circuit_rules *rules, lb_time now,
				  lb_time *until);

/* Are calls let through without a permit? Closed, forced closed or metrics only. */
bool lb_circuit_lets_all(const lb_circuit *circuit);

#endif
