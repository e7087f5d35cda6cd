/*
 * Events: numbered where something happens, kept in a bounded ring, handed to the host's hook by the call that caused
 * them before it returns. Writing is one locked add; nobody waits. If the ring is lapped before anybody hands its
 * events out, or a writer is lapped while it sleeps, they are lost, counted, and seen as a gap in `sequence`.
 */
#ifndef LB_POOL_EVENTS_H
#define LB_POOL_EVENTS_H

#include "pool/pool.h"

/* Notes an event of a slot's endpoint. `other` = LB_NO_ENDPOINT but for failovers. Any thread. */
void lb_events_note(lb_pool *pool, lb_event_kind kind, uint32_t slot, uint32_t from, uint32_t to,
		    lb_endpoint other, lb_time now);

/*
 * The most that a request hands out: so a request's time is bounded, however much a large control call noted. Those look that
 * may have caused some: whatever goes the careful way, and a select that looks after its lane.
 */
#define LB_EVENTS_A_REQUEST 16u

/* Calls the hook for what was noted and not handed out yet, the oldest first. No lock is held. */
void lb_events_deliver(
    lb_pool *pool); /* a request: LB_EVENTS_A_REQUEST at most, the rest is left to the next call */
void lb_events_deliver_all(lb_pool *pool); /* control */

/* Is there anything to hand out? One load each of two lines. */
static inline bool lb_events_waiting(const lb_pool *pool)
{
	return lb_get(&pool->events->written) != lb_get(&pool->delivered);
}

#endif
