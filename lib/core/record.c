/* What one lane knows of one endpoint. See record.h. */
#include "core/record.h"

#include "base/span.h"

#define PENALTY_MAX (10 * LB_SECONDS)

/*
 * min, max and peak begin anew with each era of the statistics. In a shared lane two threads may do this at once, and
 * one extreme of the very first moment of an era may be lost.
 */
static void enter_era(lb_record *record, uint32_t era)
{
	if (lb_get(&record->era) == era)
		return;
	lb_put64(&record->latency_min, 0);
	lb_put64(&record->latency_max, 0);
	lb_put(&record->peak, 0);
	lb_put(&record->era, era);
}

static void add_extremes(lb_record *record, lb_span latency)
{
	lb_span least = lb_get64(&record->latency_min);

	if (least == 0 || latency < least)
		lb_put64(&record->latency_min, latency);
	if (latency > lb_get64(&record->latency_max))
		lb_put64(&record->latency_max, latency);
}

/* A failure must never look attractive, however fast it came. */
static lb_span failure_sample(const lb_record *record, const lb_decay *decay, const lb_sample *sample)
{
	lb_span average = lb_ewma_read(&record->average, decay, sample->now);
	lb_span worst = lb_max64(lb_max64(sample->latency, average * 2), sample->penalty);

	return lb_min64(worst, PENALTY_MAX);
}

void lb_record_add(lb_record *record, const lb_decay *decay, const lb_sample *sample)
{
	enter_era(record, sample->era);
	lb_bump64(lb_record_counter(record, sample->outcome), 1, sample->shared);
	if (sample->inflight > lb_get(&record->peak))
		lb_put(&record->peak, sample->inflight);
	if (lb_outcome_timed(sample->outcome)) {
		lb_bump64(&record->latency_sum, sample->latency, sample->shared);
		add_extremes(record, sample->latency);
	}
	if (sample->outcome == LB_SUCCESS)
		lb_ewma_add(&record->average, decay, sample->latency, sample->now);
	else if (lb_outcome_fails(sample->outcome))
		lb_ewma_add(&record->average, decay, failure_sample(record, decay, sample), sample->now);
}
