/* A ring of recent requests. See recent.h. */
#include "core/recent.h"

bool lb_recent_read(const lb_recent *recent, uint32_t number, lb_recent_entry *entry)
{
	if (recent->n == 0 || number == 0)
		return false;
	const lb_recent_record *record = &recent->records[number & (recent->n - 1)];
	uint64_t head = lb_get64_acquire(&record->head);

	if (head >> 32 != number)
		return false;
	entry->attempt = (uint32_t)head >> 8;
	entry->result = (lb_result)(head & 0xff);
	entry->at = lb_get64_acquire(&record->at);
	entry->endpoint = lb_get64_acquire(&record->endpoint);
	entry->latency = lb_get64_acquire(&record->latency);
	return lb_get(recent->written) - number < recent->n;
}
