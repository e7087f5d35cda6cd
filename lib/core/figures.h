/*
 * Figures: the sums that statistics are made of, as plain values. Taken from records, merged over lanes, and taken
 * against a baseline: a reset of the statistics writes no lane's counters, it remembers where they stood. A request that is
 * open at a reset counts as selected after it.
 */
#ifndef LB_CORE_FIGURES_H
#define LB_CORE_FIGURES_H

#include "core/record.h"

typedef struct lb_figures {
	uint64_t outcomes[LB_OUTCOMES];
	uint64_t latency_sum;
	uint64_t open;       /* in flight: with the outcomes, all that was selected */
	lb_span latency_min; /* the least + 1; 0 = none */
	lb_span latency_max;
	uint32_t peak;
} lb_figures;

/* The same in the block. */
typedef struct lb_baseline {
	lb_atomic64 outcomes[LB_OUTCOMES];
	lb_atomic64 latency_sum;
	lb_atomic64 latency_min, latency_max;
	lb_atomic32 peak;
} lb_baseline;

/* Adds what a record holds; its extremes only if they belong to `era`. */
void lb_figures_add_record(lb_figures *figures, const lb_record *record, uint32_t era);

void lb_figures_merge(lb_figures *figures, const lb_figures *more);

/* Leaves what came after the baseline. Extremes and peak are not touched. */
void lb_figures_since(lb_figures *figures, const lb_baseline *baseline);

void lb_baseline_write(lb_baseline *baseline, const lb_figures *figures);
void lb_baseline_read(const lb_baseline *baseline, lb_figures *figures);

/* All that was selected: settled or open. */
uint64_t lb_figures_selected(const lb_figures *figures);

/* All that has a verdict's latency in latency_sum. */
uint64_t lb_figures_timed(const lb_figures *figures);

/* Failures, and settled requests with a verdict. */
uint64_t lb_figures_failures(const lb_figures *figures);
uint64_t lb_figures_verdicts(const lb_figures *figures);

#endif
