/* Building and publishing the list of candidates. See view.h. */
#include "pool/view.h"

#include "pool/census.h"
#include "pool/ramps.h"
#include "pool/zones.h"

#define REST LB_TIERS_MAX /* in no tier */

/*
 * A view being made. Each living slot is looked at once, and what it was found to be is kept in pool->scratch: its gates may
 * change meanwhile.
 */
typedef struct lb_draft {
	lb_pool *pool;
	lb_view *view;
	uint32_t mode; /* LB_VIEW_* */
	lb_shares shares;
	bool divides; /* zones are obeyed */
	lb_zone_list zones[LB_LEVELS];
	lb_zone_census census[LB_TIERS_MAX];
	uint32_t counts[LB_TIERS_MAX];
	uint32_t next[LB_TIERS_MAX][LB_ZONES]; /* a tier that is not divided has one, the first */
	bool divided[LB_TIERS_MAX];
	uint32_t eligible, members;
} lb_draft;

/* Walks the living slots in order of addition. */
static uint32_t first_slot(const lb_pool *pool)
{
	return lb_get(&pool->header->oldest);
}

static uint32_t next_slot(const lb_pool *pool, uint32_t at)
{
	return lb_get(&pool->about[at].later);
}

/* Decides what the view stands for, and what each priority gets. */
static void share(lb_draft *draft)
{
	lb_level levels[LB_LEVELS];

	lb_census(draft->pool, levels);
	draft->mode = lb_census_share(draft->pool, levels, &draft->shares);
}

/* The tier that a slot belongs to now, or REST. */
static uint32_t tier_of(const lb_draft *draft, uint32_t number, lb_standing standing)
{
	const lb_pool *pool = draft->pool;
	uint32_t priority = lb_get(&pool->slots[number].priority);

	if (standing == LB_EXCLUDED)
		return REST;
	if (draft->mode == LB_VIEW_LAST_GOOD)
		return lb_was_good(pool, number) ? priority : REST;
	if (draft->shares.panic[priority])
		return pool->panic_fails && draft->mode == LB_VIEW_USABLE ? REST : priority;
	if (standing == LB_UNUSABLE)
		return REST;
	return standing == LB_USABLE_DEGRADED ? LB_LEVELS + priority : priority;
}

/* Are the members of a priority's tiers kept apart by zones? Not in panic. */
static bool divides(const lb_draft *draft, uint32_t priority)
{
	return draft->divides && !draft->shares.panic[priority] && draft->mode == LB_VIEW_USABLE;
}

/* Looks at each slot once: scratch holds its tier, and above that its zone's place in its priority's list. */
static void classify(lb_draft *draft)
{
	const lb_pool *pool = draft->pool;

	for (uint32_t at = first_slot(pool); at != LB_NO_SLOT; at = next_slot(pool, at)) {
		lb_standing standing = lb_standing_of(&pool->slots[at]);
		uint32_t priority = lb_get(&pool->slots[at].priority), zone = 0;
		uint32_t tier = tier_of(draft, at, standing);
		draft->members++;
		if (tier != REST) {
			draft->counts[tier]++;
			draft->eligible++;
		}
		if (divides(draft, priority) && standing != LB_EXCLUDED) {
			zone = lb_zone_place(&draft->zones[priority], lb_get(&pool->slots[at].zone));
			if (zone < LB_ZONES) {
				draft->census[priority].total[zone]++;
				draft->census[LB_LEVELS + priority].total[zone]++;
			}
			if (zone < LB_ZONES && tier != REST)
				draft->census[tier].members[zone]++;
		}
		lb_put(&pool->scratch[at], zone << 8 | tier);
	}
}

/* The load of a tier in per cent. */
static uint32_t load_of(const lb_draft *draft, uint32_t number)
{
	return number < LB_LEVELS ? draft->shares.healthy[number]
				  : draft->shares.degraded[number - LB_LEVELS];
}

static uint32_t panic_of(const lb_draft *draft, uint32_t number)
{
	if (draft->mode == LB_VIEW_LAST_GOOD)
		return LB_PANIC_ALL;
	if (number >= LB_LEVELS || !draft->shares.panic[number])
		return LB_PANIC_NONE;
	return draft->pool->panic_fails && draft->mode == LB_VIEW_USABLE ? LB_PANIC_FAILS : LB_PANIC_ALL;
}

static uint32_t reason_of(const lb_draft *draft, uint32_t number)
{
	if (draft->mode == LB_VIEW_OPEN)
		return LB_BY_FAIL_OPEN;
	if (draft->mode == LB_VIEW_LAST_GOOD)
		return LB_BY_LAST_GOOD;
	if (panic_of(draft, number) != LB_PANIC_NONE)
		return LB_BY_PANIC;
	return number == 0 ? LB_BY_ALGORITHM : LB_BY_SPILL;
}

/*
 * Divides a tier that begins at `first` between its zones, if zones are obeyed. Who is in a zone without weight is in no tier
 * then. Returns the groups that it took.
 */
