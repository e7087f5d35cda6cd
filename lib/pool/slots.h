/* The life of a slot: free, given to an endpoint, left by it, free again. All under control. */
#ifndef LB_POOL_SLOTS_H
#define LB_POOL_SLOTS_H

#include "pool/pool.h"

/* Gives a free slot to a checked config's endpoint. The caller made sure that there is one: lb_slots_spare. */
uint32_t lb_slots_take(lb_control *control, const lb_endpoint_config *config);

/* How many slots are free; frees what may be freed if that is fewer than wanted. */
uint32_t lb_slots_spare(lb_control *control, uint32_t wanted);

/* A living endpoint gets nothing more; its slot waits for its last ticket. */
void lb_slots_leave(lb_control *control, uint32_t slot);

/* Writes what lb_pool_update may change. */
void lb_slots_update(lb_control *control, uint32_t slot, const lb_endpoint_config *config);

/* Frees the slots whose last ticket is settled. Returns when to look again, LB_NEVER if none waits. */
lb_time lb_slots_free(lb_control *control);

#endif
