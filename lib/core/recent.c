/* A ring of recent requests. See recent.h. */
#include "core/recent.h"

static uint32_t take_number(const lb_recent *recent)
{
	if (recent->shared)
		return lb_add(recent->written, 1) + 1;
	uint32_t number = lb_get(recent->written) + 1;
	lb_put(recent->written, number);
	return number;
}

/*
 * Every store after `number` = 0 is a release, and every load before the second look at it an acquire. So a reader that
 * saw any new value sees, by its second look, that the number is gone or another one.
 */
void lb_recent_add(const lb_recent *recent, const lb_recent_entry *entry)
{
	if (recent->n == 0)
		return;
	uint32_t number = take_number(recent);
	lb_recent_record *record = &recent->records[number & (recent->n - 1)];

	lb_put(&record->number, 0);
	lb_put_release(&record->attempt_result, entry->attempt << 8 | (uint32_t)entry->result);
	lb_put64_release(&record->at, entry->at);
	lb_put64_release(&record->endpoint, entry->endpoint);
	lb_put64_release(&record->latency, entry->latency);
	lb_put_release(&record->number, number);
}

bool lb_recent_read(const lb_recent *recent, uint32_t number, lb_recent_entry *entry)
{
	if (recent->n == 0 || number == 0)
		return false;
	const lb_recent_record *record = &recent->records[number & (recent->n - 1)];

	if (lb_get_acquire(&record->number) != number)
		return false;
	uint32_t attempt_result = lb_get_acquire(&record->attempt_result);
	entry->attempt = attempt_result >> 8;
	entry->result = (lb_result)(attempt_result & 0xff);
	entry->at = lb_get64_acquire(&record->at);
	entry->endpoint = lb_get64_acquire(&record->endpoint);
	entry->latency = lb_get64_acquire(&record->latency);
	return lb_get(&record->number) == number;
}
