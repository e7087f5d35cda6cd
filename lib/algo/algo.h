/*
 * Algorithm: given the candidates, which one? An algorithm is one row of functions over bytes of state that the selector
 * keeps for it in the pool's block. It knows nothing of breakers, limits or health: the core checks what it picked and, if
 * that may not be used, asks again with `attempt` + 1 and the slot on the list of refused ones.
 *
 * How to add one: lib/README.md.
 */
#ifndef LB_ALGO_ALGO_H
#define LB_ALGO_ALGO_H

#include "base/random.h"
#include "core/load.h"
#include "core/record.h"

#include <lbcore/selector.h>

#define LB_TIERS_MAX 16u  /* 8 priorities of healthy endpoints, then 8 of degraded ones */
#define LB_GROUPS_MAX 64u /* tiers, then the zones of tiers that are split */
#define LB_NO_SLOT UINT32_MAX
#define LB_WEIGHT_UNIT 100u /* a weight of 1: slow start goes in hundredths */
#define LB_PICKS_MAX 12u    /* how often one tier's candidates are asked for in a call */
#define LB_REFUSED_MAX (LB_TRIED_MAX + LB_PICKS_MAX)

/* One candidate of a view. */
typedef struct lb_member {
	lb_atomic32 slot;
	lb_atomic32 order; /* rises with the order of addition */
} lb_member;

/* Candidates that are equally welcome: one tier of a view. Ordered by addition. */
typedef struct lb_tier {
	const lb_member *members; /* of this tier */
	uint32_t first, n;        /* where they stand in the view's array, and how many */
	uint32_t number;          /* 0..LB_GROUPS_MAX-1: names the tier from one view to the next */
	uint32_t buffer;          /* 0 or 1: the half of double-buffered tables that belongs to the view */
} lb_tier;

/* What algorithms are told about their surroundings, once. */
typedef struct lb_algo_shape {
	uint32_t slots; /* slot numbers are below this */
	uint32_t lanes; /* lane 0 included */
} lb_algo_shape;

/* How a selector was configured; every field has its value, no 0 that stands for a default. */
typedef struct lb_algo_rules {
	lb_hash_profile profile;
	uint32_t choices, bias_percent;
	uint32_t table_size; /* as configured: 0 = the algorithm's own */
	lb_span first_latency;
	bool random_start;
} lb_algo_rules;

/* What control sees when it publishes. */
typedef struct lb_algo_view {
	const lb_algo_shape *shape;
	const lb_algo_rules *rules;
	const lb_atomic32 *
	    weights; /* by slot; what they are relative to is the caller's; keyed algorithms: no slow start */
	const lb_tier *tiers;
	uint32_t tiers_n;
	/* the living members of each priority with a weight, whether eligible or not, in order of addition */
	const lb_tier *levels; /* LB_PRIORITY_MAX + 1; `number` = the priority, buffer = that of the view */
	const char *(*name)(const void *names, uint32_t slot);
	const void *names;
} lb_algo_view;

/* What a pick may go by: one lane's view of the pool, the same for all picks in that lane. */
typedef struct lb_algo_lane {
	const lb_algo_shape *shape;
	const lb_atomic32 *weights;      /* by slot, x LB_WEIGHT_UNIT, slow start included */
	const lb_atomic32 *weights_full; /* by slot, as configured */
	const lb_atomic32 *ramps; /* by slot: what slow start leaves of the weight, of 2^32; 0 = all of it */
	const lb_load *loads;     /* by slot */
	const lb_record *records; /* by slot */
	const lb_decay *decay;
	lb_random random;
	uint32_t number;
	bool shared; /* lane 0: other threads pick there, too */
	bool dry;    /* only questions: no turn is taken, no cursor moves */
} lb_algo_lane;

/* One question. What is loaded as one must have been stored as one: fields that are asked together lie together. */
typedef struct lb_pick {
	const lb_algo_lane *lane;
	const lb_algo_rules *rules;
	lb_time now;
	uint64_t key;    /* of a keyed algorithm; a request without one got one at random; others have none */
	uint64_t cursor; /* the algorithm's own: what it wrote at the attempt before; unknown at the first */
	uint32_t attempt, refused_n;
	uint16_t refused[LB_REFUSED_MAX]; /* full: later ones are not listed */
} lb_pick;

/* Traits. */
enum {
	LB_ALGO_KEYED = 1 << 0, /* goes by the request's key; a tier is never split by zones */
	LB_ALGO_ORDERED =
	    1 << 1, /* names all candidates in an order of its own; asked on until it says LB_NO_SLOT */
	LB_ALGO_PEAKS = 1 << 2, /* goes by records' peak averages */
	LB_ALGO_LEVELS = 1 << 3 /* may name any living member of the priority, eligible or not */
};

/* An entry of an algorithm's table, to be looked at. */
typedef struct lb_algo_entry {
	uint32_t slot;
	uint64_t point; /* of a ring; else 0 */
} lb_algo_entry;

typedef struct lb_algo {
	const char *name;
	uint32_t traits; /* LB_ALGO_* */
	/* Are there such a profile and such a table for it? NULL = it knows neither: LB_HASH_LBCORE and 0 only. */
	bool (*accepts)(const lb_algo_rules *rules);
	/* Bytes of state; zeroed before the first build; SIZE_MAX = too large. */
	size_t (*size)(const lb_algo_shape *shape, const lb_algo_rules *rules);
	/* Makes tables for a view that is about to be published, in the half that its tiers name. NULL = has none. */
	void (*build)(void *state, const lb_algo_view *view);
	/* Returns a slot of the tier, or LB_NO_SLOT if it finds none that was not refused. A bounded number of steps. */
	uint32_t (*pick)(void *state, const lb_tier *tier, lb_pick *pick);
	/* The bits of a key: NULL = lb_hash. */
	uint64_t (*hash)(const lb_algo_rules *rules, const void *key, size_t length);
	/* The size of the tier's table; fills in entry `i` of it if there is one. NULL = has no table. */
	uint32_t (*table)(const void *state, const lb_algo_shape *shape, const lb_tier *tier, uint32_t i,
			  lb_algo_entry *entry);
} lb_algo;

/* The row of an algorithm, NULL for a value that is none. */
const lb_algo *lb_algo_row(lb_algorithm algorithm);

static inline bool lb_pick_refused(const lb_pick *pick, uint32_t slot)
{
	for (uint32_t i = 0; i < pick->refused_n; i++)
		if (pick->refused[i] == slot)
			return true;
	return false;
}

/* Was the answer before the usual one, the first while nobody was refused? It need not write a cursor. */
static inline bool lb_pick_follows_usual(const lb_pick *pick)
{
	return pick->attempt == 1 && pick->refused_n <= 1;
}

static inline uint64_t lb_pick_random(const lb_pick *pick)
{
	return lb_random_next(&pick->lane->random);
}

/* A place of the tier at random, all alike. */
static inline uint32_t lb_pick_place(const lb_pick *pick, const lb_tier *tier)
{
	return lb_below((uint32_t)(lb_pick_random(pick) >> 32), tier->n);
}

/* The slot at a place of the tier. */
static inline uint32_t lb_tier_slot(const lb_tier *tier, uint32_t place)
{
	return lb_get(&tier->members[place].slot);
}

/*
 * The turn of one that was refused is dealt to the others: a member of the tier at random that was not refused, each
 * alike or by weight. LB_NO_SLOT if all were refused.
 */
uint32_t lb_deal_evenly(const lb_tier *tier, const lb_pick *pick);
uint32_t lb_deal_by_weight(const lb_tier *tier, const lb_pick *pick);

#endif
