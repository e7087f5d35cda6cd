/*
 * Alias tables: a draw by weight in constant time. Sources: A. Walker (1977), M. Vose (1991), in integers. One table
 * for each tier of a view, in two halves; used by the algorithms that begin with a draw.
 */
#ifndef LB_ALGO_ALIAS_H
#define LB_ALGO_ALIAS_H

#include "algo/algo.h"

typedef struct lb_alias_entry {
	lb_atomic32 threshold; /* chance of `own`, of 2^32; UINT32_MAX = always */
	lb_atomic32 slots;     /* own << 16 | other */
} lb_alias_entry;

/* The state of an algorithm that draws: this head, then 2 x slots entries, then control's scratch. */
typedef struct lb_alias {
	lb_atomic32
	    uneven[2][LB_GROUPS_MAX]; /* 0: all weights of the tier are the same, and no table is needed */
} lb_alias;

size_t lb_alias_size(const lb_algo_shape *shape, const lb_algo_rules *rules);
void lb_alias_build(void *state, const lb_algo_view *view);

static inline bool lb_alias_uneven(const lb_alias *alias, const lb_tier *tier)
{
	return lb_get(&alias->uneven[tier->buffer][tier->number]) != 0;
}

/* Draws a slot by weight: 32 bits of `random` choose the entry, 32 between its two slots. */
static inline uint32_t lb_alias_draw(const lb_alias *alias, const lb_tier *tier, uint32_t slots, bool uneven,
				     uint64_t random)
{
	uint32_t place = lb_below((uint32_t)(random >> 32), tier->n);

	if (!uneven)
		return lb_tier_slot(tier, place);
	const lb_alias_entry *entries = (const lb_alias_entry *)(alias + 1) + (size_t)tier->buffer * slots;
	const lb_alias_entry *entry = &entries[tier->first + place];
	uint32_t pair = lb_get(&entry->slots);
	bool own = (uint32_t)random <= lb_get(&entry->threshold);

	/* without a branch: which of the two it is cannot be foretold */
	return own ? pair >> 16 : pair & 0xffff;
}

#endif
