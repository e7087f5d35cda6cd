/* lb_select: the order of questions. */
#include "base/span.h"
#include "pool/chain.h"
#include "pool/events.h"
#include "pool/settle.h"
#include "pool/trial.h"
#include "pool/view.h"
#include "select/selector.h"

#define PICKS_MAX 4u    /* how often the algorithm is asked, for each tier */
#define SWEEP_EVERY 16u /* selects, in a lane of its own, between looks for forgotten tickets */
#define SWEEP_ROWS 16u
#define TRIAL_CHUNK 64u /* slots that one select looks at for a trial */
#define TRIAL_PAUSE (20 * LB_MILLISECONDS)

/* One call of lb_select. */
typedef struct lb_choice {
	lb_selector *selector;
	lb_pool *pool;
	const lb_lane *lane;
	lb_ticket *ticket;
	lb_view_hold view;
	lb_pick pick;
	lb_span timeout;
	uint32_t shut; /* the reasons that count */
	bool full;     /* somebody was refused only for its in-flight limit */
	/* what was taken */
	uint32_t slot, gates, reason;
	lb_pass pass;
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
	lb_pick *pick = &choice->pick;

	if (pick->refused_n < LB_REFUSED_MAX)
		pick->refused[pick->refused_n++] = (uint16_t)slot;
}

static bool at_limit(lb_choice *choice, uint32_t slot, uint32_t allowed)
{
	uint32_t limit = lb_get(&choice->pool->slots[slot].inflight_max);

	if (limit == 0 || lb_pool_inflight(choice->pool, slot) < limit + allowed)
		return false;
	choice->full = true;
	return true;
}

static void count_down(const lb_choice *choice, uint32_t slot)
{
	lb_bump(&choice->lane->loads[slot].own, UINT32_MAX, choice->lane->shared);
}

/* The circuit's permit: asked for last, after every other veto. */
static bool enter_circuit(lb_choice *choice, uint32_t slot)
{
	lb_pool *pool = choice->pool;
	lb_turn turn;

	if (!pool->has_breaker) {
		choice->pass = (lb_pass){0};
		return true;
	}
	if (lb_circuit_closed(&pool->circuits[slot], &choice->pass))
		return true;
	bool entered = lb_circuit_enter(&pool->circuits[slot], lb_pool_cells(pool, slot), &pool->breaker,
					choice->pick.now, &choice->pass, &turn);
	lb_pool_turned(pool, slot, &turn, choice->pick.now);
	return entered;
}

/*
 * Takes a slot if it may be used: gates, tried, limit, circuit, in this order. `shut` = the reasons that count.
 *
 * The count goes up between two looks at the gates. Control shuts the gates first and frees the slot only when a grace
 * later the counts are 0: so either it sees our count and waits, or we see its change and take the count back.
 */
static bool take(lb_choice *choice, uint32_t slot, uint32_t shut)
{
	lb_pool *pool = choice->pool;
	uint32_t gates = lb_get_acquire(&pool->slots[slot].gates);

	if ((gates & shut) != 0)
		return false;
	if (choice->ticket->attempts > 0 && tried(choice->ticket, lb_pool_id_of(pool, slot)))
		return false;
	if (at_limit(choice, slot, 0))
		return false;
	lb_bump(&choice->lane->loads[slot].own, 1, choice->lane->shared);
	/* with a limit all racers count up before they look: some may be refused needlessly, none gets past it */
	if (lb_get_acquire(&pool->slots[slot].gates) != gates || at_limit(choice, slot, 1) ||
	    !enter_circuit(choice, slot)) {
		count_down(choice, slot);
		return false;
	}
	choice->slot = slot;
	choice->gates = gates;
	return true;
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
	if (preferred == LB_NO_ENDPOINT)
		return false;
	uint32_t slot = lb_pool_slot(choice->pool, preferred, false);
	if (slot == LB_NO_SLOT || !take(choice, slot, LB_GATES_CLOSED))
		return false;
	choice->reason = LB_BY_PREFERENCE;
	return true;
}

/* May this slot's circuit have a request as a trial? Backups that stand by wait; primaries that do may prove themselves. */
static bool wants_trial(const lb_pool *pool, uint32_t slot)
{
	uint32_t gates = lb_get(&pool->slots[slot].gates);
	bool backup = (gates & LB_WHY_STANDBY) != 0 && lb_get(&pool->slots[slot].stand_in) == 0;

	return (gates & LB_WHY_BREAKER) != 0 && !backup;
}

/*
 * Looks through a few slots for an open circuit whose time is over, and makes this request its trial. A request that
 * already failed somewhere is spared. When a round finds nothing, the next one begins when the first open time seen
 * is over, or after a pause.
 */
