/*
 * Ring: points on a circle of 32- or 64-bit numbers, each an endpoint's; a key belongs to the first point that is not
 * before it (D. Karger and others, STOC 1997). How many points an endpoint has, and which, is what the profiles differ
 * in: ring_plan.h, ring_points.h.
 *
 * One ring for each tier of a view, in two halves. The points are sorted; an index over their top bits says where to look,
 * so a pick looks at a few of them, however many there are, and nearly always at their upper 32 bits only. A reader that is overtaken may see a mixture of two builds:
 * each number that it reads is bounded before it is used.
 */
#ifndef LB_ALGO_RING_H
#define LB_ALGO_RING_H

#include "algo/rendezvous.h"
#include "base/block.h"

#define LB_RING_POINTS_MAX (1u << 23) /* of a half: Envoy's default maximum */

/* A tier's ring. */
typedef struct lb_ring {
	lb_atomic32 first; /* of its points in the half */
	lb_atomic32 n;     /* 0: it did not fit, and rendezvous hashing stands in */
	lb_atomic32 index; /* where its index begins in the half's */
	lb_atomic32 bits;  /* how many top bits the index goes by */
	lb_atomic32 taken; /* points of the half that are its own, those included that were dropped */
	lb_atomic64 print; /* of all that it was made of; 0 = being made, or overwritten */
} lb_ring;

/* Where a half's arrays lie. */
typedef struct lb_ring_half {
	lb_ring *rings;
	lb_atomic32 *uppers; /* the points' upper 32 bits */
	lb_atomic32 *lowers; /* their lower ones; NULL: points have 32 */
	lb_atomic32 *index;
	size_t index_size; /* entries */
	lb_atomic16 *slots;
	lb_contender *contenders; /* by slot, for tiers that did not fit; of both halves */
	uint32_t capacity;        /* points */
} lb_ring_half;

/* The state: this head, then the arrays of both halves. It belongs to one process. */
typedef struct lb_ring_head {
	lb_ring_half halves[2]; /* laid out by the first build, before anybody picks */
	_Alignas(LB_LINE) lb_ring rings[2][LB_TIERS_MAX];
} lb_ring_head;

size_t lb_ring_size(const lb_algo_shape *shape, const lb_algo_rules *rules);
void lb_ring_build(void *state, const lb_algo_view *view);

/* The half, but each array from a ring's first element on. */
static inline lb_ring_half lb_ring_half_from(lb_ring_half half, uint32_t first, uint32_t index)
{
	half.uppers += first;
	half.lowers = half.lowers ? half.lowers + first : NULL;
	half.slots += first;
	half.index += index;
	return half;
}

/* A point of so many bits as points have, from its two parts. */
static inline uint64_t lb_ring_point(const lb_atomic32 *uppers, const lb_atomic32 *lowers, uint32_t at)
{
	uint64_t upper = lb_get(&uppers[at]);

	return lowers ? upper << 32 | lb_get(&lowers[at]) : upper;
}

#endif
