/* Arithmetic on times that cannot wrap: a sum stops at LB_NEVER, a difference at 0 (a clock that stepped back). */
#ifndef LB_BASE_SPAN_H
#define LB_BASE_SPAN_H

#include <lbcore/base.h>

static inline lb_time lb_time_after(lb_time now, lb_span span)
{
	return span > LB_NEVER - now ? LB_NEVER : now + span;
}

static inline lb_span lb_time_since(lb_time now, lb_time then)
{
	/* without a branch: two times of the same moment come in any order */
	return (now - then) & (0 - (lb_time)(now > then));
}

static inline uint64_t lb_min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t lb_max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A product that stops at the top. */
static inline uint64_t lb_times(uint64_t a, uint64_t b)
{
	return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* value * numerator / denominator without overflow of the product for any value up to 2^64 / denominator. */
static inline uint64_t lb_scale64(uint64_t value, uint64_t numerator, uint64_t denominator)
{
	return value / denominator * numerator + value % denominator * numerator / denominator;
}

/*
 * A span drawn evenly from +- percent around `span`, by 32 random bits. Percent up to 100.
 */
static inline lb_span lb_span_jitter(lb_span span, uint32_t percent, uint32_t random)
{
	lb_span reach = lb_scale64(span, percent, 100);
	lb_span offset = lb_scale64(reach, (uint64_t)random * 2, UINT32_MAX);

	return lb_time_after(span - reach, offset);
}

#endif
