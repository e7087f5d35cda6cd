/*
 * Recent: a ring of the last requests that a lane settled. Written on every report, one record after the other; read
 * by a look, which leaves out records that were overwritten while it copied them.
 */
#ifndef LB_CORE_RECENT_H
#define LB_CORE_RECENT_H

#include "base/atomic.h"

#include <lbcore/base.h>

typedef struct lb_recent_record {
	/* {32 number of the record in its ring, counted from 1, 24 attempt, 8 result}; written last */
	lb_atomic64 head;
	lb_atomic64 at;
	lb_atomic64 endpoint;
	lb_atomic64 latency;
} lb_recent_record;

typedef struct lb_recent {
	lb_recent_record *records;
	lb_atomic32 *written; /* how many were ever begun */
	uint32_t n;           /* a power of two; 0 = off */
	bool shared;
} lb_recent;

/* The same as plain values. */
typedef struct lb_recent_entry {
	lb_time at;
	lb_endpoint endpoint;
	lb_span latency;
	lb_result result;
	uint32_t attempt;
} lb_recent_entry;

static inline uint32_t lb_recent_number(const lb_recent *recent)
{
	if (!recent->shared) {
		uint32_t number = lb_get(recent->written) + 1;
		lb_put(recent->written, number);
		return number;
	}
	return lb_add(recent->written, 1) + 1;
}

/*
 * A record is overwritten by the n-th after it, whose number is given before. Every store of a record is a release, and every
 * load an acquire: so a reader that saw any new value sees, when it looks at `written` afterwards, that the number was given;
 * one that saw the head sees all that belongs to it. Where a head is two halves, the upper one is written last and read first:
 * the number.
 */
static inline void lb_recent_add(const lb_recent *recent, const lb_recent_entry *entry)
{
	if (recent->n == 0)
		return;
	uint32_t number = lb_recent_number(recent);
	lb_recent_record *record = &recent->records[number & (recent->n - 1)];

	lb_put64_release(&record->at, entry->at);
	lb_put64_release(&record->endpoint, entry->endpoint);
	lb_put64_release(&record->latency, entry->latency);
	lb_put64_release(&record->head,
			 (uint64_t)number << 32 | entry->attempt << 8 | (uint32_t)entry->result);
}

/* Reads the record `number` (from *written downwards); false if it is not there (any more). */
bool lb_recent_read(const lb_recent *recent, uint32_t number, lb_recent_entry *entry);

#endif
