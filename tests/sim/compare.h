/* What `make sim` compares: every algorithm of lbcore in two situations, at three loads. */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H

#include "sim/sim.h"

enum { SITUATIONS = 2, LOADS = 3, ALGORITHMS_MAX = 32 };

extern const int loads[LOADS]; /* per cent */
extern const char *const situations[SITUATIONS];

typedef struct comparison {
	int algorithms;
	lb_algorithm which[ALGORITHMS_MAX];
	sim_result results[ALGORITHMS_MAX][SITUATIONS][LOADS];
} comparison;

/* One run's config: unequal servers with antagonists, which nobody tells the clients of. */
sim_config compare_config(lb_algorithm algorithm, int situation, double load);

/* The part of the requests that timed out or were refused. */
double compare_lost(const sim_result *result);

/* Writes the chart of p99. Returns whether all of it could be written. */
bool chart_write(const char *path, const comparison *c);

#endif
