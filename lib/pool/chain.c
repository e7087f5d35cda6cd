/* Primaries and their backups. See chain.h. */
#include "pool/chain.h"

#include "base/span.h"
#include "pool/events.h"

static uint32_t member(const lb_chain *chain, uint32_t place)
{
	return lb_get_acquire(&chain->members[place]);
}

static uint32_t active_member(const lb_chain *chain)
{
	return member(chain, lb_standby_place(lb_standby_word(&chain->standby)));
}

/* Where a slot stands in a chain; LB_CHAIN_MEMBERS = nowhere. */
static uint32_t place_in(const lb_chain *chain, uint32_t slot)
{
	uint32_t length = lb_get_in_order(&chain->length);

	for (uint32_t place = 0; place < length; place++)
		if (member(chain, place) == slot)
			return place;
	return LB_CHAIN_MEMBERS;
}

static uint32_t chains_used(const lb_pool *pool)
{
	return lb_get_acquire(&pool->chains->n);
}

lb_standby_rules lb_chains_rules(const lb_pool *pool)
{
	const lb_chains *chains = pool->chains;

	return (lb_standby_rules){
	    .hold_down = lb_get64(&chains->hold_down),
	    .hold_up = lb_get64(&chains->hold_up),
	    .successes = lb_get(&chains->successes),
	    .manual_return = lb_get(&chains->manual_return) != 0,
	};
}

lb_chain *lb_chain_of(const lb_pool *pool, uint32_t primary)
{
	for (uint32_t i = 0; i < chains_used(pool); i++) {
		lb_chain *chain = &pool->chains->chains[i];
		if (lb_get_acquire(&chain->length) > 0 && member(chain, 0) == primary)
			return chain;
	}
	return NULL;
}

bool lb_chains_backup(const lb_pool *pool, uint32_t slot)
{
	for (uint32_t i = 0; i < chains_used(pool); i++) {
		uint32_t place = place_in(&pool->chains->chains[i], slot);
		if (place > 0 && place < LB_CHAIN_MEMBERS)
			return true;
	}
	return false;
}

/* Does it belong to a chain, and is it active in none? */
static bool stands_by(const lb_pool *pool, uint32_t slot)
{
	bool belongs = false;

	for (uint32_t i = 0; i < chains_used(pool); i++) {
		const lb_chain *chain = &pool->chains->chains[i];
		if (place_in(chain, slot) == LB_CHAIN_MEMBERS)
			continue;
		if (active_member(chain) == slot)
			return false;
		belongs = true;
	}
	return belongs;
}

/* Who takes a primary's turns: slot + 1, 0 = itself. */
static uint32_t stand_in_for(const lb_pool *pool, uint32_t slot)
{
	const lb_chain *chain = lb_chain_of(pool, slot);
	uint32_t active = chain ? active_member(chain) : slot;

	return active == slot || active == LB_NO_SLOT ? 0 : active + 1;
}

/* Moves a STANDBY gate, between two counts: see lb_chains_mark. */
static void move_gate(lb_pool *pool, lb_slot *slot, bool shut)
{
	if (((lb_get(&slot->gates) & LB_WHY_STANDBY) != 0) == shut)
		return;
	lb_add(&pool->chains->moves_begun, 1);
	lb_gates_set(slot, LB_WHY_STANDBY, shut);
	lb_add(&pool->chains->moves_ended, 1);
	lb_put(&pool->header->dirty, 1);
}

/*
 * Two switches in quick succession may write a gate in the wrong order; so each looks again after it wrote, at words that
 * only move on. All in order: who writes last sees the other's word when it looks again.
 */
void lb_chains_set_gate(lb_pool *pool, uint32_t number)
{
	lb_slot *slot = &pool->slots[number];

	for (uint32_t tries = 0; tries < 4; tries++) {
		bool shut = stands_by(pool, number);
		uint32_t stand_in = stand_in_for(pool, number);
		lb_put_in_order(&slot->stand_in, stand_in);
		move_gate(pool, slot, shut);
		if (stands_by(pool, number) == shut && stand_in_for(pool, number) == stand_in)
			return;
	}
}

/* Reasons that count for a member: standing by is not one. In order: see lb_standby_decide. */
static uint32_t why_not(const lb_pool *pool, uint32_t slot)
{
	return lb_get_in_order(&pool->slots[slot].gates) & LB_GATES_CLOSED & ~(uint32_t)LB_WHY_STANDBY;
}

