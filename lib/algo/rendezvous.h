/*
 * Rendezvous hashing (highest random weight): each member has a score with the key, and the highest wins; the next choice
 * is the next lower score. Source: D. Thaler and C. Ravishankar, IEEE/ACM Transactions on Networking 6(1), 1998; weights by
 * the logarithmic method (-w / ln h; C. Schindelhauer and G. Schomaker, SPAA 2005), in integers. Scores come of the names,
 * so the order of addition does not matter, and one that leaves moves its own keys only.
 */
#ifndef LB_ALGO_RENDEZVOUS_H
#define LB_ALGO_RENDEZVOUS_H

#include "algo/algo.h"

/* A member as scores see it. */
typedef struct lb_contender {
	lb_atomic64 name; /* its hash */
	lb_atomic32 weight;
} lb_contender;

/* Writes the members down, by slot: of one tier, or of all. */
void lb_rendezvous_build_tier(lb_contender *contenders, const lb_algo_view *view, const lb_tier *tier);
void lb_rendezvous_build(lb_contender *contenders, const lb_algo_view *view);

/* The member with the highest score, then at each attempt the next; passes over those refused. One look at each member. */
uint32_t lb_rendezvous_pick(const lb_contender *contenders, const lb_tier *tier, lb_pick *pick);

#endif
