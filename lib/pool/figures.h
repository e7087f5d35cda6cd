/* The figures of the pool's endpoints: sums over the lanes since the last reset. */
#ifndef LB_POOL_FIGURES_H
#define LB_POOL_FIGURES_H

#include "pool/pool.h"

/* What a slot's endpoint did since the last reset. Any thread. */
void lb_pool_figures(const lb_pool *pool, uint32_t slot, lb_figures *figures);

/* What all endpoints did, those that are gone included. Any thread. */
void lb_pool_figures_total(const lb_pool *pool, lb_figures *figures);

/* What lb_select answered other than with an endpoint, and its selections after the first, since the last reset. */
typedef struct lb_refusals {
	uint64_t none, full, limit, retries;
} lb_refusals;

lb_refusals lb_pool_refusals(const lb_pool *pool);

/* A slot is being freed: its figures go into those of the retired, its records are emptied. Under control. */
void lb_pool_retire(lb_pool *pool, uint32_t slot);

/* Starts all figures anew. Under control. */
void lb_pool_reset_figures(lb_pool *pool, lb_time now);

#endif
