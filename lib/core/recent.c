/* A ring of recent requests. See recent.h. */
#include "core/recent.h"

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
