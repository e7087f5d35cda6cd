/*
 * The careful way to an endpoint: the order of questions. A preference, a trial for a circuit that wants one, then tier by
 * tier what the algorithm names, any that is left, and the last resorts. lb_choice_take() refuses or takes each candidate.
 */
#include "base/gcd.h"
#include "pool/census.h"
#include "pool/chain.h"
#include "select/trials.h"

#define ROUNDS_MAX 8u  /* through candidates that changed meanwhile */
#define ASKS_MAX 4096u /* of an algorithm that names candidates in an order of its own */

/* Puts a slot on the list of those that the algorithm need not name again. */
static void refuse(lb_choice *choice, uint32_t slot)
{
	lb_pick *pick = choice->pick;

	if (pick->refused_n < LB_REFUSED_MAX)
		pick->refused[pick->refused_n++] = (uint16_t)slot;
}

/* The soft vetoes that this request has to reckon with. */
static uint32_t vetoes_of(const lb_choice *choice)
{
	const lb_pool *pool = choice->pool;
	uint32_t vetoes = 0;

	if (choice->ticket->attempts > 0)
		vetoes |= LB_WHY_ZONE;
	if (choice->selector->bound_percent != 0)
		vetoes |= LB_WHY_BOUND;
	if (pool->has_ramp && choice->selector->keyed)
		vetoes |= LB_WHY_RAMP;
	return vetoes;
}

/* Those that were tried are refused beforehand. */
static void refuse_tried(lb_choice *choice)
{
	lb_pool *pool = choice->pool;

	choice->pick->refused_n = 0;
	for (uint32_t i = 0; i < choice->ticket->attempts; i++) {
		uint32_t slot = lb_pool_slot(pool, choice->ticket->tried[i], false);
		if (slot != LB_NO_SLOT)
			refuse(choice, slot);
	}
	if (choice->skip != LB_NO_SLOT)
		refuse(choice, choice->skip);
}

static void begin_round(lb_choice *choice)
{
	choice->view = lb_view_hold_now(choice->pool);
	choice->shut = LB_GATES_CLOSED;
	choice->vetoes = vetoes_of(choice);
	refuse_tried(choice);
	if (choice->named == LB_NO_SLOT)
		choice->first = lb_group_first(choice->selector, &choice->view, choice->pick);
	else
		choice->first = (lb_group){lb_get(&choice->view.view->only), LB_WHOLE_TIER};
}

/* A refused primary that stands by has its turn taken by whoever stands in for it. */
static bool take_stand_in(lb_choice *choice, uint32_t slot)
{
	uint32_t stand_in = lb_get_acquire(&choice->pool->slots[slot].stand_in);

	return stand_in != 0 && stand_in <= choice->pool->shape.slots &&
	       lb_choice_take(choice, stand_in - 1, choice->shut);
}

/* The gates that count for a preference: an old token's endpoint serves it while it is being drained, not when it is down. */
static uint32_t shut_for(const lb_pool *pool, uint32_t slot, const lb_request *request)
{
	bool drained = lb_get(&pool->slots[slot].admin) == LB_ADMIN_DRAIN;

	return (request->flags & LB_REQUEST_TOKEN) != 0 && drained ? LB_GATES_CLOSED & ~(uint32_t)LB_WHY_ADMIN
								   : LB_GATES_CLOSED;
}

static bool prefer(lb_choice *choice, const lb_request *request)
{
	lb_pool *pool = choice->pool;

	if (request->prefer == LB_NO_ENDPOINT)
		return false;
	uint32_t vetoes = choice->vetoes;
	uint32_t slot = lb_pool_slot(pool, request->prefer, false);
	/* the host's word stands above our soft vetoes */
	choice->vetoes = 0;
	bool taken = slot != LB_NO_SLOT && lb_choice_take(choice, slot, shut_for(pool, slot, request));
	choice->vetoes = vetoes;
	if (!taken)
		return false;
	/* the slot may have changed hands before it was taken */
	if (lb_pool_id_of(pool, slot) != request->prefer) {
		lb_choice_give_back(choice);
		return false;
	}
	choice->taken.reason = LB_BY_PREFERENCE;
	return true;
}

/*
 * Is a slot of the tier's kind? An algorithm may name any of the priority: nginx's hash places all that live, and finds out
 * later who may be used.
 */
static bool belongs(const lb_choice *choice, const lb_tier *tier, uint32_t slot)
{
	const lb_pool *pool = choice->pool;

	if ((choice->selector->algo->traits & LB_ALGO_LEVELS) == 0)
		return true;
	if (lb_get(&choice->view.view->mode) == LB_VIEW_LAST_GOOD)
		return lb_was_good(pool, slot);
	bool degraded = lb_get(&pool->slots[slot].health) == LB_DEGRADED;
	return choice->shut != LB_GATES_CLOSED || degraded == (tier->number >= LB_LEVELS);
}

