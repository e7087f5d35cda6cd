/* Trials by the way of a select: which circuit wants one, and giving it this request. */
#ifndef LB_SELECT_TRIALS_H
#define LB_SELECT_TRIALS_H

#include "select/choice.h"

/*
 * Looks through a few slots for one that wants a trial, and makes this request its trial. A request that already failed
 * somewhere is spared. When a round finds nothing, the next one begins when the first open time seen is over, or after a
 * pause.
 */
bool lb_choice_try_trial(lb_choice *choice);

#endif