static uint32_t divide_tier(lb_draft *draft, lb_view_tier *tier, uint32_t number, uint32_t first,
			    uint32_t groups)
{
	lb_zone_census *census = &draft->census[number];
	uint32_t made = 0, end = first;

	draft->next[number][0] = first;
	if (divides(draft, number % LB_LEVELS))
		made = lb_zones_divide_tier(draft->pool, draft->view, tier, &draft->zones[number % LB_LEVELS],
					    census, groups);
	draft->divided[number] = made > 0;
	if (made == 0)
		return 0;
	for (uint32_t zone = 0; zone < LB_ZONES; zone++) {
		draft->next[number][zone] = end;
		end += census->members[zone];
	}
	draft->eligible -= draft->counts[number] - (end - first);
	draft->counts[number] = end - first;
	return made;
}

/* Writes a tier that begins at `first`; divides it. Returns the groups that it took. */
static uint32_t place_tier(lb_draft *draft, lb_view_tier *tier, uint32_t number, uint32_t first,
			   uint32_t groups)
{
	lb_put(&tier->number, number);
	lb_put(&tier->first, first);
	lb_put(&tier->panic, panic_of(draft, number));
	lb_put(&tier->reason, reason_of(draft, number));
	uint32_t made = divide_tier(draft, tier, number, first, groups);
	lb_put(&tier->n, draft->counts[number]);
	return made;
}

/*
 * Turns the counts into places. A tier without members is none, unless it stands for load that is shed. Loads of empty tiers
 * (nobody is usable anywhere) go to nobody.
 */
static void place_tiers(lb_draft *draft)
{
	lb_view *view = draft->view;
	uint32_t first = 0, tiers = 0, until = 0, groups = 0, only = LB_TIERS_MAX;

	for (uint32_t number = 0; number < LB_TIERS_MAX; number++) {
		uint32_t load = load_of(draft, number);
		bool sheds = panic_of(draft, number) == LB_PANIC_FAILS && load > 0;
		if (draft->counts[number] == 0 && !sheds)
			continue;
		lb_view_tier *tier = &view->tiers[tiers];
		groups += place_tier(draft, tier, number, first, groups);
		until += load;
		lb_put(&tier->until, until);
		if (load == 100 && !draft->divided[number] && panic_of(draft, number) == LB_PANIC_NONE) {
			only = tiers;
			lb_put(&view->only_n, first == 0 ? draft->counts[number] : 0);
			lb_put(&view->only_number, number);
			lb_put(&view->only_reason, reason_of(draft, number));
		}
		tiers++;
		first += draft->counts[number];
	}
	lb_put(&view->tiers_n, tiers);
	lb_put(&view->only, only);
}

static void place_members(lb_draft *draft, lb_member *members)
{
	const lb_pool *pool = draft->pool;
	uint32_t rest = draft->eligible;

	for (uint32_t at = first_slot(pool); at != LB_NO_SLOT; at = next_slot(pool, at)) {
		uint32_t word = lb_get(&pool->scratch[at]);
		uint32_t tier = word & 0xff, zone = 0;
		if (tier != REST && draft->divided[tier]) {
			zone = word >> 8;
			tier = draft->census[tier].members[zone] > 0 ? tier : REST;
		}
		uint32_t place = tier == REST ? rest++ : draft->next[tier][zone]++;
		lb_put(&members[place].slot, at);
		lb_put(&members[place].order, lb_get(&pool->about[at].order));
	}
}

/* Fills the half that `sequence` names. */
static void fill(lb_pool *pool, uint32_t sequence)
{
	const lb_half *half = &pool->halves[sequence & 1];
	lb_draft draft = {.pool = pool, .view = half->view};
	lb_atomic32 *words = (lb_atomic32 *)draft.view;

	for (size_t i = 0; i < sizeof *draft.view / sizeof *words; i++)
		lb_put(&words[i], 0);
	draft.divides = lb_zones_divide(pool) != LB_DIVIDED_NOT;
	share(&draft);
	classify(&draft);
	place_tiers(&draft);
	lb_put(&draft.view->mode, draft.mode);
	lb_put(&draft.view->eligible_n, draft.eligible);
	lb_put(&draft.view->members_n, draft.members);
	place_members(&draft, half->members);
}

static const char *name_of(const void *pool, uint32_t slot)
{
	return ((const lb_pool *)pool)->about[slot].name;
}

/*
 * The living members with a keyed weight, priority by priority, whether they are eligible or not: counted, then placed. Weights
 * and priorities change under control only, so both looks see the same.
 */
