/*
 * Maglev: a table in which each member stands at as many entries as its weight says; the key's entry names the slot. See
 * maglev_fill.h. A member that comes or goes moves few entries but its own.
 *
 * In either profile members stand in an order that their names give, so the table is a function of the set of names and weights.
 * LB_HASH_ENVOY: exactly Envoy's tables since 1.27, labels are the names, in their order; before that, hosts stood as they were
 * listed. Where zones have weights, see pool/zones.h.
 * LB_HASH_LBCORE: lb_hash, in the order of its bits.
 *
 * A key's next choices stand down the table, the same for all callers. Difference, also by the profile ENVOY: Envoy's retry has the
 * number of the attempt mixed into the key's hash, and goes to any entry.
 *
 * The first two tiers of a view have a table. For the others, which get what is left when those may not be used, and (by
 * the profile LBCORE) for a tier with more members than entries, rendezvous hashing stands in. By the profile ENVOY the last
 * of too many members have no entry, as there.
 */
#include "algo/maglev_fill.h"
#include "algo/rendezvous.h"
#include "algo/table.h"
#include "base/block.h"
#include "base/xxh64.h"

#include <string.h>

#define SIZE_DEFAULT 65537u
#define SIZE_MOST 5000011u /* Envoy's */
#define TABLES 2u          /* in a half; fits the two bits that `places` has for a tier */

/* The state: this head, then 2 x TABLES tables, then what size_maglev() adds. */
typedef struct lb_maglev {
	_Alignas(LB_LINE)
	    uint64_t prints[2 * TABLES]; /* control's: of what the tables were made of; 0 = of nothing */
	lb_atomic64 inverse;             /* 2^64 / size, rounded down */
	lb_atomic32 size;                /* entries of a table */
	lb_atomic32 places[2];           /* by half, two bits for each tier: 0 = no table, else 1 + which */
} lb_maglev;

/* Where the rest lies. */
typedef struct lb_maglev_layout {
	size_t contenders;           /* by slot */
	size_t claims, queue, taken; /* control's scratch */
	size_t size;
} lb_maglev_layout;

/* One table to be made. */
typedef struct lb_maglev_job {
	lb_maglev *maglev;
	const lb_algo_view *view;
	const lb_tier *tier;
	lb_contender *contenders;
	lb_maglev_claim *claims;
	uint64_t *queue;
	uint32_t *taken;
	uint32_t size;
} lb_maglev_job;

static uint32_t entries_of(const lb_algo_rules *rules)
{
	return rules->table_size != 0 ? rules->table_size : SIZE_DEFAULT;
}

static bool is_prime(uint32_t n)
{
	for (uint32_t divisor = 2; divisor * divisor <= n; divisor++)
		if (n % divisor == 0)
			return false;
	return n > 1;
}

static bool accepts_maglev(const lb_algo_rules *rules)
{
	uint32_t size = entries_of(rules);

	return (rules->profile == LB_HASH_LBCORE || rules->profile == LB_HASH_ENVOY) && size <= SIZE_MOST &&
	       is_prime(size);
}

static lb_maglev_layout lay_out(const lb_algo_shape *shape, uint32_t size)
{
	lb_layout layout = {0};
	lb_maglev_layout at;

	lb_layout_add(&layout, 1, sizeof(lb_maglev));
	lb_layout_add(&layout, (size_t)2 * TABLES * size, sizeof(lb_atomic16));
	at.contenders = lb_layout_add(&layout, shape->slots, sizeof(lb_contender));
	at.claims = lb_layout_add(&layout, shape->slots, sizeof(lb_maglev_claim));
	at.queue = lb_layout_add(&layout, shape->slots, sizeof(uint64_t));
	at.taken = lb_layout_add(&layout, lb_maglev_words(size), sizeof(uint32_t));
	at.size = layout.size;
	return at;
}

static size_t size_maglev(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	return lay_out(shape, entries_of(rules)).size;
}

static const lb_atomic16 *table_at(const lb_maglev *maglev, uint32_t table, uint32_t size)
{
	return (const lb_atomic16 *)(maglev + 1) + (size_t)table * size;
}

/* The tier's table, NULL if it has none. */
static const lb_atomic16 *table_of(const lb_maglev *maglev, const lb_tier *tier, uint32_t size)
{
	if (tier->number >= LB_TIERS_MAX)
		return NULL;
	uint32_t place = lb_get(&maglev->places[tier->buffer]) >> (2 * tier->number) & 3;
	return place != 0 ? table_at(maglev, tier->buffer * TABLES + place - 1, size) : NULL;
}

static uint64_t hash_label(const lb_algo_view *view, uint32_t slot, uint64_t seed)
{
	const char *name = view->name(view->names, slot);
	size_t length = strlen(name);

	return view->rules->profile == LB_HASH_ENVOY ? lb_xxh64(name, length, seed)
						     : lb_hash(name, length, seed);
}

