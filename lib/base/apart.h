/*
 * What compilers cannot know: LB_APART before a function keeps it out of its callers, so that what is seldom costs the
 * ordinary way no registers; LB_WITHIN puts it into each of them, though it is large and one of them is seldom.
 */
#ifndef LB_BASE_APART_H
#define LB_BASE_APART_H

#ifdef __GNUC__
#define LB_APART __attribute__((noinline))
#define LB_WITHIN inline __attribute__((always_inline))
#else
#define LB_APART
#define LB_WITHIN inline
#endif

#endif
