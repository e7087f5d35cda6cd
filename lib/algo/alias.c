/* Building alias tables. See alias.h. */
#include "algo/alias.h"

/*
 * One tier's table while it is built. A member's `left` is its weight x n, of which each entry takes `whole`. Members
 * wait in one array: the small ones (less than a whole left) from its bottom up, the large ones from its top down.
 */
typedef struct lb_alias_draft {
	const lb_member *members;
	lb_alias_entry *entries;
	uint64_t *left;
	uint16_t *waiting;
	uint64_t whole; /* the sum of the weights */
	uint32_t n, small, large;
} lb_alias_draft;

static size_t scratch_offset(const lb_algo_shape *shape)
{
	return sizeof(lb_alias) + 2 * (size_t)shape->slots * sizeof(lb_alias_entry);
}

size_t lb_alias_size(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return scratch_offset(shape) + (size_t)shape->slots * (sizeof(uint64_t) + sizeof(uint16_t));
}

/* part / whole as a fraction of 2^32, for part < whole, less than one unit too small; above 2^40 a few. */
static uint32_t fraction(uint64_t part, uint64_t whole)
{
	for (; whole >> 40 != 0; whole >>= 1)
		part >>= 1;
	uint64_t high = (part << 24) / whole;
	uint64_t rest = (part << 24) % whole;

	return (uint32_t)(high << 8 | (rest << 8) / whole);
}

static void set_entry(const lb_alias_draft *draft, uint32_t at, uint32_t threshold, uint32_t other)
{
	uint32_t own = lb_get(&draft->members[at].slot);

	lb_put(&draft->entries[at].threshold, threshold);
	lb_put(&draft->entries[at].slots, own << 16 | lb_get(&draft->members[other].slot));
}

static void enqueue(lb_alias_draft *draft, uint32_t at)
{
	if (draft->left[at] < draft->whole)
		draft->waiting[draft->small++] = (uint16_t)at;
	else
		draft->waiting[--draft->large] = (uint16_t)at;
}

/* Vose: each small member gets an entry that a large one fills up. Who is left over has an entry of its own. */
static void build_table(lb_alias_draft *draft)
{
	draft->small = 0;
	draft->large = draft->n;
	for (uint32_t i = 0; i < draft->n; i++)
		enqueue(draft, i);
	while (draft->small > 0 && draft->large < draft->n) {
		uint32_t small = draft->waiting[--draft->small];
		uint32_t large = draft->waiting[draft->large++];
		set_entry(draft, small, fraction(draft->left[small], draft->whole), large);
		draft->left[large] -= draft->whole - draft->left[small];
		enqueue(draft, large);
	}
}

static void build_tier(lb_alias *alias, const lb_algo_view *view, const lb_tier *tier)
{
	uint64_t *left = lb_at(alias, scratch_offset(view->shape));
	lb_alias_entry *entries = (lb_alias_entry *)(alias + 1) + (size_t)tier->buffer * view->shape->slots;
	lb_alias_draft draft = {
	    .members = tier->members,
	    .entries = entries + tier->first,
	    .left = left,
	    .waiting = (uint16_t *)(left + view->shape->slots),
	    .n = tier->n,
	};
	uint32_t first = lb_get(&view->weights[lb_get(&tier->members[0].slot)]);
	bool uneven = false;

	for (uint32_t i = 0; i < tier->n; i++) {
		uint32_t weight = lb_get(&view->weights[lb_get(&tier->members[i].slot)]);
		uneven = uneven || weight != first;
		draft.left[i] = (uint64_t)weight * tier->n;
		draft.whole += weight;
		set_entry(&draft, i, UINT32_MAX, i);
	}
	lb_put(&alias->uneven[tier->buffer][tier->number], uneven);
	if (uneven)
		build_table(&draft);
}

void lb_alias_build(void *state, const lb_algo_view *view)
{
	for (uint32_t i = 0; i < view->tiers_n; i++)
		if (view->tiers[i].n > 0)
			build_tier(state, view, &view->tiers[i]);
}
