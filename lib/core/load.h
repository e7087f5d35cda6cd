/*
 * Load: how many requests are open at an endpoint, as one lane sees it. Dense, eight endpoints to a cache line, one
 * array for each lane: two lanes never write the same line.
 */
#ifndef LB_CORE_LOAD_H
#define LB_CORE_LOAD_H

#include "base/atomic.h"

typedef struct lb_load {
	lb_atomic32 own;    /* this lane's, exact */
	lb_atomic32 others; /* all other lanes', as last seen */
} lb_load;

#define LB_LOADS_PER_LINE 8u

static inline uint32_t lb_load_seen(const lb_load *load)
{
	return lb_get(&load->own) + lb_get(&load->others);
}

#endif