static bool try_trial(lb_choice *choice)
{
	lb_pool *pool = choice->pool;
	lb_pool_header *header = pool->header;
	lb_time now = choice->pick.now, next = lb_time_after(now, TRIAL_PAUSE), until;
	uint32_t slots = lb_get(&header->slots_used);
	uint32_t slot = lb_get(&header->trial_slot);

	if (choice->ticket->attempts > 0)
		return false;
	bool waits = slots > TRIAL_CHUNK;
	for (uint32_t steps = 0; steps < TRIAL_CHUNK && steps < slots; steps++, slot++) {
		if (slot >= slots)
			slot = 0;
		if (!wants_trial(pool, slot))
			continue;
		if (take(choice, slot, LB_GATES_CLOSED & ~(uint32_t)(LB_WHY_BREAKER | LB_WHY_STANDBY))) {
			choice->reason = LB_BY_TRIAL;
			return true;
		}
		waits = true;
		if (lb_circuit_state(&pool->circuits[slot], &pool->breaker, now, &until) == LB_BREAKER_OPEN)
			next = lb_min64(next, until);
	}
	lb_put(&header->trial_slot, slot);
	if (slots <= TRIAL_CHUNK || slot >= slots)
		lb_put64(&header->trial_at, waits ? next : LB_NEVER);
	return false;
}

/* Asks the algorithm, at most PICKS_MAX times. */
static bool ask(lb_choice *choice, const lb_tier *tier)
{
	lb_pick *pick = &choice->pick;

	for (pick->attempt = 0; pick->attempt < PICKS_MAX; pick->attempt++) {
		uint32_t slot = choice->selector->algo->pick(choice->selector->state, tier, pick);
		if (slot >= choice->pool->shape.slots)
			return false;
		if (take(choice, slot, choice->shut) || take_stand_in(choice, slot))
			return true;
		refuse(choice, slot);
	}
	return false;
}

/* Tries `n` members of the view from `first` on, all of them, beginning anywhere. */
static bool walk(lb_choice *choice, uint32_t first, uint32_t n, uint32_t shut)
{
	uint32_t slots = choice->pool->shape.slots;

	if (n == 0 || first >= slots || n > slots - first)
		return false;
	uint32_t at = lb_below(lb_pick_random(&choice->pick), n);
	for (uint32_t steps = 0; steps < n; steps++, at = at + 1 < n ? at + 1 : 0) {
		uint32_t slot = lb_get(&choice->view.members[first + at].slot);
		if (slot < slots && take(choice, slot, shut))
			return true;
	}
	return false;
}

static bool serves_first(const lb_tier *tier, uint32_t place)
{
	return place == 0 && tier->number == 0;
}

