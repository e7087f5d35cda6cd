/* Endpoints by name. See index.h. */
#include "pool/index.h"

#include "base/text.h"

static uint32_t bucket_of(const lb_pool *pool, const char *name)
{
	return (uint32_t)lb_hash(name, strlen(name), 0) & pool->index_mask;
}

/* The field that holds `slot` in its bucket: the bucket's head, or a namesake's link. */
static lb_atomic32 *link_to(lb_pool *pool, uint32_t slot)
{
	lb_atomic32 *link = &pool->index[bucket_of(pool, pool->about[slot].name)];

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
	lb_atomic32 *head = &pool->index[bucket_of(pool, pool->about[slot].name)];

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

static uint32_t walk(const lb_pool *pool, const char *name, uint32_t bucket)
{
	uint32_t slot = lb_get_acquire(&pool->index[bucket]);

	/* a chain that changes under us might lead in circles: no chain is longer than there are slots */
	for (uint32_t steps = 0; slot < pool->shape.slots && steps < pool->shape.slots; steps++) {
		if (lb_text_same(pool->about[slot].name, name, sizeof pool->about[slot].name))
			return slot;
		slot = lb_get_acquire(&pool->about[slot].namesake);
	}
	return LB_NO_SLOT;
}

uint32_t lb_index_find(const lb_pool *pool, const char *name)
{
	uint32_t bucket = bucket_of(pool, name);

	for (;;) {
		uint32_t before = lb_get_acquire(&pool->header->index_version);
		uint32_t slot = walk(pool, name, bucket);
		if ((before & 1) == 0 && lb_get_acquire(&pool->header->index_version) == before)
			return slot;
	}
}
