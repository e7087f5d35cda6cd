/* LB_APART before a function keeps it out of its caller, so that what is seldom costs the ordinary way no registers. */
#ifndef LB_BASE_APART_H
#define LB_BASE_APART_H

#ifdef __GNUC__
#define LB_APART __attribute__((noinline))
#else
#define LB_APART
#endif

#endif