uint32_t lb_chain_usable(const lb_pool *pool, const lb_chain *chain)
{
	uint32_t length = lb_get_in_order(&chain->length);
	uint32_t usable = 0;

	for (uint32_t place = 0; place < length; place++) {
		uint32_t slot = member(chain, place);
		if (slot != LB_NO_SLOT && why_not(pool, slot) == 0)
			usable |= UINT32_C(1) << place;
	}
	return usable;
}

/* History is a ring: see core/mark.h for the orders. Who was lapped in between leaves no trace. */
static void write_history(lb_pool *pool, uint32_t from, uint32_t to, lb_failover_kind kind, lb_time now)
{
	lb_chains *chains = pool->chains;
	uint32_t number = lb_add(&chains->switches, 1) + 1;
	lb_switch_cell *cell = &chains->history[number % LB_HISTORY_MAX];

	if (!lb_mark_begin(&cell->mark, number))
		return;
	/* from nowhere: the last active member was removed when no other could follow it */
	bool nowhere = from == LB_NO_SLOT;
	lb_put_release(&cell->kind, (uint32_t)kind);
	lb_put_release(&cell->why, nowhere ? (uint32_t)LB_WHY_REMOVED : why_not(pool, from));
	lb_put64_release(&cell->at, now);
	lb_put64_release(&cell->from, nowhere ? LB_NO_ENDPOINT : lb_pool_id_of(pool, from));
	lb_put64_release(&cell->to, lb_pool_id_of(pool, to));
	lb_mark_end(&cell->mark, number);
}

/* Does a member's gate say what its chain says of it? (A backup may be active in another chain: then it only seems to lag.) */
static bool lags(const lb_pool *pool, uint32_t primary, uint32_t slot, uint32_t active)
{
	const lb_slot *state = &pool->slots[slot];
	bool shut = (lb_get_in_order(&state->gates) & LB_WHY_STANDBY) != 0;
	uint32_t stand_in = slot == primary && active != slot && active != LB_NO_SLOT ? active + 1 : 0;

	return shut == (slot == active) || lb_get_in_order(&state->stand_in) != stand_in;
}

/*
 * The active one first: so while this goes on there are two to go to rather than none. Any thread. `fine` is a slot that only
 * seems to lag: whoever mends many chains finds the backup that they share once, for it takes a look at all chains.
 */
static void mend_gates(lb_pool *pool, const lb_chain *chain, uint32_t *fine)
{
	uint32_t length = lb_get_in_order(&chain->length);
	uint32_t active = active_member(chain);
	uint32_t primary = member(chain, 0);

	if (length == 0)
		return;
	if (active != LB_NO_SLOT && lags(pool, primary, active, active))
		lb_chains_set_gate(pool, active);
	for (uint32_t place = 0; place < length; place++) {
		uint32_t slot = member(chain, place);
		if (slot == LB_NO_SLOT || slot == *fine || !lags(pool, primary, slot, active))
			continue;
		lb_chains_set_gate(pool, slot);
		if (place > 0 && (lb_get(&pool->slots[slot].gates) & LB_WHY_STANDBY) == 0)
			*fine = slot;
	}
}

bool lb_chain_switch(lb_pool *pool, lb_chain *chain, uint32_t word, uint32_t place, lb_failover_kind kind,
		     lb_time now)
{
	uint32_t from = member(chain, lb_standby_place(word));
	uint32_t to = member(chain, place);
	uint32_t fine = LB_NO_SLOT;

	if (to == LB_NO_SLOT || !lb_standby_switch(&chain->standby, word, place, kind == LB_FORCED))
		return false;
	mend_gates(pool, chain, &fine);
	lb_put(&pool->header->dirty, 1);
	if (from == to)
		return true;
	lb_put64(&chain->since, now);
	lb_bump64(kind == LB_FAILBACK ? &chain->failbacks : &chain->failovers, kind == LB_FORCED ? 0 : 1,
		  true);
	write_history(pool, from, to, kind, now);
	lb_events_note(pool, LB_EVENT_FAILOVER, from == LB_NO_SLOT ? to : from, 0, (uint32_t)kind,
		       lb_pool_id_of(pool, to), now);
	return true;
}

/*
 * Decides until nothing is left to do, whether it or somebody else made the switch: the member that is active now may have
 * broken while it was not. In practice once or twice; each further round takes another break or another thread's switch.
 */
