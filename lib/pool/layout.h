/* Where everything lies in a pool's block. */
#ifndef LB_POOL_LAYOUT_H
#define LB_POOL_LAYOUT_H

#include "pool/pool.h"

typedef struct lb_pool_layout {
	size_t header, slots, about, weights, weights_now, weights_keyed, ramps, cells, index, scratch, views,
	    members, levels, events, chains, baselines, retired;
	/* from the start of a lane */
	size_t lane_loads, lane_records, lane_words, lane_rows, lane_recent;
	size_t lanes, lane_stride;
	size_t size; /* with slack to align the block to a cache line; SIZE_MAX = too large */
	uint32_t slots_n, index_n, recent_n, events_n, tickets_n, trials_n;
	lb_algo_shape shape;
} lb_pool_layout;

/* Works out the layout of a checked config. */
lb_pool_layout lb_pool_layout_of(const lb_pool_config *config, const lb_circuit_rules *rules);

/* Points the handle's arrays (pool->lanes is allocated) into a block that begins at `base`. */
void lb_pool_lay_out(lb_pool *pool, const lb_pool_layout *layout, void *base);

#endif
