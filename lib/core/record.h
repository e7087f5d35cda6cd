/*
 * Record: what one lane knows of one endpoint: its counters, its averages, its share of the breaker's window. A report
 * of a success touches the first line only, unless somebody goes by the peak average.
 *
 * The number of selections is not kept: each is either settled, and counted by its outcome, or still in flight.
 */
#ifndef LB_CORE_RECORD_H
#define LB_CORE_RECORD_H

#include "base/block.h"
#include "core/peak.h"
#include "core/window.h"

/* Outcomes as they are counted: every lb_result, and the tickets that nobody settled. */
enum { LB_OUTCOME_FORGOTTEN = LB_LOCAL + 1, LB_OUTCOMES };

typedef struct lb_record {
	_Alignas(LB_LINE) lb_atomic64 succeeded;
	lb_atomic64 latency_sum; /* of the outcomes that have a latency */
	lb_atomic64 latency_min; /* the least + 1; 0 = none yet */
	lb_atomic64 latency_max;
	lb_ewma average;
	lb_tally tally; /* its spare word: the peak */
	/* the second line: all that is not a success */
	lb_atomic64 others[LB_OUTCOMES - 1]; /* by outcome - 1 */
	lb_atomic64
	    peak_average; /* core/peak.h, of the stamp of `average`; kept while an algorithm goes by it */
} lb_record;

/*
 * The peak's word: {8 bits era, 24 bits: the highest in-flight count that a settling request saw}. The era is that of the statistics which min, max and peak belong to, modulo
 * 256: an endpoint that had no request during 256 resets keeps its old extremes.
 */
#define LB_PEAK_BITS 24
#define LB_PEAK_MAX ((UINT32_C(1) << LB_PEAK_BITS) - 1)

static inline bool lb_record_of_era(const lb_record *record, uint32_t era)
{
	return (lb_get(&record->tally.spare) >> LB_PEAK_BITS) == (era & 0xff);
}

/* The counter of an outcome. */
static inline lb_atomic64 *lb_record_counter(lb_record *record, uint32_t outcome)
{
	return outcome == LB_SUCCESS ? &record->succeeded : &record->others[outcome - 1];
}

static inline uint64_t lb_record_count(const lb_record *record, uint32_t outcome)
{
	return lb_get64(outcome == LB_SUCCESS ? &record->succeeded : &record->others[outcome - 1]);
}

/* Does the outcome speak against the endpoint? */
static inline bool lb_outcome_fails(uint32_t outcome)
{
	return outcome >= LB_FAILURE && outcome <= LB_OVERLOAD;
}

/* Does its latency say something about the endpoint's speed? Not that of a connection that was refused. */
static inline bool lb_outcome_timed(uint32_t outcome)
{
	return outcome <= LB_OVERLOAD && outcome != LB_REFUSED;
}

/* Calls with a verdict: the running total that the tally goes by. */
static inline uint64_t lb_record_calls(const lb_record *record)
{
	uint64_t calls = lb_get64(&record->succeeded);

	for (uint32_t outcome = LB_FAILURE; outcome <= LB_OVERLOAD; outcome++)
		calls += lb_get64(&record->others[outcome - 1]);
	return calls;
}

/* What a settled request adds to its record. */
typedef struct lb_sample {
	uint32_t outcome;
	uint32_t inflight; /* before the request left */
	uint32_t era;
	bool shared; /* the lane is written by several threads */
	lb_span latency;
	lb_span penalty; /* failure_latency */
	lb_time now;
} lb_sample;

/* A new era of the statistics: extremes and peak begin anew. */
void lb_record_enter_era(lb_record *record, uint32_t era);

void lb_record_raise_peak(lb_record *record, uint32_t era, uint32_t inflight);

/* What a failure of that latency is averaged as: it must never look attractive, however fast it came. */
lb_span lb_record_penalty(const lb_record *record, const lb_decay *decay, lb_span latency, lb_span least,
			  lb_time now);

/* The peak average in ns; 0 = never measured. */
static inline lb_span lb_record_peak(const lb_record *record, const lb_decay *decay, lb_time now)
{
	lb_span dt = lb_time_since(now, lb_get64(&record->average.stamp));

	return lb_peak_read(lb_get64(&record->peak_average), decay, dt);
}

/* Takes an outcome into the peak average; before lb_record_add, whose average the penalty and the stamp are of. */
void lb_record_add_peak(lb_record *record, const lb_decay *decay, uint32_t outcome, lb_span latency,
			lb_span penalty, lb_time now);

static inline void lb_record_extremes(lb_record *record, lb_span latency)
{
	/* - 1: none yet is then the largest of all */
	if (latency < lb_get64(&record->latency_min) - 1)
		lb_put64(&record->latency_min, latency + 1);
	if (latency > lb_get64(&record->latency_max))
		lb_put64(&record->latency_max, latency);
}

/* Counts, averages and extremes; not the tally, which the caller turns first. */
static inline void lb_record_add(lb_record *record, const lb_decay *decay, const lb_sample *sample)
{
	if (!lb_record_of_era(record, sample->era))
		lb_record_enter_era(record, sample->era);
	lb_bump64(lb_record_counter(record, sample->outcome), 1, sample->shared);
	if (sample->inflight > (lb_get(&record->tally.spare) & LB_PEAK_MAX))
		lb_record_raise_peak(record, sample->era, sample->inflight);
	if (lb_outcome_timed(sample->outcome)) {
		lb_bump64(&record->latency_sum, sample->latency, sample->shared);
		lb_record_extremes(record, sample->latency);
	}
	if (sample->outcome == LB_SUCCESS)
		lb_ewma_add(&record->average, decay, sample->latency, sample->now);
	else if (lb_outcome_fails(sample->outcome))
		lb_ewma_add(&record->average, decay,
			    lb_record_penalty(record, decay, sample->latency, sample->penalty, sample->now),
			    sample->now);
}

#endif
