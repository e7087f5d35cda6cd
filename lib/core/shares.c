/* How much of the traffic each level of priority gets. See shares.h. */
#include "core/shares.h"

#include "base/span.h"

/* What the levels are able to take, in per cent of the traffic. */
typedef struct abilities {
	uint32_t healthy[LB_LEVELS], degraded[LB_LEVELS];
} abilities;

static uint32_t ability(uint32_t part, const lb_level *level, uint32_t overprovision)
{
	return level->total > 0 ? (uint32_t)lb_min64(100, (uint64_t)overprovision * part / level->total) : 0;
}

/* Returns what all together are able to take, at most 100. */
static uint32_t measure(abilities *all, const lb_shares_rules *rules, const lb_level *levels, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		all->healthy[i] = ability(levels[i].healthy, &levels[i], rules->overprovision_percent);
		all->degraded[i] = ability(levels[i].degraded, &levels[i], rules->overprovision_percent);
		sum += all->healthy[i] + all->degraded[i];
	}
	return (uint32_t)lb_min64(sum, 100);
}

/* Gives each level in order as much of `load` as it is able to take. Returns what is left. */
static uint32_t distribute(uint32_t *loads, const uint32_t *able, uint32_t n, uint32_t load,
			   uint32_t available)
{
	for (uint32_t i = 0; i < n; i++) {
		loads[i] = (uint32_t)lb_min64(load, able[i] * 100 / available);
		load -= loads[i];
	}
	return load;
}

/* Adds to the first level that is able to take anything. Returns whether there is one. */
static bool add_to_first(uint32_t *loads, const uint32_t *able, uint32_t n, uint32_t load)
{
	for (uint32_t i = 0; i < n; i++) {
		if (able[i] > 0) {
			loads[i] += load;
			return true;
		}
	}
	return false;
}

static void share_by_health(lb_shares *shares, const abilities *all)
{
	uint32_t n = shares->n;
	uint32_t rest = distribute(shares->healthy, all->healthy, n, 100, shares->available);

	rest = distribute(shares->degraded, all->degraded, n, rest, shares->available);
	/* rounding left a few per cent */
	if (!add_to_first(shares->healthy, all->healthy, n, rest))
		add_to_first(shares->degraded, all->degraded, n, rest);
}

/* A level without endpoints has 0 % well. */
static bool in_panic(const lb_level *level, uint32_t percent)
{
	uint64_t well = (uint64_t)level->healthy + level->degraded;

	return level->total > 0 ? 100 * well < (uint64_t)percent * level->total : percent > 0;
}

/* Returns whether all levels are. */
static bool mark_panic(lb_shares *shares, const lb_shares_rules *rules, const lb_level *levels)
{
	uint32_t percent = (uint32_t)lb_min64(rules->panic_percent, 100);
	bool all = true;

	for (uint32_t i = 0; i < shares->n; i++) {
		shares->panic[i] = shares->available < 100 && in_panic(&levels[i], percent);
		all = all && shares->panic[i];
	}
	return all;
}

/* By the number of endpoints, whatever their health. Without any, all of it goes to level 0: it has to go somewhere. */
static void share_by_number(lb_shares *shares, const lb_level *levels)
{
	uint64_t hosts = 0;
	uint32_t first = 0, rest = 100;

	for (uint32_t i = 0; i < shares->n; i++)
		hosts += levels[i].hosts;
	for (uint32_t i = shares->n; i-- > 0;) {
		shares->healthy[i] = hosts > 0 ? (uint32_t)(UINT64_C(100) * levels[i].hosts / hosts) : 0;
		shares->degraded[i] = 0;
		rest -= shares->healthy[i];
		if (levels[i].hosts > 0)
			first = i;
	}
	shares->healthy[first] += rest;
}

void lb_shares_of(lb_shares *shares, const lb_shares_rules *rules, const lb_level *levels, uint32_t n)
{
	abilities all = {.healthy = {0}};

	*shares = (lb_shares){.n = n};
	shares->available = measure(&all, rules, levels, n);
	if (shares->available > 0)
		share_by_health(shares, &all);
	if (mark_panic(shares, rules, levels))
		share_by_number(shares, levels);
	else if (shares->available == 0)
		shares->healthy[0] = 100;
}
