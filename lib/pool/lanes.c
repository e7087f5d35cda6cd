/* Lanes: who owns one. */
#include "pool/settle.h"

int lb_pool_join(lb_pool *pool, uint64_t worker, uint32_t *lane)
{
	if (!pool || !lane || worker == 0)
		return LB_EINVAL;
	lb_control control = lb_control_begin(pool);
	uint32_t mine = 0;
	for (uint32_t number = pool->lanes_n - 1; number > 0; number--) {
		uint64_t owner = lb_get64(&pool->lanes[number].head->worker);
		if (owner == worker) {
			mine = number;
			break;
		}
		if (owner == 0)
			mine = number;
	}
	if (mine != 0 && lb_get64(&pool->lanes[mine].head->worker) == 0) {
		lb_put64(&pool->lanes[mine].head->worker, worker);
		lb_add(&pool->header->lanes_joined, 1);
	}
	lb_control_end(&control, false);
	if (mine == 0)
		return LB_ELIMIT;
	*lane = mine;
	return LB_OK;
}

int lb_pool_leave(lb_pool *pool, uint32_t number)
{
	if (!pool || number == 0 || number >= pool->lanes_n)
		return LB_EINVAL;
	const lb_lane *lane = &pool->lanes[number];
	lb_control control = lb_control_begin(pool);
	bool joined = lb_get64(&lane->head->worker) != 0;
	if (joined) {
		lb_pool_sweep(pool, lane, lane->ledger.n, true, control.now);
		lb_put64(&lane->head->worker, 0);
	}
	lb_control_end(&control, joined);
	return joined ? LB_OK : LB_EINVAL;
}
