/* Latencies, counted in buckets 1/128 of their value wide. */
#ifndef SIM_HISTOGRAM_H
#define SIM_HISTOGRAM_H

#include <stdint.h>

#define SIM_FINE 7 /* binary digits kept below the first */

typedef struct sim_histogram {
	uint64_t n, most;
	uint64_t buckets[(64 - SIM_FINE + 1) << SIM_FINE];
} sim_histogram;

void sim_histogram_add(sim_histogram *histogram, uint64_t value);

/* The value that `share` (0 to 1) of all are at or below: the middle of its bucket, at most the largest; 0 = empty. */
uint64_t sim_histogram_quantile(const sim_histogram *histogram, double share);

#endif