/* Asks the algorithm about a group's candidates; its first answer may be known already. */
static bool ask(lb_choice *choice, const lb_tier *tier)
{
	lb_pick *pick = choice->pick;
	bool ordered = (choice->selector->algo->traits & LB_ALGO_ORDERED) != 0;
	uint32_t asks = ordered ? ASKS_MAX : LB_PICKS_MAX;

	pick->attempt = 0;
	if (choice->named == LB_NO_SLOT)
		pick->cursor = 0;
	for (; pick->attempt < asks; pick->attempt++) {
		uint32_t slot = choice->named;
		choice->named = LB_NO_SLOT;
		if (slot == LB_NO_SLOT)
			slot = choice->selector->pick(choice->selector->state, tier, pick);
		if (slot >= choice->pool->shape.slots)
			return false;
		if (belongs(choice, tier, slot) &&
		    (lb_choice_take(choice, slot, choice->shut) || take_stand_in(choice, slot)))
			return true;
		refuse(choice, slot);
	}
	return false;
}

/*
 * Tries `n` members of the view from `first` on, all of them: from a random place in steps of a random length that has no
 * divisor in common with n. So it is not the neighbour of many refused ones that gets their turns. Where a key decides, the
 * key decides here, too.
 */
static bool walk(lb_choice *choice, uint32_t first, uint32_t n, uint32_t shut)
{
	uint32_t slots = choice->pool->shape.slots;

	if (n == 0 || first >= slots || n > slots - first)
		return false;
	uint64_t random =
	    choice->selector->keyed ? lb_mix64(choice->pick->key) : lb_pick_random(choice->pick);
	uint32_t at = lb_below((uint32_t)(random >> 32), n);
	uint32_t step = 1 + lb_below((uint32_t)random, n);
	while (lb_gcd(step, n) != 1)
		step++;
	for (uint32_t steps = 0; steps < n; steps++, at = (uint32_t)(((uint64_t)at + step) % n)) {
		uint32_t slot = lb_get(&choice->view.members[first + at].slot);
		if (slot < slots && lb_choice_take(choice, slot, shut))
			return true;
	}
	return false;
}

/* The other zones of a tier, each its algorithm's choice: first that of any member of theirs, then in order. */
static bool ask_other_zones(lb_choice *choice, lb_group refused, const lb_tier *whole, const lb_tier *asked)
{
	uint32_t groups = lb_get(&choice->view.view->tiers[refused.place].groups_n), start = 0;

	if (whole->n <= asked->n || groups > LB_ZONES)
		return false;
	uint32_t at =
	    whole->first + lb_below((uint32_t)(lb_pick_random(choice->pick) >> 32), whole->n - asked->n);
	if (at >= asked->first)
		at += asked->n;
	for (uint32_t group = 1; group < groups; group++)
		if (lb_view_group_at(choice->pool, &choice->view, refused.place, group).first <= at)
			start = group;
	for (uint32_t i = 0; i < groups; i++) {
		lb_group group = {refused.place, (start + i) % groups};
		lb_tier other = lb_group_tier(choice->pool, &choice->view, group);
		if (group.zone == refused.zone || other.n == 0)
			continue;
		choice->pick->refused_n = 0;
		choice->taken.reason = lb_group_reason(&choice->view, group);
		if (ask(choice, &other))
			return true;
	}
	return false;
}

/* One tier: the algorithm's choice, else any that is left. */
static bool ask_and_walk(lb_choice *choice, lb_group group)
{
	lb_tier whole = lb_view_tier_at(choice->pool, &choice->view, group.place);
	lb_tier asked = lb_group_tier(choice->pool, &choice->view, group);

	choice->shut = lb_view_shut(&choice->view, group.place);
	choice->taken.reason = lb_group_reason(&choice->view, group);
	if (whole.n == 0)
		return false;
	lb_choice_bind(choice, &whole);
	if (asked.n > 0 && ask(choice, &asked))
		return true;
	choice->named = LB_NO_SLOT;
	if (group.zone != LB_WHOLE_TIER && ask_other_zones(choice, group, &whole, &asked))
		return true;
	if (choice->taken.reason == LB_BY_ALGORITHM || choice->taken.reason == LB_BY_SPILL)
		choice->taken.reason = LB_BY_LAST_RESORT;
	return walk(choice, whole.first, whole.n, choice->shut);
}

/* Slow start moves a key to another endpoint of the tier, never to another tier: who all lack it have it all the same. */
static bool choose_from_tier(lb_choice *choice, lb_group group)
{
	if (ask_and_walk(choice, group))
		return true;
	if ((choice->vetoes & LB_WHY_RAMP) == 0)
		return false;
	uint32_t vetoes = choice->vetoes;
	choice->vetoes &= ~(uint32_t)LB_WHY_RAMP;
	refuse_tried(choice);
	bool taken = ask_and_walk(choice, group);
	choice->vetoes = vetoes;
	return taken;
}

