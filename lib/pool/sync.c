/*
 * Declarative sync: the pool becomes equal to a list, by name, or stays as it is. All that can fail is found out before
 * the first change.
 */
#include "base/text.h"
#include "pool/config.h"
#include "pool/index.h"
#include "pool/slots.h"

/* The wanted list, with its names indexed in the pool's scratch table: entry + 1, linear probing, 0 = empty. */
typedef struct lb_wanted {
	const lb_endpoint_config *list;
	uint32_t n;
	lb_atomic32 *table;
	uint32_t mask;
} lb_wanted;

/* Where a name stands in the table, or the empty place where it would. There is one: the table is larger than n. */
static uint32_t place_of(const lb_wanted *wanted, const char *name, size_t length)
{
	uint32_t place = (uint32_t)lb_hash(name, length, 0) & wanted->mask;

	for (;; place = (place + 1) & wanted->mask) {
		uint32_t entry = lb_get(&wanted->table[place]);
		if (entry == 0 || strcmp(wanted->list[entry - 1].name, name) == 0)
			return place;
	}
}

/* Enters all names; false if one stands twice. */
static bool enter_names(lb_wanted *wanted)
{
	for (uint32_t place = 0; place <= wanted->mask; place++)
		lb_put(&wanted->table[place], 0);
	for (uint32_t i = 0; i < wanted->n; i++) {
		const char *name = wanted->list[i].name;
		uint32_t place = place_of(wanted, name, strlen(name));
		if (lb_get(&wanted->table[place]) != 0)
			return false;
		lb_put(&wanted->table[place], i + 1);
	}
	return true;
}

/* Is it the same endpoint? Another url makes it another one. */
static bool same_endpoint(const lb_about *about, const lb_endpoint_config *entry)
{
	return lb_text_same(about->url, entry->url ? entry->url : "", sizeof about->url);
}

/* The living slot that an entry keeps, or LB_NO_SLOT. */
static uint32_t kept_by(const lb_pool *pool, const lb_endpoint_config *entry)
{
	uint32_t slot = lb_index_find(pool, entry->name);

	return slot != LB_NO_SLOT && same_endpoint(&pool->about[slot], entry) ? slot : LB_NO_SLOT;
}

/* Would the list fit? Removed endpoints keep their slots for a while, so each added one needs a free slot now. */
static bool fits(lb_control *control, const lb_wanted *wanted)
{
	uint32_t added = 0;

	for (uint32_t i = 0; i < wanted->n; i++)
		if (kept_by(control->pool, &wanted->list[i]) == LB_NO_SLOT)
			added++;
	return lb_slots_spare(control, added) >= added;
}

static bool keeps(const lb_wanted *wanted, const lb_about *about)
{
	if (wanted->n == 0)
		return false;
	uint32_t entry = lb_get(&wanted->table[place_of(wanted, about->name, strlen(about->name))]);
	return entry != 0 && same_endpoint(about, &wanted->list[entry - 1]);
}

static void remove_unwanted(lb_control *control, const lb_wanted *wanted)
{
	lb_pool *pool = control->pool;
	uint32_t next;

	for (uint32_t at = lb_get(&pool->header->oldest); at != LB_NO_SLOT; at = next) {
		const lb_about *about = &pool->about[at];
		next = lb_get(&about->later);
		if (!keeps(wanted, about))
			lb_slots_leave(control, at);
	}
}

static void apply(lb_control *control, const lb_wanted *wanted)
{
	remove_unwanted(control, wanted);
	for (uint32_t i = 0; i < wanted->n; i++) {
		uint32_t slot = kept_by(control->pool, &wanted->list[i]);
		if (slot != LB_NO_SLOT)
			lb_slots_update(control, slot, &wanted->list[i]);
		else
			lb_slots_take(control, &wanted->list[i]);
	}
}

static int check_all(const lb_endpoint_config *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int error = lb_endpoint_config_check(&list[i]);
		if (error != LB_OK)
			return error;
	}
	return LB_OK;
}

int lb_pool_sync(lb_pool *pool, const lb_endpoint_config *list, uint32_t n)
{
	if (!pool || (!list && n > 0))
		return LB_EINVAL;
	int error = check_all(list, n);
	if (error != LB_OK)
		return error;
	if (n > pool->endpoints_max)
		return LB_ELIMIT;
	lb_control control = lb_control_begin(pool);
	lb_wanted wanted = {list, n, pool->scratch, pool->index_mask};
	if (!enter_names(&wanted))
		error = LB_EINVAL;
	else if (!fits(&control, &wanted))
		error = LB_ELIMIT;
	else
		apply(&control, &wanted);
	lb_control_end(&control, error == LB_OK);
	return error;
}