static void list_levels(const lb_pool *pool, lb_tier *levels, uint32_t buffer)
{
	uint32_t counts[LB_LEVELS] = {0}, first = 0;

	for (uint32_t at = first_slot(pool); at != LB_NO_SLOT; at = next_slot(pool, at))
		counts[lb_get(&pool->slots[at].priority)] += lb_get(&pool->weights_keyed[at]) != 0;
	for (uint32_t priority = 0; priority < LB_LEVELS; priority++) {
		levels[priority] = (lb_tier){
		    .members = pool->levels + first, .first = first, .number = priority, .buffer = buffer};
		first += counts[priority];
	}
	for (uint32_t at = first_slot(pool); at != LB_NO_SLOT; at = next_slot(pool, at)) {
		lb_tier *level = &levels[lb_get(&pool->slots[at].priority)];
		if (lb_get(&pool->weights_keyed[at]) == 0)
			continue;
		lb_member *member = &pool->levels[level->first + level->n++];
		lb_put(&member->slot, at);
		lb_put(&member->order, lb_get(&pool->about[at].order));
	}
}

/* The tiers as an algorithm sees them: whole, or (unless it goes by keys) zone by zone where they are divided. */
static uint32_t list_tiers(const lb_pool *pool, const lb_view_hold *hold, bool keyed, lb_tier *tiers)
{
	uint32_t tiers_n = lb_get(&hold->view->tiers_n), n = 0;

	for (uint32_t place = 0; place < tiers_n; place++) {
		lb_tier whole = lb_view_tier_at(pool, hold, place);
		uint32_t groups = keyed ? 0 : lb_get(&hold->view->tiers[place].groups_n);
		if (groups == 0)
			tiers[n++] = whole;
		for (uint32_t group = 0; group < groups; group++)
			tiers[n++] = lb_view_group_at(pool, hold, place, group);
	}
	return n;
}

static void build_tables(lb_pool *pool, uint32_t sequence)
{
	lb_tier tiers[LB_GROUPS_MAX], levels[LB_PRIORITY_MAX + 1];
	lb_view_hold hold = lb_view_hold_at(pool, sequence);
	lb_algo_view view = {
	    .shape = &pool->shape,
	    .tiers = tiers,
	    .levels = levels,
	    .name = name_of,
	    .names = pool,
	};

	lb_zones_weigh_keyed(pool, &hold);
	list_levels(pool, levels, sequence & 1);
	for (uint32_t i = 0; i < pool->selectors_max; i++) {
		const lb_tables *tables = &pool->tables[i];
		if (!tables->algo || !tables->algo->build)
			continue;
		bool keyed = (tables->algo->traits & LB_ALGO_KEYED) != 0;
		view.rules = tables->rules;
		view.weights = keyed ? pool->weights_keyed : pool->weights_now;
		view.tiers_n = list_tiers(pool, &hold, keyed, tiers);
		tables->algo->build(tables->state, &view);
	}
}

/* Marks the usable, for a pool that fails to its last good ones. */
static void stamp_good(lb_pool *pool)
{
	uint32_t good = lb_get(&pool->header->good) + 1;

	if (good == 0)
		good = 1;
	for (uint32_t at = first_slot(pool); at != LB_NO_SLOT; at = next_slot(pool, at))
		if ((lb_get(&pool->scratch[at]) & 0xff) != REST)
			lb_put(&pool->about[at].good, good);
	lb_put(&pool->header->good, good);
}

static void publish(lb_pool *pool, uint32_t sequence)
{
	const lb_view *view = pool->halves[sequence & 1].view;

	if (lb_get(&view->mode) == LB_VIEW_USABLE && lb_get(&view->eligible_n) > 0 &&
	    pool->fail_mode == LB_FAIL_LAST_GOOD)
		stamp_good(pool);
	build_tables(pool, sequence);
	lb_put_release(&pool->header->view, sequence);
}

/* Takes the mark away, before the slots are read: a transition from now on sets it again. Returns whether it was set. */
static bool clean(lb_pool *pool)
{
	return lb_and(&pool->header->dirty, 0) != 0;
}

void lb_view_publish(lb_pool *pool, lb_time now)
{
	uint32_t sequence = lb_get(&pool->header->view) + 1;

	clean(pool);
	lb_ramps_follow(pool, now);
	fill(pool, sequence);
	publish(pool, sequence);
}

static bool same_halves(const lb_pool *pool)
{
	const lb_half *half = pool->halves;
	const lb_atomic32 *a = (const lb_atomic32 *)half[0].view, *b = (const lb_atomic32 *)half[1].view;
	const lb_member *one = half[0].members, *other = half[1].members;

	for (size_t i = 0; i < sizeof(lb_view) / sizeof *a; i++)
		if (lb_get(&a[i]) != lb_get(&b[i]))
			return false;
	for (uint32_t i = 0; i < lb_get(&half[0].view->members_n); i++)
		if (lb_get(&one[i].slot) != lb_get(&other[i].slot) ||
		    lb_get(&one[i].order) != lb_get(&other[i].order))
			return false;
	return true;
}

bool lb_view_refresh(lb_pool *pool, lb_time now)
{
	uint32_t sequence = lb_get(&pool->header->view) + 1;
	bool marked = clean(pool);
	bool reweighed = lb_ramps_follow(pool, now);

	fill(pool, sequence);
	/* a mark may stand for something that the list does not show, such as a table that a dying writer left half */
	if (!marked && !reweighed && same_halves(pool))
		return false;
	publish(pool, sequence);
	return true;
}