static lb_time follow_chain(lb_pool *pool, lb_chain *chain, const lb_standby_rules *rules, lb_time now)
{
	lb_time next = LB_NEVER;

	for (uint32_t tries = 0; tries < LB_CHAIN_MEMBERS; tries++) {
		/* the word before the members: see lb_standby_decide */
		uint32_t word = lb_standby_word(&chain->standby);
		uint32_t usable = lb_chain_usable(pool, chain);
		uint32_t place = lb_standby_decide(&chain->standby, rules, word, usable, now, &next);
		if (place == lb_standby_place(word))
			break;
		lb_chain_switch(pool, chain, word, place, place == 0 ? LB_FAILBACK : LB_FAILOVER, now);
	}
	return next;
}

void lb_chains_follow(lb_pool *pool, uint32_t slot, lb_time now)
{
	lb_standby_rules rules = lb_chains_rules(pool);

	for (uint32_t i = 0; i < chains_used(pool); i++) {
		lb_chain *chain = &pool->chains->chains[i];
		if (place_in(chain, slot) != LB_CHAIN_MEMBERS)
			follow_chain(pool, chain, &rules, now);
	}
}

lb_time lb_chains_poll(lb_pool *pool, lb_time now)
{
	lb_standby_rules rules = lb_chains_rules(pool);
	lb_time next = LB_NEVER;
	uint32_t fine = LB_NO_SLOT;

	for (uint32_t i = 0; i < chains_used(pool); i++) {
		lb_chain *chain = &pool->chains->chains[i];
		if (lb_get_acquire(&chain->length) == 0)
			continue;
		next = lb_min64(next, follow_chain(pool, chain, &rules, now));
		mend_gates(pool, chain, &fine);
	}
	return next;
}

/* The primary goes: its backups are ordinary endpoints from now on. */
static void dissolve(lb_pool *pool, lb_chain *chain)
{
	uint32_t length = lb_get(&chain->length);

	lb_put_in_order(&chain->length, 0);
	for (uint32_t place = 0; place < length; place++)
		if (member(chain, place) != LB_NO_SLOT)
			lb_chains_set_gate(pool, member(chain, place));
}

void lb_chains_open(lb_pool *pool, const lb_standby_rules *rules)
{
	lb_chains *chains = pool->chains;

	lb_put64(&chains->hold_down, rules->hold_down);
	lb_put64(&chains->hold_up, rules->hold_up);
	lb_put(&chains->successes, rules->successes);
	lb_put(&chains->manual_return, rules->manual_return);
	lb_put(&chains->before_mine, lb_get_acquire(&chains->switches));
}

void lb_chains_close(lb_pool *pool)
{
	for (uint32_t i = 0; i < chains_used(pool); i++)
		dissolve(pool, &pool->chains->chains[i]);
	lb_put_release(&pool->chains->n, 0);
}

void lb_chains_remove(lb_pool *pool, uint32_t slot, lb_time now)
{
	lb_standby_rules at_once = lb_chains_rules(pool);

	at_once.hold_down = 0;
	for (uint32_t i = 0; i < chains_used(pool); i++) {
		lb_chain *chain = &pool->chains->chains[i];
		uint32_t place = place_in(chain, slot);
		if (place == LB_CHAIN_MEMBERS)
			continue;
		/* who is gone cannot be kept, not by hand either */
		if (active_member(chain) == slot)
			lb_standby_release(&chain->standby);
		follow_chain(pool, chain, &at_once, now);
		if (place == 0)
			dissolve(pool, chain);
		else
			lb_put_release(&chain->members[place], LB_NO_SLOT);
	}
}

void lb_chains_checked(lb_pool *pool, uint32_t slot, bool passed, lb_time now)
{
	lb_standby_rules rules = lb_chains_rules(pool);
	lb_chain *chain = lb_chain_of(pool, slot);

	if (!chain)
		return;
	lb_standby_checked(&chain->standby, passed);
	follow_chain(pool, chain, &rules, now);
}

bool lb_chain_wants_trial(const lb_pool *pool, uint32_t slot)
{
	const lb_chain *chain = lb_chain_of(pool, slot);
	lb_standby_rules rules = lb_chains_rules(pool);

	if (!chain || !pool->has_breaker || lb_get64(&pool->slots[slot].checked) != 0)
		return false;
	return !rules.manual_return && lb_get(&chain->standby.passed) < rules.successes;
}

void lb_chains_help(lb_pool *pool, lb_time now)
{
	if (chains_used(pool) > 0)
		lb_chains_poll(pool, now);
}