/* The tiers in order: the algorithm's choice, else any that is left. */
static bool choose_from_tiers(lb_choice *choice)
{
	uint32_t tiers = lb_get(&choice->view.view->tiers_n);
	bool panic = lb_get(&choice->view.view->panic) != 0;

	for (uint32_t place = 0; place < tiers && place < LB_TIERS_MAX; place++) {
		lb_tier tier = lb_view_tier_at(choice->pool, &choice->view, place);
		if (tier.n == 0)
			continue;
		choice->reason = panic                        ? LB_BY_PANIC
				 : serves_first(&tier, place) ? LB_BY_ALGORITHM
							      : LB_BY_SPILL;
		if (ask(choice, &tier))
			return true;
		choice->reason = LB_BY_LAST_RESORT;
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

	choice->reason = LB_BY_LAST_RESORT;
	if (members > eligible && walk(choice, eligible, members - eligible, choice->shut))
		return true;
	choice->reason = LB_BY_TRIAL;
	if (choice->pool->has_breaker &&
	    walk(choice, 0, members, LB_GATES_CLOSED & ~(uint32_t)LB_WHY_BREAKER))
		return true;
	choice->reason = LB_BY_PANIC;
	return choice->pool->panic_percent > 0 && walk(choice, 0, members, LB_GATES_HARD | LB_WHY_STANDBY);
}

static bool choose(lb_choice *choice, const lb_request *request)
{
	lb_pool *pool = choice->pool;

	if (prefer(choice, request->prefer))
		return true;
	if (choice->pick.now >= lb_get64(&pool->header->trial_at) && try_trial(choice))
		return true;
	for (uint32_t tries = 0; tries < 2; tries++) {
		choice->view = lb_view_hold_now(pool);
		choice->shut = lb_view_shut(&choice->view);
		choice->pick.refused_n = 0;
		if (choose_from_tiers(choice) || choose_from_rest(choice))
			return true;
		/* overtaken by two publications: what was read may have been a mixture */
		if (!lb_view_overtaken(pool, &choice->view))
			return false;
	}
	return false;
}

static int open_row(lb_choice *choice)
{
	lb_pool *pool = choice->pool;
	lb_ticket *ticket = choice->ticket;
	const lb_slot *slot = &pool->slots[choice->slot];
	lb_entry entry;

	entry.endpoint = lb_pool_id_of(pool, choice->slot);
	entry.started = choice->pick.now;
	entry.deadline = lb_time_after(choice->pick.now, choice->timeout);
	entry.attempt = ticket->attempts + 1;
	entry.cell = choice->pass.cell;
	entry.epoch = choice->pass.epoch;
	uint32_t word;
	uint32_t row = lb_ledger_open(&choice->lane->ledger, &entry, &word);

	if (row == LB_NO_ROW)
		return LB_ELIMIT;
	ticket->id = lb_ticket_id(pool, choice->lane->number, row, word);
	ticket->endpoint = entry.endpoint;
	ticket->tag = lb_get64(&slot->tag);
	ticket->name = slot->name;
	ticket->url = slot->url;
	ticket->started = choice->pick.now;
	ticket->reason = choice->reason;
	ticket->tried[ticket->attempts++] = ticket->endpoint;
	return LB_OK;
}

static void give_back(lb_choice *choice)
{
	lb_pool *pool = choice->pool;

	if (pool->has_breaker)
		lb_circuit_cancel(&pool->circuits[choice->slot], lb_pool_cells(pool, choice->slot),
				  choice->pass);
	count_down(choice, choice->slot);
}

static int answer(lb_choice *choice, const lb_request *request)
{
	lb_lane_head *head = choice->lane->head;
	bool shared = choice->lane->shared;
	bool retry = choice->ticket->attempts > 0 && (request->flags & LB_REQUEST_HEDGE) == 0;

	if (choice->ticket->attempts >= LB_TRIED_MAX || !choose(choice, request)) {
		lb_bump64(choice->full ? &head->full : &head->none, 1, shared);
		return choice->full ? LB_EFULL : LB_ENONE;
	}
	if (open_row(choice) != LB_OK) {
		give_back(choice);
		lb_bump64(&head->limit, 1, shared);
		return LB_ELIMIT;
	}
	if (retry)
		lb_bump64(&head->retries, 1, shared);
	return LB_OK;
}

/* A lane's owner looks after its own forgotten tickets, a few rows every few selects. */
static void housekeep(lb_pool *pool, const lb_lane *lane, lb_time now)
{
	uint32_t selects = lb_get(&lane->head->selects);

	lb_put(&lane->head->selects, selects + 1);
	if (selects % SWEEP_EVERY == 0)
		lb_pool_sweep(pool, lane, SWEEP_ROWS, false, now);
}

/* Field by field: clearing the whole, its list of refused slots included, would cost more than a pick. */
static void begin_choice(lb_choice *choice, lb_selector *selector, const lb_request *request,
			 const lb_lane *lane, lb_time now)
{
	lb_pool *pool = selector->pool;
	lb_pick *pick = &choice->pick;

	choice->selector = selector;
	choice->pool = pool;
	choice->lane = lane;
	choice->timeout = request->timeout != 0 ? request->timeout : pool->ticket_timeout;
	choice->full = false;
	pick->shape = &pool->shape;
	pick->weights = pool->weights;
	pick->loads = lane->loads;
	pick->records = lane->records;
	pick->decay = &pool->decay;
	pick->random = (lb_random){&lane->head->stream, lane->shared, pool->env.random, pool->env.user};
	pick->now = now;
	pick->key = request->key;
	pick->lane = lane->number;
	pick->shared = lane->shared;
	pick->random_start = selector->random_start;
	pick->refused_n = 0;
}

int lb_select(lb_selector *selector, const lb_request *request, lb_ticket *ticket)
{
	static const lb_request ordinary = {0};

	if (!selector || !ticket || ticket->attempts > LB_TRIED_MAX)
		return LB_EINVAL;
	if (!request)
		request = &ordinary;
	lb_pool *pool = selector->pool;
	if (request->lane >= pool->lanes_n ||
	    (request->flags & ~(uint32_t)(LB_REQUEST_KEY | LB_REQUEST_HEDGE)) != 0)
		return LB_EINVAL;
	const lb_lane *lane = &pool->lanes[request->lane];
	if (!lane->shared && lb_get64(&lane->head->worker) == 0)
		return LB_EINVAL;
	lb_time now = request->now != 0 ? request->now : lb_env_now(&pool->env);
	if (ticket->id != 0)
		lb_ticket_settle(pool, ticket, LB_FAILURE, 0, now);
	if (!lane->shared)
		housekeep(pool, lane, now);
	if (lb_get(&pool->header->lanes_joined) != 0)
		lb_lane_refresh(pool, lane, now);
	lb_choice choice;
	begin_choice(&choice, selector, request, lane, now);
	choice.ticket = ticket;
	int error = answer(&choice, request);
	if (lb_events_waiting(pool))
		lb_events_deliver(pool);
	return error;
}