/* By the bits that the keys begin with, and where these are the same, by the names. `key` = {48 bits, 16 of a place}. */
static bool stands_before(const lb_maglev_job *job, uint64_t key, uint64_t other)
{
	const lb_algo_view *view = job->view;

	if (key >> 16 != other >> 16)
		return key < other;
	const char *name = view->name(view->names, lb_tier_slot(job->tier, key & 0xffff));
	return strcmp(name, view->name(view->names, lb_tier_slot(job->tier, other & 0xffff))) < 0;
}

/*
 * Writes the places of the members to the queue, in the order that their names give: ours begin with bits of the names' hashes,
 * Envoy's with none. Shell's sort, as in ring_build.c.
 */
static void sort_members(const lb_maglev_job *job)
{
	uint64_t *keys = job->queue;
	uint32_t n = job->tier->n, gap = 1;

	for (uint32_t place = 0; place < n; place++) {
		uint64_t hash = lb_get64(&job->contenders[lb_tier_slot(job->tier, place)].name);
		bool ours = job->view->rules->profile == LB_HASH_LBCORE;
		keys[place] = (ours ? hash & ~UINT64_C(0xffff) : 0) | place;
	}
	while (gap < n / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (uint32_t i = gap; i < n; i++) {
			uint64_t key = keys[i];
			uint32_t at = i;
			for (; at >= gap && stands_before(job, key, keys[at - gap]); at -= gap)
				keys[at] = keys[at - gap];
			keys[at] = key;
		}
	}
}

static void make_table(const lb_maglev_job *job, lb_atomic16 *entries)
{
	uint64_t sum = 0;
	uint32_t n = 0;

	sort_members(job);
	for (uint32_t i = 0; i < job->tier->n; i++) {
		uint32_t slot = lb_tier_slot(job->tier, job->queue[i] & 0xffff);
		uint32_t weight = lb_get(&job->view->weights[slot]);
		if (weight == 0)
			continue;
		sum += weight;
		job->claims[n++] = (lb_maglev_claim){
		    .at = (uint32_t)(hash_label(job->view, slot, 0) % job->size),
		    .skip = (uint32_t)(hash_label(job->view, slot, 1) % (job->size - 1) + 1),
		    .weight = weight,
		    .slot = slot,
		};
	}
	for (uint32_t i = 0; i < n && job->view->rules->profile == LB_HASH_ENVOY; i++)
		job->claims[i].part = lb_real_part(job->claims[i].weight, sum, LB_DOUBLE);
	lb_maglev_fill(entries, job->size, job->claims, n, job->queue, job->taken);
}

/* What a table is made of; not 0. A slot's next owner has another order. */
static uint64_t fingerprint(const lb_algo_view *view, const lb_tier *tier)
{
	uint64_t print = tier->n;

	for (uint32_t place = 0; place < tier->n; place++) {
		uint32_t slot = lb_tier_slot(tier, place);
		uint64_t order = lb_get(&tier->members[place].order);
		print = lb_mix64(print ^ (order << 32 | slot));
		print = lb_mix64(print + lb_get(&view->weights[slot]));
	}
	return print | 1;
}

/* The table, of either half, that was made of this; NULL if there is none. */
static const lb_atomic16 *find_table(const lb_maglev *maglev, uint64_t print, uint32_t size)
{
	for (uint32_t table = 0; table < 2 * TABLES; table++)
		if (maglev->prints[table] == print)
			return table_at(maglev, table, size);
	return NULL;
}

/* Makes the table, unless it is there already. Mostly the other half has it, since a view of it was published before. */
static void provide_table(const lb_maglev_job *job, uint32_t table)
{
	lb_maglev *maglev = job->maglev;
	lb_atomic16 *entries = (lb_atomic16 *)(maglev + 1) + (size_t)table * job->size;
	uint64_t print = fingerprint(job->view, job->tier);

	if (maglev->prints[table] == print)
		return;
	const lb_atomic16 *same = find_table(maglev, print, job->size);
	/* until it is done it is made of nothing: this writer may be taken for dead half-way */
	maglev->prints[table] = 0;
	if (!same)
		make_table(job, entries);
	for (uint32_t i = 0; same && i < job->size; i++)
		lb_put16(&entries[i], lb_get16(&same[i]));
	maglev->prints[table] = print;
}

static bool wants_table(const lb_maglev_job *job)
{
	uint32_t n = 0;

	for (uint32_t place = 0; place < job->tier->n; place++)
		n += lb_get(&job->view->weights[lb_tier_slot(job->tier, place)]) != 0;
	return n > 0 && (n <= job->size || job->view->rules->profile == LB_HASH_ENVOY);
}

