/* Who is what to its priority; and the shares of the priorities, for people. See census.h. */
#include "pool/census.h"

lb_standing lb_standing_of(const lb_slot *slot)
{
	uint32_t gates = lb_get(&slot->gates) & LB_GATES_CLOSED;

	if ((gates & (LB_GATES_HARD | LB_WHY_STANDBY)) != 0)
		return LB_EXCLUDED;
	if (gates != 0)
		return LB_UNUSABLE;
	return lb_get(&slot->health) == LB_DEGRADED ? LB_USABLE_DEGRADED : LB_USABLE;
}

void lb_census(const lb_pool *pool, lb_level levels[LB_LEVELS])
{
	uint32_t slots = lb_get_acquire(&pool->header->slots_used);

	for (uint32_t i = 0; i < LB_LEVELS; i++)
		levels[i] = (lb_level){0};
	for (uint32_t number = 0; number < slots; number++) {
		const lb_slot *slot = &pool->slots[number];
		if (lb_get_acquire(&slot->life) != LB_SLOT_LIVE)
			continue;
		lb_standing standing = lb_standing_of(slot);
		lb_level *level = &levels[lb_get(&slot->priority) & (LB_LEVELS - 1)];
		if (standing == LB_EXCLUDED)
			continue;
		/* in panic traffic goes by those who can take any: the excluded are no hosts either */
		level->total++;
		level->hosts++;
		level->healthy += standing == LB_USABLE;
		level->degraded += standing == LB_USABLE_DEGRADED;
	}
}

/* Those who were usable last, as if they were now: of as many as there are. */
static void count_last_good(const lb_pool *pool, lb_level levels[LB_LEVELS])
{
	uint32_t slots = lb_get_acquire(&pool->header->slots_used);

	for (uint32_t i = 0; i < LB_LEVELS; i++)
		levels[i].healthy = levels[i].degraded = 0;
	for (uint32_t number = 0; number < slots; number++) {
		const lb_slot *slot = &pool->slots[number];
		if (lb_get_acquire(&slot->life) == LB_SLOT_LIVE && lb_was_good(pool, number) &&
		    lb_standing_of(slot) != LB_EXCLUDED)
			levels[lb_get(&slot->priority) & (LB_LEVELS - 1)].healthy++;
	}
}

uint32_t lb_census_share(const lb_pool *pool, const lb_level levels[LB_LEVELS], lb_shares *shares)
{
	lb_shares_rules rules = pool->shares;
	lb_level good[LB_LEVELS];
	uint32_t usable = 0, mode = LB_VIEW_USABLE;

	for (uint32_t i = 0; i < LB_LEVELS; i++) {
		usable += levels[i].healthy + levels[i].degraded;
		good[i] = levels[i];
	}
	/* panic has an answer of its own to "nobody" */
	if (usable == 0 && rules.panic_percent == 0 && pool->fail_mode == LB_FAIL_OPEN) {
		mode = LB_VIEW_OPEN;
		rules.panic_percent = 100;
	} else if (usable == 0 && rules.panic_percent == 0 && pool->fail_mode == LB_FAIL_LAST_GOOD) {
		mode = LB_VIEW_LAST_GOOD;
		count_last_good(pool, good);
	}
	lb_shares_of(shares, &rules, good, LB_LEVELS);
	for (uint32_t i = 0; i < LB_LEVELS; i++) {
		/* in panic the whole priority is one */
		if (shares->panic[i]) {
			shares->healthy[i] += shares->degraded[i];
			shares->degraded[i] = 0;
		}
	}
	return mode;
}

int lb_pool_shares(const lb_pool *pool, lb_share *out, uint32_t n, size_t size)
{
	lb_level levels[LB_LEVELS];
	lb_shares shares;

	if (!pool || !out || n == 0 || n > LB_LEVELS)
		return LB_EINVAL;
	if (size != sizeof *out)
		return LB_EVERSION;
	lb_census(pool, levels);
	lb_census_share(pool, levels, &shares);
	for (uint32_t i = 0; i < n; i++)
		out[i] = (lb_share){
		    .healthy_percent = shares.healthy[i],
		    .degraded_percent = shares.degraded[i],
		    .panic = shares.panic[i],
		    .endpoints = levels[i].total,
		    .healthy = levels[i].healthy,
		    .degraded = levels[i].degraded,
		};
	return LB_OK;
}
