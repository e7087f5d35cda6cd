/* Building and publishing the list of candidates. See view.h. */
#include "pool/view.h"

#include <string.h>

/* A view being made: how many of each tier, and where each tier's next member goes. */
typedef struct lb_draft {
	lb_pool *pool;
	uint32_t shut; /* the reasons that keep an endpoint out */
	uint32_t counts[LB_TIERS_MAX];
	uint32_t next[LB_TIERS_MAX];
	uint32_t eligible, members;
} lb_draft;

/* The tier that an endpoint belongs to while it may be used. */
static uint32_t tier_of(const lb_slot *slot)
{
	uint32_t degraded = lb_get(&slot->health) == LB_DEGRADED ? 1 : 0;

	return degraded * (LB_PRIORITY_MAX + 1) + lb_get(&slot->priority);
}

static bool eligible(const lb_draft *draft, const lb_slot *slot)
{
	return (lb_get(&slot->gates) & draft->shut) == 0;
}

static void count(lb_draft *draft)
{
	const lb_pool *pool = draft->pool;

	memset(draft->counts, 0, sizeof draft->counts);
	draft->eligible = draft->members = 0;
	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later)) {
		draft->members++;
		if (!eligible(draft, &pool->slots[at]))
			continue;
		draft->counts[tier_of(&pool->slots[at])]++;
		draft->eligible++;
	}
}

/* Are fewer than panic_percent of those that only health and breakers could keep out in use? */
static bool panics(lb_draft *draft)
{
	uint32_t percent = draft->pool->panic_percent;
	uint32_t usable = draft->eligible;

	if (percent == 0)
		return false;
	draft->shut = LB_GATES_CLOSED & ~(uint32_t)(LB_WHY_HEALTH | LB_WHY_BREAKER);
	count(draft);
	if ((uint64_t)usable * 100 < (uint64_t)draft->eligible * percent)
		return true;
	draft->shut = LB_GATES_CLOSED;
	count(draft);
	return false;
}

/* Turns the counts into places. Returns the number of tiers; writes them if `view` is given. */
static uint32_t place_tiers(lb_draft *draft, lb_view *view)
{
	uint32_t first = 0, tiers = 0;

	for (uint32_t number = 0; number < LB_TIERS_MAX; number++) {
		uint32_t n = draft->counts[number];
		draft->next[number] = first;
		if (n == 0)
			continue;
		lb_put(&view->tiers[tiers].number, number);
		lb_put(&view->tiers[tiers].first, first);
		lb_put(&view->tiers[tiers].n, n);
		tiers++;
		first += n;
	}
	return tiers;
}

static void place_members(lb_draft *draft, lb_member *members)
{
	const lb_pool *pool = draft->pool;
	uint32_t rest = draft->eligible;

	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
	     at = lb_get(&pool->about[at].later)) {
		const lb_slot *slot = &pool->slots[at];
		/* a gate that shut since the count would overflow its tier's place: bounded by the array all the same */
		uint32_t tier = tier_of(slot);
		bool fits = eligible(draft, slot) && draft->counts[tier] > 0;
		uint32_t place = fits ? draft->next[tier]++ : rest++;
		if (fits)
			draft->counts[tier]--;
		if (place >= pool->shape.slots)
			continue;
		lb_put(&members[place].slot, at);
		lb_put(&members[place].order, lb_get(&pool->about[at].order));
	}
}

/* Fills the half that `sequence` names. */
static void fill(lb_pool *pool, uint32_t sequence)
{
	lb_view *view = &pool->views[sequence & 1];
	lb_draft draft = {.pool = pool, .shut = LB_GATES_CLOSED};

	count(&draft);
	bool panic = panics(&draft);
	lb_put(&view->tiers_n, place_tiers(&draft, view));
	lb_put(&view->eligible_n, draft.eligible);
	lb_put(&view->members_n, draft.members);
	lb_put(&view->panic, panic);
	place_members(&draft, &pool->members[(size_t)(sequence & 1) * pool->shape.slots]);
}

