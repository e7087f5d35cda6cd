/* What one lane knows of one endpoint. See record.h. */
#include "core/record.h"

#include <stddef.h>

#define PENALTY_MAX (10 * LB_SECONDS)

/*
 * min, max and peak begin anew with each era of the statistics. In a shared lane two threads may do this at once, and
 * one extreme of the very first moment of an era may be lost.
 */
void lb_record_enter_era(lb_record *record, uint32_t era)
{
	lb_put64(&record->latency_min, 0);
	lb_put64(&record->latency_max, 0);
	lb_put(&record->tally.spare, era << LB_PEAK_BITS);
}

void lb_record_raise_peak(lb_record *record, uint32_t era, uint32_t inflight)
{
	lb_put(&record->tally.spare, era << LB_PEAK_BITS | (uint32_t)lb_min64(inflight, LB_PEAK_MAX));
}

lb_span lb_record_penalty(const lb_record *record, const lb_decay *decay, lb_span latency, lb_span least,
			  lb_time now)
{
	lb_span average = lb_ewma_read(&record->average, decay, now);

	return lb_min64(lb_max64(lb_max64(latency, average * 2), least), PENALTY_MAX);
}

void lb_record_add_peak(lb_record *record, const lb_decay *decay, uint32_t outcome, lb_span latency,
			lb_span penalty, lb_time now)
{
	lb_span dt = lb_time_since(now, lb_get64(&record->average.stamp));

	if (outcome != LB_SUCCESS && !lb_outcome_fails(outcome))
		return;
	if (outcome != LB_SUCCESS)
		latency = lb_record_penalty(record, decay, latency, penalty, now);
	lb_put64(&record->peak_average, lb_peak_next(lb_get64(&record->peak_average), decay, latency, dt));
}

_Static_assert(sizeof(lb_record) == (size_t)2 * LB_LINE,
	       "a report of a success touches one line of a record");
_Static_assert(offsetof(lb_record, others) == LB_LINE, "and that is the first");
