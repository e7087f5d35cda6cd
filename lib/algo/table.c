/* The table of algorithms, indexed by lb_algorithm. */
#include "algo/table.h"

#include <string.h>

enum { ROWS = LB_LEAST_REQUEST + 1 };

static const lb_algo *const rows[ROWS] = {
    [LB_ROUND_ROBIN] = &lb_algo_round_robin,
    [LB_WEIGHTED_ROUND_ROBIN] = &lb_algo_weighted_round_robin,
    [LB_RANDOM] = &lb_algo_random,
    [LB_LEAST_CONNECTIONS] = &lb_algo_least_connections,
    [LB_LEAST_RESPONSE_TIME] = &lb_algo_least_response_time,
    [LB_TWO_CHOICES] = &lb_algo_two_choices,
    [LB_PEAK_EWMA] = &lb_algo_peak_ewma,
    [LB_RING_HASH] = &lb_algo_ring_hash,
    [LB_MAGLEV] = &lb_algo_maglev,
    [LB_MAP_HASH] = &lb_algo_map_hash,
    [LB_RENDEZVOUS] = &lb_algo_rendezvous,
    [LB_FIRST_AVAILABLE] = &lb_algo_first_available,
    [LB_LEAST_REQUEST] = &lb_algo_least_request,
};

const lb_algo *lb_algo_row(lb_algorithm algorithm)
{
	return (uint32_t)algorithm < ROWS ? rows[algorithm] : NULL;
}

int lb_algorithm_find(const char *name, lb_algorithm *algorithm)
{
	if (!name || !algorithm)
		return LB_EINVAL;
	for (uint32_t i = 0; i < ROWS; i++) {
		if (!rows[i] || strcmp(rows[i]->name, name) != 0)
			continue;
		*algorithm = (lb_algorithm)i;
		return LB_OK;
	}
	return LB_ENOENT;
}

const char *lb_algorithm_name(lb_algorithm algorithm)
{
	const lb_algo *row = lb_algo_row(algorithm);

	return row ? row->name : NULL;
}
