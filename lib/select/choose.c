/*
 * The careful way to an endpoint: the order of questions. A preference, a trial for a circuit that wants one, then tier by
 * tier what the algorithm names, any that is left, and the last resorts. Each candidate is refused or taken by take().
 */
#include "base/gcd.h"
#include "base/span.h"
#include "pool/chain.h"
#include "pool/trial.h"
#include "pool/view.h"
#include "select/selector.h"

#define TRIAL_CHUNK 64u /* slots that one select looks at for a trial */
#define TRIAL_PAUSE (20 * LB_MILLISECONDS)
#define ROUNDS_MAX 8u /* through candidates that changed meanwhile */

/* One call. */
typedef struct lb_choice {
	lb_selector *selector;
	lb_pool *pool;
	const lb_lane *lane;
	const lb_ticket *ticket;
	lb_pick *pick;
	lb_taken *taken;
	lb_view_hold view;
	uint32_t shut;  /* the reasons that count */
	uint32_t named; /* the algorithm's first answer, LB_NO_SLOT when it is used up */
	bool full;      /* somebody was refused only for its in-flight limit */
} lb_choice;

static bool tried(const lb_ticket *ticket, lb_endpoint endpoint)
{
	for (uint32_t i = 0; i < ticket->attempts; i++)
		if (ticket->tried[i] == endpoint)
			return true;
	return false;
}

/* Puts a slot on the list of those that the algorithm need not name again. */
static void refuse(lb_choice *choice, uint32_t slot)
{
	lb_pick *pick = choice->pick;

	if (pick->refused_n < LB_REFUSED_MAX)
		pick->refused[pick->refused_n++] = (uint16_t)slot;
}

/* A round begins: those that were tried are refused beforehand. */
static void begin_round(lb_choice *choice)
{
	lb_pool *pool = choice->pool;

	choice->view = lb_view_hold_now(pool);
	choice->shut = lb_view_shut(&choice->view);
	choice->pick->refused_n = 0;
	for (uint32_t i = 0; i < choice->ticket->attempts; i++) {
		uint32_t slot = lb_pool_slot(pool, choice->ticket->tried[i], false);
		if (slot != LB_NO_SLOT)
			refuse(choice, slot);
	}
}

/*
 * The circuit's permit: asked for last, after every other veto. In panic the circuit is not asked either, but what becomes
 * of a call that it would not have let through tells it nothing.
 */
static bool enter_circuit(lb_choice *choice, uint32_t number)
{
	lb_pool *pool = choice->pool;
	lb_circuit *circuit = &pool->slots[number].circuit;
	lb_pass *pass = &choice->taken->pass;
	lb_time now = choice->pick->now;
	lb_turn turn;

	if (lb_circuit_closed(circuit, pass))
		return true;
	bool entered =
	    lb_circuit_enter(circuit, lb_pool_cells(pool, number), &pool->breaker, now, pass, &turn);
	lb_pool_turned(pool, number, &turn, now);
	if (entered || (choice->shut & LB_WHY_BREAKER) != 0)
		return entered;
	*pass = (lb_pass){.epoch = LB_NO_EPOCH};
	return true;
}

/*
 * Counts up. With a limit in one order with all other counts: all racers count up before they sum up, so some may be
 * refused needlessly, none gets past it.
 */
static void count_up(const lb_lane *lane, uint32_t slot, uint32_t limit)
{
	lb_atomic32 *own = &lane->loads[slot].own;

	if (limit != 0)
		lb_add(own, 1);
	else
		lb_bump(own, 1, lane->shared);
}

/*
 * Takes a slot if it may be used: gates, tried, limit, circuit, in this order. `shut` = the reasons that count. See
 * take_plainly() of select.c for the two looks at the gates.
 */
static bool take(lb_choice *choice, uint32_t number, uint32_t shut)
{
	lb_pool *pool = choice->pool;
	lb_slot *slot = &pool->slots[number];
	uint32_t gates = lb_get_acquire(&slot->gates);
	uint32_t limit = lb_get(&slot->inflight_max);

	if ((gates & shut) != 0 || tried(choice->ticket, lb_pool_id_of(pool, number)))
		return false;
	if (limit != 0 && lb_pool_inflight(pool, number) >= limit) {
		choice->full |= (gates & choice->shut) == 0;
		return false;
	}
	count_up(choice->lane, number, limit);
	bool full = limit != 0 && lb_pool_inflight(pool, number) > limit;
	choice->full |= full && (gates & choice->shut) == 0;
	if (full || lb_get_acquire(&slot->gates) != gates || !enter_circuit(choice, number)) {
		lb_count_down(choice->lane, number);
		return false;
	}
	choice->taken->slot = number;
	return true;
}