static const char *name_of(const void *pool, uint32_t slot)
{
	return ((const lb_pool *)pool)->about[slot].name;
}

/* The living members with a weight, priority by priority, whether they are eligible or not. */
static void list_levels(const lb_pool *pool, lb_tier *levels, uint32_t buffer)
{
	uint32_t used = 0;

	for (uint32_t priority = 0; priority <= LB_PRIORITY_MAX; priority++) {
		uint32_t first = used;
		for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT;
		     at = lb_get(&pool->about[at].later)) {
			if (lb_get(&pool->slots[at].priority) != priority || lb_get(&pool->weights[at]) == 0)
				continue;
			lb_put(&pool->levels[used].slot, at);
			lb_put(&pool->levels[used++].order, lb_get(&pool->about[at].order));
		}
		levels[priority] = (lb_tier){.members = pool->levels + first,
					     .first = first,
					     .n = used - first,
					     .number = priority,
					     .buffer = buffer};
	}
}

static void build_tables(lb_pool *pool, uint32_t sequence)
{
	lb_tier tiers[LB_TIERS_MAX], levels[LB_PRIORITY_MAX + 1];
	lb_view_hold hold = {
	    .view = &pool->views[sequence & 1],
	    .members = &pool->members[(size_t)(sequence & 1) * pool->shape.slots],
	    .sequence = sequence,
	};
	lb_algo_view view = {
	    .shape = &pool->shape,
	    .weights = pool->weights,
	    .tiers = tiers,
	    .tiers_n = lb_get(&hold.view->tiers_n),
	    .levels = levels,
	    .name = name_of,
	    .names = pool,
	};

	list_levels(pool, levels, sequence & 1);
	for (uint32_t place = 0; place < view.tiers_n; place++)
		tiers[place] = lb_view_tier_at(pool, &hold, place);
	for (uint32_t i = 0; i < pool->selectors_max; i++) {
		const lb_tables *tables = &pool->tables[i];
		if (!tables->algo || !tables->algo->build)
			continue;
		view.rules = tables->rules;
		tables->algo->build(tables->state, &view);
	}
}

static void publish(lb_pool *pool, uint32_t sequence)
{
	build_tables(pool, sequence);
	lb_put_release(&pool->header->view, sequence);
}

/* Takes the mark away, before the slots are read: a transition from now on sets it again. Returns whether it was set. */
static bool clean(lb_pool *pool)
{
	return lb_and(&pool->header->dirty, 0) != 0;
}

void lb_view_publish(lb_pool *pool)
{
	uint32_t sequence = lb_get(&pool->header->view) + 1;

	clean(pool);
	fill(pool, sequence);
	publish(pool, sequence);
}

static bool same_halves(const lb_pool *pool)
{
	const lb_view *a = &pool->views[0], *b = &pool->views[1];
	const lb_member *one = pool->members, *other = pool->members + pool->shape.slots;

	if (lb_get(&a->tiers_n) != lb_get(&b->tiers_n) || lb_get(&a->eligible_n) != lb_get(&b->eligible_n) ||
	    lb_get(&a->members_n) != lb_get(&b->members_n) || lb_get(&a->panic) != lb_get(&b->panic))
		return false;
	for (uint32_t i = 0; i < lb_get(&a->tiers_n); i++)
		if (lb_get(&a->tiers[i].number) != lb_get(&b->tiers[i].number) ||
		    lb_get(&a->tiers[i].n) != lb_get(&b->tiers[i].n))
			return false;
	for (uint32_t i = 0; i < lb_get(&a->members_n); i++)
		if (lb_get(&one[i].slot) != lb_get(&other[i].slot) ||
		    lb_get(&one[i].order) != lb_get(&other[i].order))
			return false;
	return true;
}

bool lb_view_refresh(lb_pool *pool)
{
	uint32_t sequence = lb_get(&pool->header->view) + 1;
	bool marked = clean(pool);

	fill(pool, sequence);
	/* a mark may stand for something that the list does not show, such as a table that a dying writer left half */
	if (!marked && same_halves(pool))
		return false;
	publish(pool, sequence);
	return true;
}
