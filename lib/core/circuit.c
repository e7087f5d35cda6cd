/* The state machine of a breaker. See circuit.h. */
#include "core/circuit.h"

#include "base/random.h"

/* A trial's owner. */
#define OWNER_EPOCH_SHIFT 20
#define OWNER_EPOCH 0xfffu
#define OWNER_TOKEN_MASK 0xffffeu /* bits 1 to 19 */
#define OWNER_WRITING 1u

#define DAY (UINT64_C(86400) * LB_SECONDS)

const lb_breaker_config lb_breaker_defaults = {
    .size = sizeof(lb_breaker_config),
    .consecutive = 5,
    .window = 10 * LB_SECONDS,
    .calls_min = 20,
    .failure_percent = 50,
    .open_for = 5 * LB_SECONDS,
    .open_max = 60 * LB_SECONDS,
    .jitter_percent = 10,
    .trials = 3,
    .successes = 3,
    .trial_timeout = 30 * LB_SECONDS,
};

void lb_breaker_config_init(lb_breaker_config *config, size_t size)
{
	if (config && size == sizeof *config)
		*config = lb_breaker_defaults;
}

static bool between(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

int lb_circuit_rules_from(lb_circuit_rules *rules, const lb_breaker_config *config)
{
	if (config->size != sizeof *config)
		return LB_EVERSION;
	if (!between(config->window, 10 * LB_MICROSECONDS, DAY) || config->calls_min == 0 ||
	    config->failure_percent > 100 || config->open_for == 0 ||
	    !between(config->open_max, config->open_for, DAY) || config->jitter_percent > 100 ||
	    !between(config->trials, 1, LB_TRIALS_MAX) || config->successes == 0 ||
	    !between(config->trial_timeout, LB_MILLISECONDS, 3600 * LB_SECONDS))
		return LB_EINVAL;
	*rules = (lb_circuit_rules){
	    .bucket = config->window / LB_WINDOW_BUCKETS,
	    .open_for = config->open_for,
	    .open_max = config->open_max,
	    .trial_timeout = config->trial_timeout,
	    .consecutive = config->consecutive,
	    .calls_min = config->calls_min,
	    .failure_percent = config->failure_percent,
	    .jitter_percent = config->jitter_percent,
	    .trials = config->trials,
	    .successes = config->successes,
	};
	return LB_OK;
}

static lb_breaker_state state_of(uint32_t word)
{
	return (lb_breaker_state)(word & LB_CIRCUIT_STATE);
}

static lb_breaker_force force_of(uint32_t word)
{
	return (lb_breaker_force)(word >> LB_CIRCUIT_FORCE_SHIFT & 3);
}

/* The word of the next epoch. */
static uint32_t next_word(uint32_t word, lb_breaker_state state, lb_breaker_force force)
{
	return (lb_circuit_epoch(word) + 1) << LB_CIRCUIT_EPOCH_SHIFT |
	       (uint32_t)force << LB_CIRCUIT_FORCE_SHIFT | (uint32_t)state;
}

/* What callers see of a word. */
static lb_breaker_state visible(uint32_t word)
{
	lb_breaker_force force = force_of(word);

	if (force == LB_FORCE_NONE)
		return state_of(word);
	return force == LB_FORCE_OPEN ? LB_BREAKER_OPEN : LB_BREAKER_CLOSED;
}

void lb_circuit_init(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules)
{
	/* the epoch goes on: what an earlier user of this memory left behind belongs to none that comes */
	lb_put(&circuit->word, next_word(lb_get(&circuit->word), LB_BREAKER_CLOSED, LB_FORCE_NONE));
	lb_put(&circuit->consecutive, 0);
	lb_put(&circuit->openings, 0);
	lb_put(&circuit->successes, 0);
	lb_put(&circuit->armed, 0);
	lb_put64(&circuit->until, 0);
	lb_window_clear(&circuit->window);
	for (uint32_t i = 0; i < rules->trials; i++)
		lb_put(&cells[i].owner, 0);
}

static void forget_failures(lb_circuit *circuit)
{
	lb_put(&circuit->consecutive, 0);
	lb_put(&circuit->armed, 0);
	lb_window_clear(&circuit->window);
}

/* The open period: doubled at each opening in a row, drawn from +- jitter around that, never above the cap. */
static lb_span open_period(const lb_circuit_rules *rules, uint32_t openings, uint32_t random)
{
	lb_span period = rules->open_for;

	for (uint32_t i = 0; i < openings && period < rules->open_max; i++)
		period = period > rules->open_max / 2 ? rules->open_max : period * 2;
	lb_span reach = lb_scale64(period, rules->jitter_percent, 100);
	lb_span least = period - reach, most = lb_min64(period + reach, rules->open_max);
	return lb_max64(least + lb_scale64(most - least, random, UINT32_MAX), 1);
}

/*
 * Writes the end of an open period. `opened` tells which epoch it belongs to, so nobody takes the last one's for it.
 * Release: whoever sees the epoch sees the time.
 */
static void set_until(lb_circuit *circuit, const lb_circuit_rules *rules, uint32_t epoch, lb_time now,
		      uint32_t random)
{
	uint32_t openings = lb_get(&circuit->openings);

	lb_put64(&circuit->until,
		 lb_time_after(now, open_period(rules, openings > 0 ? openings - 1 : 0, random)));
	lb_put_release(&circuit->opened, epoch);
}

/*
 * Is the open time over? Not while its winner still has to write it. An end that lies further ahead than any period can
 * reach comes of a clock that stepped back: it does not lock the circuit for ever.
 */
static bool open_time_over(const lb_circuit *circuit, const lb_circuit_rules *rules, uint32_t word,
			   lb_time now)
{
	if (lb_get_acquire(&circuit->opened) != lb_circuit_epoch(word))
		return false;
	lb_time until = lb_get64(&circuit->until);
	return now >= until || until - now > 2 * rules->open_max;
}

/* One transition; false if somebody else made one first (then `*word` is what he made). */
static bool turn_to(lb_circuit *circuit, uint32_t *word, lb_breaker_state state, lb_turn *turn)
{
	lb_breaker_state from = visible(*word);
	uint32_t next = next_word(*word, state, LB_FORCE_NONE);

	/* release: the counts of the new state are written; acquire: those of the old one are seen */
	if (!lb_cas(&circuit->word, word, next))
		return false;
	*word = next;
	*turn = (lb_turn){from, state};
	return true;
}

static void trip(lb_circuit *circuit, const lb_circuit_rules *rules, uint32_t word, lb_time now,
		 uint32_t random, lb_turn *turn)
{
	if (!turn_to(circuit, &word, LB_BREAKER_OPEN, turn))
		return;
	lb_add(&circuit->openings, 1);
	set_until(circuit, rules, lb_circuit_epoch(word), now, random);
	forget_failures(circuit);
}

/*
 * Frees the cells that trials of former half-open times left behind, before their epochs come round again. The word is looked
 * at after the cell: while it is still the open one, no trial of the time that is about to begin has written there.
 */
static void clear_cells(const lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules,
			uint32_t word)
{
	for (uint32_t i = 0; i < rules->trials; i++) {
		uint32_t owner = lb_get_acquire(&cells[i].owner);
		if (owner != 0 && lb_get_acquire(&circuit->word) == word)
			lb_cas(&cells[i].owner, &owner, 0);
	}
}

/* From open to half open, if it is time. Returns the word as it then is. */
static uint32_t poll_word(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
			  lb_turn *turn)
{
	uint32_t word = lb_get_acquire(&circuit->word);

	if (force_of(word) != LB_FORCE_NONE || state_of(word) != LB_BREAKER_OPEN)
		return word;
	if (lb_get_acquire(&circuit->opened) != lb_circuit_epoch(word)) {
		/* its winner did not come to write the end (yet, or ever): do it for him */
		set_until(circuit, rules, lb_circuit_epoch(word), now, (uint32_t)lb_mix64(now));
		return word;
	}
	if (!open_time_over(circuit, rules, word, now))
		return word;
	/* before the transition, when no trial counts: a slow loser of the race costs a trial's success at the most */
	lb_put(&circuit->successes, 0);
	clear_cells(circuit, cells, rules, word);
	turn_to(circuit, &word, LB_BREAKER_HALF_OPEN, turn);
	return word;
}

/* Did the trial take too long? One that began further ahead than that comes of a clock that stepped back: it did, too. */
static bool trial_expired(const lb_trial *cell, const lb_circuit_rules *rules, lb_time now)
{
	lb_time since = lb_get64(&cell->since);

	return now >= since ? now - since >= rules->trial_timeout : since - now > rules->trial_timeout;
}

/* May this cell be taken: free, of an older epoch, or expired? One of a newer epoch is not ours to judge. */
static bool cell_free(const lb_trial *cell, const lb_circuit_rules *rules, uint32_t owner, uint32_t epoch,
		      lb_time now)
{
	uint32_t age = (epoch - (owner >> OWNER_EPOCH_SHIFT)) & OWNER_EPOCH;

	if (owner == 0)
		return true;
	if (age != 0)
		return age <= OWNER_EPOCH / 2;
	return (owner & OWNER_WRITING) == 0 && trial_expired(cell, rules, now);
}

/*
 * Takes a cell in two steps, so that nobody judges the new owner by the old one's time: first as "being written", then
 * for good. The second step fails if the epoch passed meanwhile and another took the cell over.
 */
static bool take_cell(lb_trial *cell, uint32_t seen, uint32_t owner, lb_time now)
{
	uint32_t writing = owner | OWNER_WRITING;

	if (!lb_cas(&cell->owner, &seen, writing))
		return false;
	lb_put64(&cell->since, now);
	return lb_cas(&cell->owner, &writing, owner);
}

static bool enter_trial(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, uint32_t epoch,
			lb_time now, lb_pass *pass)
{
	for (uint32_t i = 0; i < rules->trials; i++) {
		uint32_t seen = lb_get_acquire(&cells[i].owner);
		if (!cell_free(&cells[i], rules, seen, epoch, now))
			continue;
		uint32_t token = (lb_add(&circuit->tokens, 2) + 2) & OWNER_TOKEN_MASK;
		uint32_t owner = epoch << OWNER_EPOCH_SHIFT | (token != 0 ? token : 2);
		if (!take_cell(&cells[i], seen, owner, now))
			continue;
		/* the state passed on while we were at it: no trial of a time that is over */
		if (lb_circuit_epoch(lb_get_acquire(&circuit->word)) != epoch) {
			lb_cas(&cells[i].owner, &owner, 0);
			return false;
		}
		*pass = (lb_pass){.epoch = owner, .cell = i + 1};
		return true;
	}
	return false;
}

bool lb_circuit_has_place(const lb_circuit *circuit, const lb_trial *cells, const lb_circuit_rules *rules,
			  lb_time now)
{
	uint32_t epoch = lb_circuit_epoch(lb_get_acquire(&circuit->word)), i = 0;

	while (i < rules->trials && !cell_free(&cells[i], rules, lb_get_acquire(&cells[i].owner), epoch, now))
		i++;
	return i < rules->trials;
}

bool lb_circuit_enter(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		      lb_pass *pass, lb_turn *turn)
{
	uint32_t word = lb_get_acquire(&circuit->word);

	*turn = (lb_turn){LB_BREAKER_CLOSED, LB_BREAKER_CLOSED};
	if (visible(word) != LB_BREAKER_CLOSED)
		word = poll_word(circuit, cells, rules, now, turn);
	switch (visible(word)) {
	case LB_BREAKER_CLOSED:
		*pass = (lb_pass){.epoch = lb_circuit_epoch(word)};
		return true;
	case LB_BREAKER_HALF_OPEN:
		return enter_trial(circuit, cells, rules, lb_circuit_epoch(word), now, pass);
	case LB_BREAKER_OPEN:
		break;
	}
	return false;
}

/* Does the half-open time that a trial belongs to last? */
static bool trial_current(uint32_t word, lb_pass pass)
{
	return visible(word) == LB_BREAKER_HALF_OPEN &&
	       (lb_circuit_epoch(word) & OWNER_EPOCH) == pass.epoch >> OWNER_EPOCH_SHIFT;
}

int lb_circuit_cancel(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		      lb_pass pass)
{
	if (pass.cell == 0)
		return LB_OK;
	lb_trial *cell = &cells[pass.cell - 1];
	uint32_t owner = pass.epoch;
	/* read before the place is given back: then it is another one's */
	bool late = trial_expired(cell, rules, now);
	if (!lb_cas(&cell->owner, &owner, 0))
		return LB_ESTALE;
	return !late && trial_current(lb_get_acquire(&circuit->word), pass) ? LB_OK : LB_ESTALE;
}

static int leave_trial(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		       lb_pass pass, bool failed, uint32_t random, lb_turn *turn)
{
	if (lb_circuit_cancel(circuit, cells, rules, now, pass) != LB_OK)
		return LB_ESTALE;
	uint32_t word = lb_get_acquire(&circuit->word);
	if (!trial_current(word, pass))
		return LB_ESTALE;
	if (failed) {
		trip(circuit, rules, word, now, random, turn);
		return LB_OK;
	}
	if (lb_add(&circuit->successes, 1) + 1 < rules->successes)
		return LB_OK;
	if (!turn_to(circuit, &word, LB_BREAKER_CLOSED, turn))
		return LB_OK;
	lb_put(&circuit->openings, 0);
	forget_failures(circuit);
	return LB_OK;
}

/* Has the failure rate been reached? If only calls are missing, the circuit is armed: a success may complete them. */
static bool rate_reached(lb_circuit *circuit, const lb_circuit_rules *rules, lb_time now, uint32_t calls)
{
	if (rules->failure_percent == 0)
		return false;
	uint64_t failures = lb_window_failures(&circuit->window, rules->bucket, now);
	bool enough = calls >= rules->calls_min;
	uint64_t due = (uint64_t)rules->failure_percent * (enough ? calls : rules->calls_min);
	bool reached = failures * 100 >= due;
	uint32_t armed = reached && !enough;

	if (lb_get(&circuit->armed) != armed)
		lb_put(&circuit->armed, armed);
	return reached && enough;
}

int lb_circuit_leave(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		     lb_pass pass, bool failed, uint32_t calls, uint32_t random, lb_turn *turn)
{
	*turn = (lb_turn){LB_BREAKER_CLOSED, LB_BREAKER_CLOSED};
	if (pass.cell != 0)
		return leave_trial(circuit, cells, rules, now, pass, failed, random, turn);
	uint32_t word = lb_get_acquire(&circuit->word);
	if (lb_circuit_epoch(word) != pass.epoch)
		return LB_ESTALE;
	bool tripped = false;
	if (!failed && lb_get(&circuit->consecutive) != 0)
		lb_put(&circuit->consecutive, 0);
	if (failed)
		tripped =
		    lb_add(&circuit->consecutive, 1) + 1 >= rules->consecutive && rules->consecutive > 0;
	if (calls > 0)
		tripped = rate_reached(circuit, rules, now, calls) || tripped;
	/* forced closed and metrics only count, and stay */
	if (tripped && force_of(word) == LB_FORCE_NONE)
		trip(circuit, rules, word, now, random, turn);
	return LB_OK;
}

void lb_circuit_force(lb_circuit *circuit, lb_breaker_force force, lb_turn *turn)
{
	uint32_t word = lb_get_acquire(&circuit->word);
	uint32_t next;

	do {
		next = next_word(word, LB_BREAKER_CLOSED, force);
	} while (!lb_cas(&circuit->word, &word, next));
	*turn = (lb_turn){visible(word), visible(next)};
	lb_put(&circuit->openings, 0);
	forget_failures(circuit);
}

void lb_circuit_poll(lb_circuit *circuit, lb_trial *cells, const lb_circuit_rules *rules, lb_time now,
		     lb_turn *turn)
{
	*turn = (lb_turn){LB_BREAKER_CLOSED, LB_BREAKER_CLOSED};
	poll_word(circuit, cells, rules, now, turn);
}

lb_breaker_state lb_circuit_state(const lb_circuit *circuit, const lb_circuit_rules *rules, lb_time now,
				  lb_time *until)
{
	uint32_t word = lb_get_acquire(&circuit->word);
	lb_breaker_state state = visible(word);
	lb_time end = state == LB_BREAKER_CLOSED ? 0 : lb_get64(&circuit->until);

	if (force_of(word) == LB_FORCE_OPEN)
		end = LB_NEVER;
	else if (state == LB_BREAKER_OPEN && open_time_over(circuit, rules, word, now))
		state = LB_BREAKER_HALF_OPEN;
	if (until)
		*until = end;
	return state;
}

bool lb_circuit_lets_all(const lb_circuit *circuit)
{
	return visible(lb_get_acquire(&circuit->word)) == LB_BREAKER_CLOSED;
}
