/* What the algorithms that look at every candidate have in common: where they start, so that ties rotate. */
#ifndef LB_ALGO_LEAST_H
#define LB_ALGO_LEAST_H

#include "algo/algo.h"

/*
 * A lane's place behind its last pick; 0 = there was none yet. The scan starts there and keeps the first of equals, so equal
 * candidates are served in turn, whatever stands between them.
 */
typedef struct lb_scan {
	_Alignas(LB_LINE) lb_atomic32 next;
} lb_scan;

static inline size_t lb_scan_size(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return shape->lanes * sizeof(lb_scan);
}

/* A question that is asked again keeps its place in pick->cursor, as the lane's does not move. */
static inline uint32_t lb_scan_start(const lb_scan *scan, const lb_tier *tier, const lb_pick *pick)
{
	bool goes_on = pick->lane->dry && pick->cursor != 0;
	uint32_t start = goes_on ? (uint32_t)pick->cursor : lb_get(&scan->next);

	if (start == 0 && pick->rules->random_start)
		return lb_pick_place(pick, tier);
	return start < tier->n ? start : 0;
}

/* Ends a scan that chose `place` (LB_NO_SLOT: none). Returns the slot there. */
static inline uint32_t lb_scan_end(lb_scan *scan, const lb_tier *tier, lb_pick *pick, uint32_t place)
{
	if (place == LB_NO_SLOT)
		return LB_NO_SLOT;
	if (pick->lane->dry)
		pick->cursor = place + 1;
	else
		lb_put(&scan->next, place + 1);
	return lb_tier_slot(tier, place);
}

#endif
