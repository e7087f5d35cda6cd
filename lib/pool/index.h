/*
 * The name index: living endpoints by name, in buckets of slots linked through about->namesake. Written under control;
 * looked up by any thread meanwhile: the reader tries again when the index changed under it.
 */
#ifndef LB_POOL_INDEX_H
#define LB_POOL_INDEX_H

#include "pool/pool.h"

void lb_index_insert(lb_pool *pool, uint32_t slot);
void lb_index_remove(lb_pool *pool, uint32_t slot);

/* The slot of the living endpoint of that name, or LB_NO_SLOT. */
uint32_t lb_index_find(const lb_pool *pool, const char *name);

/*
 * The same by the hash of its name; LB_NO_SLOT also if there are two of them: lb_hash is no secret, so whoever chooses
 * names can choose one with another's hash, and shall get nothing by it.
 */
uint32_t lb_index_find_hash(const lb_pool *pool, uint64_t hash);

/* The hash of a slot's name, by which the index files it. */
uint64_t lb_index_hash(const lb_pool *pool, uint32_t slot);

#endif
