/* The benchmark's parts: floors, one measurement, the table. */
#ifndef BENCH_H
#define BENCH_H

#include <lbcore/lbcore.h>
#include <stdbool.h>

enum { SIZES = 5, ALGORITHMS = LB_LEAST_REQUEST + 1, REPEATS = 9, OPEN = 64 };

extern const uint32_t sizes[SIZES];

uint64_t clock_ns(void);
double median(double *values, int n);

/* What the hardware takes, ns: the yardstick of the same run. */
typedef struct floors {
	double locked; /* F: one uncontended locked add */
	double clock;  /* C: clock_gettime(CLOCK_MONOTONIC) */
	double call;   /* a call through a pointer */
} floors;

floors floors_measure(void);

/* F alone: measured again beside each subject. */
double floor_locked(void);

/* A pool of n endpoints with everything on, and one selector. */
typedef struct subject {
	lb_pool *pool;
	lb_selector *selector;
	uint32_t lanes[2]; /* joined by two workers */
} subject;

void subject_make(subject *s, lb_algorithm algorithm, uint32_t n);
void subject_free(subject *s);

/*
 * ns for one select and its report, OPEN requests in flight: each step reports the one selected OPEN steps before. One thread,
 * or two at once (the time of each thread's step). Own lanes, or lane 0.
 */
double subject_run(subject *s, bool own, int threads);

#endif
