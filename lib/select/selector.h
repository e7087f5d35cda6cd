/* The selector inside: a handle on one algorithm's state in the pool's block, and the parts of a select and a report. */
#ifndef LB_SELECT_SELECTOR_H
#define LB_SELECT_SELECTOR_H

#include "pool/pool.h"

#include <lbcore/selector.h>

struct lb_selector {
	lb_pool *pool;
	const lb_algo *algo;
	uint32_t (*pick)(void *state, const lb_tier *tier, lb_pick *pick); /* the algorithm's */
	lb_algo_rules rules;
	void *state; /* the algorithm's cursors and tables, behind this handle, from a cache line on */
	size_t size; /* of the handle and the state */
	uint32_t bound_percent;
	bool keyed; /* LB_ALGO_KEYED */
	bool plain; /* the algorithm's answer needs no more than open gates: no bound, no key in slow start */
	uint32_t index; /* of the selector in the pool */
};

/* What a select took: counted up at a slot, with the circuit's pass. */
typedef struct lb_taken {
	int error; /* LB_OK; nothing was taken: LB_ENONE, LB_EFULL */
	uint32_t slot, reason;
	lb_pass pass;
} lb_taken;

#define LB_REQUEST_FLAGS (LB_REQUEST_KEY | LB_REQUEST_HEDGE | LB_REQUEST_TOKEN)

/* The request's lane; NULL if its flags are unknown, or nobody joined the lane. */
static inline const lb_lane *lb_request_lane(const lb_pool *pool, const lb_request *request)
{
	if (request->lane >= pool->lanes_n || (request->flags & ~(uint32_t)LB_REQUEST_FLAGS) != 0)
		return NULL;
	const lb_lane *lane = &pool->lanes[request->lane];
	return lb_get64(&lane->head->worker) != 0 || lane->shared ? lane : NULL;
}

/* A keyed algorithm's key: a request without one has one of its own. The others' picks have none. */
static inline uint64_t lb_request_key(const lb_request *request, const lb_pick *pick)
{
	if (request->key != 0 || (request->flags & LB_REQUEST_KEY) != 0)
		return request->key;
	return lb_pick_random(pick);
}

static inline void lb_count_down(const lb_lane *lane, uint32_t slot)
{
	lb_bump(&lane->loads[slot].own, UINT32_MAX, lane->shared);
}

#define LB_ATTEND_PERIOD LB_MICROSECONDS
#define LB_ATTEND_ROWS 64u

/*
 * Is it time for lb_lane_attend? After a period, and, as the clock may stand still, with one of so many rows of the ledger.
 * A time that lies further ahead than a period comes of a clock that stepped back.
 */
static inline bool lb_lane_attend_due(const lb_lane *lane, uint32_t row, lb_time now)
{
	return row % LB_ATTEND_ROWS == 0 || lb_get64(&lane->head->attend_at) - now - 1 >= LB_ATTEND_PERIOD;
}

/* Looks after a lane, a little: the other lanes' counts, and the owner's forgotten tickets. */
void lb_lane_attend(lb_pool *pool, const lb_lane *lane, lb_time now);

#endif
