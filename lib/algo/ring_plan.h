/*
 * How many points each endpoint of a tier gets on the ring. Points come in labels: one hash of a name and a number makes one
 * point, or four by MD5.
 *
 * nginx: 160 x weight. ketama: floorf(part of the weights x 40 x endpoints) labels. libmemcached: the same, by another
 * rounding. Envoy: so many that the lightest gets a whole number and the ring its least size; fractions are carried on from
 * one endpoint to the next in their order. Where what they give does not fit, all get proportionally fewer. Where zones have
 * weights, Envoy's ring is smaller while nobody is healthy in one of them; ours is not.
 *
 * Our own: the heaviest gets the whole of what an endpoint may have, others in proportion, by no other number. So
 * one that comes or goes changes nobody else's points, unless it alone is the heaviest.
 */
#ifndef LB_ALGO_RING_PLAN_H
#define LB_ALGO_RING_PLAN_H

#include "algo/algo.h"
#include "algo/ring_real.h"

#define LB_RING_POINTS 160u /* nginx's and ketama's, of an endpoint of weight 1 */
#define LB_RING_ENVOY_SIZE 1024u

typedef struct lb_ring_plan {
	lb_hash_profile profile;
	uint32_t n, lightest, heaviest; /* of the members with a weight */
	uint64_t weight;                /* the sum */
	uint32_t share;                 /* points that each endpoint may have for certain */
	uint64_t room;                  /* labels, at most */
	uint64_t wanted;                /* labels, by the profile's own rule */
	uint64_t total;                 /* labels that there will be */
	lb_real scale, target;
	uint64_t given; /* so far */
} lb_ring_plan;

/* Points of a label. */
static inline uint32_t lb_ring_points_of_label(lb_hash_profile profile)
{
	return profile == LB_HASH_KETAMA || profile == LB_HASH_LIBMEMCACHED ? 4 : 1;
}

/* A plan for a tier that has at least one member, and room for a label of each. */
lb_ring_plan lb_ring_plan_of(const lb_algo_view *view, const lb_tier *tier, uint32_t room, uint32_t share);

/* Begins with the first member again. */
void lb_ring_plan_restart(lb_ring_plan *plan);

/* The labels of the next member, which has this weight; of weight 0 none. */
uint32_t lb_ring_plan_next(lb_ring_plan *plan, uint32_t weight);

#endif
