/* Questions about a slot that everybody asks. See pool.h. */
#include "pool/pool.h"

uint32_t lb_pool_slot(const lb_pool *pool, lb_endpoint endpoint, bool leaving)
{
	uint32_t slot = lb_endpoint_slot(endpoint);

	if ((endpoint & 0xffff) != pool->nonce || slot >= pool->shape.slots)
		return LB_NO_SLOT;
	uint32_t life = lb_get_acquire(&pool->slots[slot].life);
	if (life != LB_SLOT_LIVE && (life != LB_SLOT_LEAVING || !leaving))
		return LB_NO_SLOT;
	return lb_get_acquire(&pool->slots[slot].generation) == endpoint >> 32 ? slot : LB_NO_SLOT;
}

uint32_t lb_pool_inflight(const lb_pool *pool, uint32_t slot)
{
	uint32_t inflight = 0;

	/*
	 * In order: racers for a limited endpoint see each other (select/choose.c); an acquire, too: a count of 0 means that
	 * all that its requests wrote is written (pool/settle.c).
	 */
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		inflight += lb_get_in_order(&pool->lanes[lane].loads[slot].own);
	return inflight;
}

uint32_t lb_pool_why(const lb_pool *pool, uint32_t number)
{
	const lb_slot *slot = &pool->slots[number];
	uint32_t why = lb_get(&slot->gates) & LB_GATES_CLOSED;
	uint32_t limit = lb_get(&slot->inflight_max);

	if (limit > 0 && lb_pool_inflight(pool, number) >= limit)
		why |= LB_WHY_FULL;
	return why;
}
