/* The selector inside: a handle on one algorithm's state in the pool's block, and on the lanes' view of it. */
#ifndef LB_SELECT_SELECTOR_H
#define LB_SELECT_SELECTOR_H

#include "pool/pool.h"

#include <lbcore/selector.h>

struct lb_selector {
	lb_pool *pool;
	const lb_algo *algo;
	void *state;    /* in the block */
	uint32_t index; /* of the selector in the pool */
	bool random_start;
};

/* Ids of tickets: {6 nonce, 6 lane, 20 row, 32 the row's word}. */
static inline uint64_t lb_ticket_id(const lb_pool *pool, uint32_t lane, uint32_t row, uint32_t word)
{
	return (uint64_t)(pool->nonce & 63) << 58 | (uint64_t)lane << 52 | (uint64_t)row << 32 | word;
}

/* Looks at the other lanes' counts again, a little, if it is time. */
void lb_lane_refresh(lb_pool *pool, const lb_lane *lane, lb_time now);

/* Settles the ticket's request and closes the ticket; LB_ESTALE if it is not open (any more): nothing is changed. */
int lb_ticket_settle(lb_pool *pool, lb_ticket *ticket, lb_result result, lb_span latency, lb_time now);

#endif
