/* What one lane knows of one endpoint. See record.h. */
#include "core/record.h"

#include "base/span.h"

#define PENALTY_MAX (10 * LB_SECONDS)

/*
 * min, max and peak begin anew with each era of the statistics. In a shared lane two threads may do this at once, and
 * one extreme of the very first moment of an era may be lost.
 */
void lb_record_enter_era(lb_record *record, uint32_t era)
{
	lb_put64(&record->latency_min, 0);
	lb_put64(&record->latency_max, 0);
	lb_put(&record->peak, 0);
	lb_put(&record->era, era);
}

lb_span lb_record_penalty(const lb_record *record, const lb_decay *decay, lb_span latency, lb_span least,
			  lb_time now)
{
	lb_span average = lb_ewma_read(&record->average, decay, now);

	return lb_min64(lb_max64(lb_max64(latency, average * 2), least), PENALTY_MAX);
}
