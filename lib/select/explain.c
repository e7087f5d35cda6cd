/* Looking inside: a selector's table, and what would become of a request and why. */
#include "select/choice.h"

/* The first group that serves, whatever its share of the traffic. */
static lb_tier first_tier(const lb_selector *selector, const lb_view_hold *hold)
{
	bool divided = lb_get(&hold->view->tiers[0].groups_n) != 0 && !selector->keyed;

	return lb_group_tier(selector->pool, hold, (lb_group){0, divided ? 0 : LB_WHOLE_TIER});
}

uint32_t lb_selector_table(const lb_selector *selector, uint32_t i, lb_endpoint *endpoint, uint64_t *point)
{
	lb_algo_entry entry = {.slot = LB_NO_SLOT};

	if (!selector || !selector->algo->table)
		return 0;
	const lb_pool *pool = selector->pool;
	lb_view_hold hold = lb_view_hold_now(pool);
	lb_tier tier = first_tier(selector, &hold);
	if (tier.n == 0 || lb_get(&hold.view->tiers_n) == 0)
		return 0;
	uint32_t n = selector->algo->table(selector->state, &pool->shape, &tier, i, &entry);
	if (i >= n || entry.slot >= pool->shape.slots)
		return n;
	if (endpoint)
		*endpoint = lb_pool_id_of(pool, entry.slot);
	if (point)
		*point = entry.point;
	return n;
}

/* A lane to ask questions in: its own random numbers go on as they would, the lane's stay where they are. */
typedef struct lb_dry_lane {
	lb_algo_lane algo;
	lb_atomic64 stream;
} lb_dry_lane;

static void open_dry_lane(lb_dry_lane *dry, const lb_lane *lane)
{
	dry->algo = lane->algo;
	dry->algo.dry = true;
	lb_put64(&dry->stream, lb_get64(&lane->head->stream));
	dry->algo.random.stream = &dry->stream;
}

/* Asks without taking: what lb_select would take. */
static lb_taken ask_dry(lb_choice *choice, const lb_request *request, const lb_algo_lane *lane, uint32_t skip)
{
	lb_selector *selector = choice->selector;
	lb_pick *pick = choice->pick;

	*pick = (lb_pick){.lane = lane, .rules = &selector->rules, .now = pick->now, .key = pick->key};
	choice->first = (lb_group){LB_TIERS_MAX, LB_WHOLE_TIER};
	choice->named = LB_NO_SLOT;
	choice->skip = skip;
	choice->full = false;
	return lb_choose_as(choice, request);
}

/* The gates that count for a slot where it stands: in panic neither health nor breakers are asked. */
static uint32_t shut_for(const lb_choice *choice, uint32_t number)
{
	const lb_pool *pool = choice->pool;
	const lb_view *view = choice->view.view;
	uint32_t priority = lb_get(&pool->slots[number].priority), tiers = lb_get(&view->tiers_n);
	bool last_good = lb_get(&view->mode) == LB_VIEW_LAST_GOOD;

	if (last_good && lb_get(&pool->about[number].good) != lb_get(&pool->header->good))
		return LB_GATES_CLOSED;
	for (uint32_t place = 0; place < tiers && place < LB_TIERS_MAX; place++)
		if (lb_get(&view->tiers[place].number) == priority)
			return lb_view_shut(&choice->view, place);
	return LB_GATES_CLOSED;
}

/* All living endpoints that could not have had the request, each with everything that speaks against it. */
static void list_refused(lb_choice *choice, lb_explanation *explanation)
{
	const lb_pool *pool = choice->pool;
	uint32_t slots = lb_get_acquire(&pool->header->slots_used);

	choice->skip = LB_NO_SLOT;
	for (uint32_t slot = 0; slot < slots; slot++) {
		lb_endpoint endpoint = lb_pool_id_of(pool, slot);
		/* the chosen one may have a veto against it that gave way, or be a trial */
		if (lb_get_acquire(&pool->slots[slot].life) != LB_SLOT_LIVE ||
		    endpoint == explanation->choice)
			continue;
		uint32_t why = lb_choice_why(choice, slot, shut_for(choice, slot));
		if (why == 0)
			continue;
		if (explanation->refused_n < LB_REFUSALS_MAX)
			explanation->refused[explanation->refused_n] = (lb_refusal){endpoint, why};
		explanation->refused_n++;
	}
}

/* The bound that the request's tier has, and all soft vetoes, for the list of the refused. */
static void bind_first(lb_choice *choice)
{
	const lb_selector *selector = choice->selector;

	choice->view = lb_view_hold_now(choice->pool);
	choice->first = lb_group_first(selector, &choice->view, choice->pick);
	choice->vetoes = selector->keyed ? LB_WHY_BOUND | LB_WHY_RAMP : 0;
	choice->bound = 0;
	if (choice->first.place >= LB_TIERS_MAX)
		return;
	choice->shut = lb_view_shut(&choice->view, choice->first.place);
	lb_tier tier = lb_view_tier_at(choice->pool, &choice->view, choice->first.place);
	lb_choice_bind(choice, &tier);
}

int lb_explain(lb_selector *selector, const lb_request *request, lb_explanation *explanation, size_t size)
{
	static const lb_request ordinary = {0};
	static const lb_ticket fresh = {0};

	if (!selector || !explanation)
		return LB_EINVAL;
	if (size != sizeof *explanation)
		return LB_EVERSION;
	if (!request)
		request = &ordinary;
	lb_pool *pool = selector->pool;
	const lb_lane *lane = lb_request_lane(pool, request);
	if (!lane)
		return LB_EINVAL;
	lb_dry_lane dry;
	open_dry_lane(&dry, lane);
	lb_pick pick = {.lane = &dry.algo, .now = request->now != 0 ? request->now : lb_env_now(&pool->env)};
	if (selector->keyed)
		pick.key = lb_request_key(request, &pick);
	lb_choice choice = {
	    .selector = selector, .pool = pool, .lane = lane, .ticket = &fresh, .pick = &pick};
	lb_taken taken = ask_dry(&choice, request, &dry.algo, LB_NO_SLOT);
	*explanation = (lb_explanation){.result = taken.error};
	if (explanation->result == LB_OK) {
		explanation->choice = lb_pool_id_of(pool, taken.slot);
		explanation->reason = taken.reason;
		lb_taken next = ask_dry(&choice, request, &dry.algo, taken.slot);
		if (next.error == LB_OK)
			explanation->runner_up = lb_pool_id_of(pool, next.slot);
	}
	bind_first(&choice);
	list_refused(&choice, explanation);
	return LB_OK;
}
