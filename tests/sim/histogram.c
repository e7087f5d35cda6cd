/* Latencies in buckets. See histogram.h. */
#include "sim/histogram.h"

/* Values below 2^SIM_FINE stand for themselves; above, each power of two has 2^SIM_FINE buckets. */
static uint32_t bucket_of(uint64_t value)
{
	uint32_t shift = 0;

	while (value >> shift >= UINT64_C(2) << SIM_FINE)
		shift++;
	return (uint32_t)((shift << SIM_FINE) + (value >> shift));
}

static uint64_t middle_of(uint32_t bucket)
{
	uint32_t shift = bucket >> SIM_FINE;

	if (shift <= 1)
		return bucket;
	shift--;
	return ((uint64_t)(bucket - (shift << SIM_FINE)) << shift) + (UINT64_C(1) << shift >> 1);
}

void sim_histogram_add(sim_histogram *histogram, uint64_t value)
{
	histogram->buckets[bucket_of(value)]++;
	histogram->n++;
	if (value > histogram->most)
		histogram->most = value;
}

uint64_t sim_histogram_quantile(const sim_histogram *histogram, double share)
{
	uint64_t below = 0;
	double wanted = share * (double)histogram->n;

	for (uint32_t bucket = 0; bucket < sizeof histogram->buckets / sizeof *histogram->buckets; bucket++) {
		below += histogram->buckets[bucket];
		if (below > 0 && (double)below >= wanted)
			return middle_of(bucket) < histogram->most ? middle_of(bucket) : histogram->most;
	}
	return 0;
}
