/* Endpoints by name. See index.h. */
#include "pool/index.h"

#include "base/text.h"

uint64_t lb_index_hash(const lb_pool *pool, uint32_t slot)
{
	char name[LB_NAME_MAX + 1];

	lb_text_load(name, pool->about[slot].name, sizeof name);
	return lb_hash(name, strlen(name), 0);
}

static uint32_t bucket_of(const lb_pool *pool, uint64_t hash)
{
	return (uint32_t)hash & pool->index_mask;
}

/* The field that holds `slot` in its bucket: the bucket's head, or a namesake's link. */
static lb_atomic32 *link_to(lb_pool *pool, uint32_t slot)
{
	lb_atomic32 *link = &pool->index[bucket_of(pool, lb_index_hash(pool, slot))];

	while (lb_get(link) != slot)
		link = &pool->about[lb_get(link)].namesake;
	return link;
}

/* Odd while it changes. The add is a release and an acquire, so the changes lie between the two. */
static void change(lb_pool *pool)
{
	lb_add(&pool->header->index_version, 1);
}

void lb_index_insert(lb_pool *pool, uint32_t slot)
{
	lb_atomic32 *head = &pool->index[bucket_of(pool, lb_index_hash(pool, slot))];

	change(pool);
	lb_put_release(&pool->about[slot].namesake, lb_get(head));
	lb_put_release(head, slot);
	change(pool);
}

void lb_index_remove(lb_pool *pool, uint32_t slot)
{
	lb_atomic32 *link = link_to(pool, slot);

	change(pool);
	lb_put_release(link, lb_get(&pool->about[slot].namesake));
	change(pool);
}

/* Is this the one: by its name, or (NULL) by its hash alone? */
static bool wanted(const lb_pool *pool, uint32_t slot, const char *name, uint64_t hash)
{
	return name ? lb_text_same(pool->about[slot].name, name, sizeof pool->about[slot].name)
		    : lb_index_hash(pool, slot) == hash;
}

static uint32_t walk(const lb_pool *pool, const char *name, uint64_t hash)
{
	uint32_t slot = lb_get_acquire(&pool->index[bucket_of(pool, hash)]);
	uint32_t found = LB_NO_SLOT;

	/* a chain that changes under us might lead in circles: no chain is longer than there are slots */
	for (uint32_t steps = 0; slot < pool->shape.slots && steps < pool->shape.slots; steps++) {
		if (wanted(pool, slot, name, hash)) {
			if (found != LB_NO_SLOT)
				return LB_NO_SLOT;
			found = slot;
		}
		slot = lb_get_acquire(&pool->about[slot].namesake);
	}
	return found;
}

static uint32_t find(const lb_pool *pool, const char *name, uint64_t hash)
{
	for (;;) {
		uint32_t before = lb_get_acquire(&pool->header->index_version);
		uint32_t slot = walk(pool, name, hash);
		if ((before & 1) == 0 && lb_get_acquire(&pool->header->index_version) == before)
			return slot;
	}
}

uint32_t lb_index_find(const lb_pool *pool, const char *name)
{
	return find(pool, name, lb_hash(name, strlen(name), 0));
}

uint32_t lb_index_find_hash(const lb_pool *pool, uint64_t hash)
{
	return find(pool, NULL, hash);
}
