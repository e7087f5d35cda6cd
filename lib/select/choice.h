/*
 * A choice: one call that looks for an endpoint, and the questions that each candidate is asked. Eligibility is decided here
 * and nowhere else.
 */
#ifndef LB_SELECT_CHOICE_H
#define LB_SELECT_CHOICE_H

#include "select/group.h"

/*
 * Vetoes that give way when nobody passes them: a zone that was tried, a bound of the load, a key that an endpoint in slow start
 * does not have yet.
 */
#define LB_WHY_SOFT (LB_WHY_BOUND | LB_WHY_ZONE | LB_WHY_RAMP)

typedef struct lb_choice {
	lb_selector *selector;
	lb_pool *pool;
	const lb_lane *lane;
	const lb_ticket *ticket;
	lb_pick *pick;
	lb_taken taken;
	lb_view_hold view;
	lb_group first;                /* the group that the request shall go to, until it is used up */
	uint32_t named;                /* the algorithm's first answer there, LB_NO_SLOT when it is used up */
	uint32_t skip;                 /* a slot that is not wanted, LB_NO_SLOT */
	uint32_t shut;                 /* the gates that count in the tier that is being looked through */
	uint32_t vetoes;               /* LB_WHY_SOFT that count in this round */
	uint64_t bound, bound_weights; /* the tier's: in flight + 1, sum of the weights; 0 = no bound */
	bool full;                     /* somebody was refused only for its in-flight limit */
} lb_choice;

/*
 * Why may a slot not be taken? 0 = it may. `shut` = the gates that count for it: a trial leaves some out. Gates, tried, limit, then the soft vetoes that count
 * in this round; the circuit is asked when the slot is taken. Changes nothing.
 */
uint32_t lb_choice_why(const lb_choice *choice, uint32_t slot, uint32_t shut);

/* Takes a slot if it may be used; a dry choice only says that it would. */
bool lb_choice_take(lb_choice *choice, uint32_t slot, uint32_t shut);

/* Gives a slot back that was just taken. */
void lb_choice_give_back(lb_choice *choice);

/*
 * The careful way to an endpoint, with every question asked in order; lb_select takes it when the ordinary way does not
 * lead there. `named` is what the algorithm named already in the tier that gets all requests, LB_NO_SLOT if it was not asked yet.
 */
lb_taken lb_choose(lb_selector *selector, const lb_request *request, const lb_lane *lane,
		   const lb_ticket *ticket, lb_pick *pick, uint32_t named);

/* The same for a choice that is made up already: `skip` and a dry pick included. */
lb_taken lb_choose_as(lb_choice *choice, const lb_request *request);

/* Sets the bound of the load for the members of a tier: none, unless the selector has one. */
void lb_choice_bind(lb_choice *choice, const lb_tier *tier);

#endif