static void build_maglev(void *state, const lb_algo_view *view)
{
	lb_maglev *maglev = state;
	uint32_t size = entries_of(view->rules);
	lb_maglev_layout at = lay_out(view->shape, size);
	lb_maglev_job job = {
	    .maglev = maglev,
	    .view = view,
	    .contenders = lb_at(state, at.contenders),
	    .claims = lb_at(state, at.claims),
	    .queue = lb_at(state, at.queue),
	    .taken = lb_at(state, at.taken),
	    .size = size,
	};
	uint32_t half = view->levels[0].buffer, used = 0, places = 0;

	lb_put(&maglev->size, size);
	lb_put64(&maglev->inverse, UINT64_MAX / size);
	lb_rendezvous_build(job.contenders, view);
	for (uint32_t i = 0; i < view->tiers_n && used < TABLES; i++) {
		job.tier = &view->tiers[i];
		if (!wants_table(&job))
			continue;
		provide_table(&job, half * TABLES + used);
		places |= ++used << (2 * job.tier->number);
	}
	lb_put(&maglev->places[half], places);
}

/* Exactly key % size, by a multiplication: the quotient is right, or 1 too small. */
static uint32_t remainder_of(uint64_t key, uint32_t size, uint64_t inverse)
{
	uint64_t rest = key - lb_below64(key, inverse) * size;

	return (uint32_t)(rest >= size ? rest - size : rest);
}

/* Envoy's entry of a key; our own is taken from its upper bits, mixed because a key may be any number. */
static uint32_t entry_of_key(const lb_maglev *maglev, const lb_pick *pick, uint32_t size)
{
	if (pick->rules->profile == LB_HASH_ENVOY)
		return remainder_of(pick->key, size, lb_get64(&maglev->inverse));
	return lb_below((uint32_t)(lb_mix64(pick->key) >> 32), size);
}

/* Is there nobody left to be named? Else the whole table would be walked through to learn it. */
static bool all_refused(const lb_tier *tier, const lb_pick *pick)
{
	if (tier->n > pick->refused_n)
		return false;
	for (uint32_t place = 0; place < tier->n; place++)
		if (!lb_pick_refused(pick, lb_tier_slot(tier, place)))
			return false;
	return true;
}

/* Goes on down the table, from the entry behind the last one looked at to the next other member. */
static uint32_t walk(const lb_atomic16 *entries, uint32_t size, uint32_t start, lb_pick *pick)
{
	uint32_t looked = 0;

	if (lb_pick_follows_usual(pick))
		looked = 1;
	else if (pick->attempt > 0 && pick->cursor <= size)
		looked = (uint32_t)pick->cursor;
	uint32_t at = looked < size - start ? start + looked : start + looked - size;
	uint32_t last = looked > 0 ? lb_get16(&entries[(at > 0 ? at : size) - 1]) : LB_NO_SLOT;

	for (; looked < size; looked++) {
		uint32_t slot = lb_get16(&entries[at]);
		at = at + 1 < size ? at + 1 : 0;
		if (slot == last || lb_pick_refused(pick, slot))
			continue;
		pick->cursor = (uint64_t)looked + 1;
		return slot;
	}
	pick->cursor = size;
	return LB_NO_SLOT;
}

static uint32_t pick_maglev(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_maglev *maglev = state;
	uint32_t size = lb_get(&maglev->size);
	const lb_atomic16 *entries = table_of(maglev, tier, size);

	if (!entries) {
		lb_maglev_layout at = lay_out(pick->lane->shape, size);
		return lb_rendezvous_pick(lb_at(state, at.contenders), tier, pick);
	}
	uint32_t start = entry_of_key(maglev, pick, size);
	if (pick->attempt > 0 || pick->refused_n > 0)
		return all_refused(tier, pick) ? LB_NO_SLOT : walk(entries, size, start, pick);
	return lb_get16(&entries[start]);
}

static uint64_t hash_maglev(const lb_algo_rules *rules, const void *key, size_t length)
{
	return rules->profile == LB_HASH_ENVOY ? lb_xxh64(key, length, 0) : lb_hash(key, length, 0);
}

static uint32_t table_maglev(const void *state, const lb_algo_shape *shape, const lb_tier *tier, uint32_t i,
			     lb_algo_entry *entry)
{
	const lb_maglev *maglev = state;
	uint32_t size = lb_get(&maglev->size);
	const lb_atomic16 *entries = table_of(maglev, tier, size);

	(void)shape;
	if (!entries)
		return 0;
	if (i < size)
		*entry = (lb_algo_entry){.slot = lb_get16(&entries[i])};
	return size;
}

const lb_algo lb_algo_maglev = {
    .name = "maglev",
    .traits = LB_ALGO_KEYED | LB_ALGO_ORDERED,
    .accepts = accepts_maglev,
    .size = size_maglev,
    .build = build_maglev,
    .pick = pick_maglev,
    .hash = hash_maglev,
    .table = table_maglev,
};
