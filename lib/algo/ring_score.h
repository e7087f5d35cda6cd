/*
 * A tier whose ring does not fit: the endpoint whose score with the key is best (rendezvous hashing, D. Thaler and C.
 * Ravishankar, 1998), by weight (J. Resch, 2015). The same for all callers; a pick looks at every candidate.
 */
#ifndef LB_ALGO_RING_SCORE_H
#define LB_ALGO_RING_SCORE_H

#include "algo/algo.h"

/* The best that was not named in an earlier attempt nor refused, or LB_NO_SLOT. `names` are hashes of names, by slot. */
uint32_t lb_ring_pick_by_score(const lb_atomic64 *names, const lb_tier *tier, lb_pick *pick);

#endif
