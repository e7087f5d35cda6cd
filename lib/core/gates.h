/*
 * Gates: the one word that decides whether an endpoint may get a request. Each bit is a reason why not (LB_WHY_*), the
 * rest is the low part of the slot's generation, so that a slot which changed hands is seen by the same comparison.
 */
#ifndef LB_CORE_GATES_H
#define LB_CORE_GATES_H

#include "base/atomic.h"

#include <lbcore/pool.h>

#define LB_GATES_CLOSED 0xffu /* the bits of LB_WHY_* */
#define LB_GATES_GENERATION 8 /* shift */

/* What no panic and no trial can open. */
#define LB_GATES_HARD (LB_WHY_ADMIN | LB_WHY_WEIGHT | LB_WHY_REMOVED)

#endif
