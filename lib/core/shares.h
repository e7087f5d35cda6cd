/*
 * Shares: how much of the traffic each level of priority gets, in whole per cent. A pure function of what is healthy where.
 *
 * A level is able to take overprovision_percent x healthy / total, at most 100 %. Levels are filled in order; what healthy
 * endpoints cannot take goes to degraded ones, again in order; if all together are able to take less than 100 %, each gets its
 * part of what there is. Only then may a level be in panic: too few of its endpoints are well, so that all of them are used.
 * With every level in panic, health says nothing any more and traffic goes by the number of endpoints.
 *
 * Source: Envoy's LoadBalancerBase (recalculatePerPriorityState, recalculatePerPriorityPanic, recalculateLoadInTotalPanic), to
 * the per cent. One difference: panic compares integers, where the last digit of Envoy's doubles may miss an
 * equality. Where nobody is able to take anything and panic is off, level 0 gets all, as there: nobody can be chosen in it.
 */
#ifndef LB_CORE_SHARES_H
#define LB_CORE_SHARES_H

#include <stdbool.h>
#include <stdint.h>

#define LB_LEVELS 8

/*
 * What there is at a level of priority: endpoints, or all in weight (panic goes by weight then, too). healthy + degraded is at
 * most total.
 */
typedef struct lb_level {
	uint32_t total; /* without the excluded ones: drained, not checked yet */
	uint32_t healthy, degraded;
	uint32_t hosts; /* with the excluded ones: the measure when every level is in panic */
} lb_level;

typedef struct lb_shares_rules {
	uint32_t overprovision_percent; /* at least 100; Envoy: 140 */
	uint32_t panic_percent;         /* in panic below it; 0 = never, above 100 = 100; Envoy: 50 */
} lb_shares_rules;

/* Loads in per cent of the traffic: all of them, healthy and degraded, sum to 100. */
typedef struct lb_shares {
	uint32_t n;         /* levels */
	uint32_t available; /* per cent that all together are able to take, at most 100 */
	uint32_t
	    healthy[LB_LEVELS]; /* load of the level's healthy endpoints, in panic of all its endpoints */
	uint32_t
	    degraded[LB_LEVELS]; /* load of the level's degraded endpoints, in panic of all its endpoints */
	bool panic[LB_LEVELS];   /* use all endpoints of the level, well or not */
} lb_shares;

/* Works out the shares of `n` levels, from 1 to LB_LEVELS. */
void lb_shares_of(lb_shares *shares, const lb_shares_rules *rules, const lb_level *levels, uint32_t n);

#endif