/* The tier that the request's share fell to, then the others in order. */
static bool choose_from_tiers(lb_choice *choice)
{
	uint32_t tiers = lb_get(&choice->view.view->tiers_n);
	uint32_t first = choice->first.place;

	if (first < LB_TIERS_MAX && choose_from_tier(choice, choice->first))
		return true;
	for (uint32_t place = 0; place < tiers && place < LB_TIERS_MAX; place++) {
		if (place == first)
			continue;
		if (choose_from_tier(choice,
				     lb_group_of(choice->selector, &choice->view, place, choice->pick)))
			return true;
	}
	choice->shut = LB_GATES_CLOSED;
	choice->bound = 0;
	return false;
}

/* Do health and breakers leave somebody? Then the pool has not failed, only this request found nobody. */
static bool has_usable(const lb_choice *choice, uint32_t members)
{
	const lb_pool *pool = choice->pool;

	for (uint32_t place = 0; place < members && place < pool->shape.slots; place++) {
		uint32_t slot = lb_get(&choice->view.members[place].slot);
		if (slot < pool->shape.slots && lb_standing_of(&pool->slots[slot]) >= LB_USABLE)
			return true;
	}
	return false;
}

/* Nobody at all: what the pool's panic and its fail_mode say. Before a view is published that says the same. */
static bool choose_from_failed(lb_choice *choice, uint32_t members)
{
	const lb_pool *pool = choice->pool;
	bool panics = pool->shares.panic_percent != 0;

	if (panics ? pool->panic_fails : pool->fail_mode == LB_FAIL_CLOSED)
		return false;
	if (has_usable(choice, members))
		return false;
	choice->taken.reason = panics ? LB_BY_PANIC : LB_BY_FAIL_OPEN;
	choice->shut = LB_GATES_HARD | LB_WHY_STANDBY;
	if (!panics && pool->fail_mode == LB_FAIL_LAST_GOOD) {
		/* the view's candidates are the last good ones */
		choice->taken.reason = LB_BY_LAST_GOOD;
		members = lb_get(&choice->view.view->eligible_n);
	}
	return walk(choice, 0, members, choice->shut);
}

/*
 * Nobody of the published tiers: those that were not eligible when the view was published may be by now, or have an open
 * circuit whose time is over.
 */
static bool choose_from_rest(lb_choice *choice)
{
	uint32_t eligible = lb_get(&choice->view.view->eligible_n);
	uint32_t members = lb_get(&choice->view.view->members_n);

	choice->taken.reason = LB_BY_LAST_RESORT;
	if (members > eligible && walk(choice, eligible, members - eligible, choice->shut))
		return true;
	choice->taken.reason = LB_BY_TRIAL;
	if (choice->pool->has_breaker &&
	    walk(choice, 0, members, LB_GATES_CLOSED & ~(uint32_t)LB_WHY_BREAKER))
		return true;
	return choose_from_failed(choice, members);
}

/* Does the request's share of the traffic belong to a priority whose panic fails? */
static bool is_shed(const lb_choice *choice)
{
	uint32_t place = choice->first.place;

	return place < LB_TIERS_MAX && lb_get(&choice->view.view->tiers[place].panic) == LB_PANIC_FAILS;
}

/* A round with all soft vetoes, if there are any, one without that of the zone, and one without any. */
static bool choose_in_round(lb_choice *choice)
{
	if (is_shed(choice))
		return false;
	while (choice->vetoes != 0) {
		if (choose_from_tiers(choice))
			return true;
		bool by_zone = (choice->vetoes & LB_WHY_ZONE) != 0;
		choice->vetoes = by_zone ? choice->vetoes & ~(uint32_t)LB_WHY_ZONE : 0;
		choice->pick->refused_n = 0;
		choice->named = LB_NO_SLOT;
	}
	return choose_from_tiers(choice) || choose_from_rest(choice);
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
	if (prefer(choice, request))
		return true;
	if (choice->ticket->attempts == 0 && now >= lb_get64(&pool->header->trial_at) &&
	    lb_choice_try_trial(choice))
		return true;
	for (uint32_t round = 1;; round++) {
		if (choose_in_round(choice))
			return true;
		if (round == ROUNDS_MAX || choice->pick->lane->dry || !changed_meanwhile(choice, mark))
			return false;
		mark = lb_chains_mark(pool);
		choice->named = LB_NO_SLOT;
		begin_round(choice);
	}
}

lb_taken lb_choose_as(lb_choice *choice, const lb_request *request)
{
	if (choose(choice, request))
		return choice->taken;
	return (lb_taken){.error = choice->full ? LB_EFULL : LB_ENONE, .slot = LB_NO_SLOT};
}

lb_taken lb_choose(lb_selector *selector, const lb_request *request, const lb_lane *lane,
		   const lb_ticket *ticket, lb_pick *pick, uint32_t named)
{
	lb_choice choice = {
	    .selector = selector,
	    .pool = selector->pool,
	    .lane = lane,
	    .ticket = ticket,
	    .pick = pick,
	    .named = named,
	    .skip = LB_NO_SLOT,
	};

	return lb_choose_as(&choice, request);
}