static void give_back(lb_choice *choice)
{
	lb_pool *pool = choice->pool;
	const lb_taken *taken = choice->taken;

	lb_circuit_cancel(&pool->slots[taken->slot].circuit, lb_pool_cells(pool, taken->slot), &pool->breaker,
			  choice->pick->now, taken->pass);
	lb_count_down(choice->lane, taken->slot);
}

/* A refused primary that stands by has its turn taken by whoever stands in for it. */
static bool take_stand_in(lb_choice *choice, uint32_t slot)
{
	uint32_t stand_in = lb_get_acquire(&choice->pool->slots[slot].stand_in);

	return stand_in != 0 && stand_in <= choice->pool->shape.slots &&
	       take(choice, stand_in - 1, choice->shut);
}

static bool prefer(lb_choice *choice, lb_endpoint preferred)
{
	lb_pool *pool = choice->pool;

	if (preferred == LB_NO_ENDPOINT)
		return false;
	uint32_t slot = lb_pool_slot(pool, preferred, false);
	if (slot == LB_NO_SLOT || !take(choice, slot, LB_GATES_CLOSED))
		return false;
	/* the slot may have changed hands before it was taken */
	if (lb_pool_id_of(pool, slot) != preferred) {
		give_back(choice);
		return false;
	}
	choice->taken->reason = LB_BY_PREFERENCE;
	return true;
}

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

/*
 * Looks through a few slots for one that wants a trial, and makes this request its trial. A request that already failed
 * somewhere is spared. When a round finds nothing, the next one begins when the first open time seen is over, or after a
 * pause.
 */
static bool try_trial(lb_choice *choice)
{
	lb_pool *pool = choice->pool;
	lb_time now = choice->pick->now, next = lb_time_after(now, TRIAL_PAUSE), until;
	uint32_t slots = lb_get(&pool->header->slots_used);
	uint32_t slot = lb_get(&pool->header->trial_slot);
	bool waits = slots > TRIAL_CHUNK;

	lb_trials_begin(pool);
	for (uint32_t steps = 0; steps < TRIAL_CHUNK && steps < slots; steps++, slot++) {
		if (slot >= slots)
			slot = 0;
		if (!wants_trial(pool, slot))
			continue;
		if (take(choice, slot, LB_GATES_CLOSED & ~(uint32_t)(LB_WHY_BREAKER | LB_WHY_STANDBY))) {
			choice->taken->reason = LB_BY_TRIAL;
			lb_trials_from(pool, now);
			return true;
		}
		waits = true;
		if (lb_circuit_state(&pool->slots[slot].circuit, &pool->breaker, now, &until) ==
		    LB_BREAKER_OPEN)
			next = lb_min64(next, until);
	}
	lb_put(&pool->header->trial_slot, slot);
	bool round_over = slots <= TRIAL_CHUNK || slot >= slots;
	if (waits)
		lb_trials_from(pool, round_over ? next : now);
	return false;
}

/* Asks the algorithm, at most LB_PICKS_MAX times; its first answer may be known already. */
static bool ask(lb_choice *choice, const lb_tier *tier)
{
	lb_pick *pick = choice->pick;

	for (pick->attempt = 0; pick->attempt < LB_PICKS_MAX; pick->attempt++) {
		uint32_t slot = choice->named;
		choice->named = LB_NO_SLOT;
		if (slot == LB_NO_SLOT)
			slot = choice->selector->algo->pick(choice->selector->state, tier, pick);
		if (slot >= choice->pool->shape.slots)
			return false;
		if (take(choice, slot, choice->shut) || take_stand_in(choice, slot))
			return true;
		refuse(choice, slot);
	}
	return false;
}

/*
 * Tries `n` members of the view from `first` on, all of them: from a random place in steps of a random length that has no
 * divisor in common with n. So it is not the neighbour of many refused ones that gets their turns.
 */
static bool walk(lb_choice *choice, uint32_t first, uint32_t n, uint32_t shut)
{
	uint32_t slots = choice->pool->shape.slots;

	if (n == 0 || first >= slots || n > slots - first)
		return false;
	uint64_t random = lb_pick_random(choice->pick);
	uint32_t at = lb_below((uint32_t)(random >> 32), n);
	uint32_t step = 1 + lb_below((uint32_t)random, n);
	while (lb_gcd(step, n) != 1)
		step++;
	for (uint32_t steps = 0; steps < n; steps++, at = (uint32_t)(((uint64_t)at + step) % n)) {
		uint32_t slot = lb_get(&choice->view.members[first + at].slot);
		if (slot < slots && take(choice, slot, shut))
			return true;
	}
	return false;
}

/* The tiers in order: the algorithm's choice, else any that is left. */
static bool choose_from_tiers(lb_choice *choice)
{
	uint32_t tiers = lb_get(&choice->view.view->tiers_n);
	bool panic = (choice->shut & LB_WHY_HEALTH) == 0;

	for (uint32_t place = 0; place < tiers && place < LB_TIERS_MAX; place++) {
		lb_tier tier = lb_view_tier_at(choice->pool, &choice->view, place);
		if (tier.n == 0)
			continue;
		choice->taken->reason = panic ? LB_BY_PANIC : lb_tier_reason(&tier);
		if (ask(choice, &tier))
			return true;
		choice->taken->reason = panic ? LB_BY_PANIC : LB_BY_LAST_RESORT;
		if (walk(choice, tier.first, tier.n, choice->shut))
			return true;
	}
	return false;
}

/*
 * Nobody of the published tiers: those that were not eligible when the view was published may be by now, or have an open
 * circuit whose time is over.
 */
static bool choose_from_rest(lb_choice *choice)
{
	uint32_t eligible = lb_get(&choice->view.view->eligible_n);
	uint32_t members = lb_get(&choice->view.view->members_n);

	choice->taken->reason = LB_BY_LAST_RESORT;
	if (members > eligible && walk(choice, eligible, members - eligible, choice->shut))
		return true;
	choice->taken->reason = LB_BY_TRIAL;
	if (choice->pool->has_breaker &&
	    walk(choice, 0, members, LB_GATES_CLOSED & ~(uint32_t)LB_WHY_BREAKER))
		return true;
	if (choice->pool->panic_percent == 0)
		return false;
	choice->taken->reason = LB_BY_PANIC;
	choice->shut = LB_GATES_HARD | LB_WHY_STANDBY;
	return walk(choice, 0, members, choice->shut);
}

/*
 * A round found nobody. Was it unlucky? If the view is not the newest any more, what was read may have been a mixture. If
 * traffic moved between a primary and its backup, each may have been looked at just when the other was open. And whoever
 * shut a primary's gate may not have come to open its backup's yet: then we do.
 */
static bool changed_meanwhile(const lb_choice *choice, uint32_t mark)
{
	lb_chains_help(choice->pool, choice->pick->now);
	return lb_chains_moved(choice->pool, mark) || lb_view_overtaken(choice->pool, &choice->view);
}

static bool choose(lb_choice *choice, const lb_request *request)
{
	lb_pool *pool = choice->pool;
	lb_time now = choice->pick->now;
	uint32_t mark = lb_chains_mark(pool);

	begin_round(choice);
	if (prefer(choice, request->prefer))
		return true;
	if (choice->ticket->attempts == 0 && now >= lb_get64(&pool->header->trial_at) && try_trial(choice))
		return true;
	for (uint32_t round = 1;; round++) {
		if (choose_from_tiers(choice) || choose_from_rest(choice))
			return true;
		if (round == ROUNDS_MAX || !changed_meanwhile(choice, mark))
			return false;
		mark = lb_chains_mark(pool);
		begin_round(choice);
	}
}

int lb_choose(lb_selector *selector, const lb_request *request, const lb_lane *lane, const lb_ticket *ticket,
	      lb_pick *pick, uint32_t named, lb_taken *taken)
{
	lb_choice choice = {
	    .selector = selector,
	    .pool = selector->pool,
	    .lane = lane,
	    .ticket = ticket,
	    .pick = pick,
	    .taken = taken,
	    .named = named,
	};

	if (choose(&choice, request))
		return LB_OK;
	return choice.full ? LB_EFULL : LB_ENONE;
}
