/*
 * Ledger: a lane's open requests. A row is opened by lb_select and closed once, by whoever comes first: the report, the
 * row's timeout, the lane's leave. A ticket's id names lane, row and the row's generation, so a second, late or foreign
 * report finds a row that is not the one it means.
 *
 * Rows are taken in rotation from a cursor, so the one used longest ago comes first. The state of a row is its word:
 * {30 bits generation, 2 bits free / being written / open}. The words lie apart from the rows, sixteen to a cache line:
 * looking for a free row among many open ones stays cheap.
 */
#ifndef LB_CORE_LEDGER_H
#define LB_CORE_LEDGER_H

#include "base/atomic.h"

#include <lbcore/base.h>

typedef struct lb_row {
	lb_atomic64 endpoint;
	lb_atomic64 started;
	lb_atomic64 deadline; /* LB_NEVER = none */
	lb_atomic32 epoch;    /* of the circuit, or the trial's owner */
	lb_atomic32 trial;    /* attempt << 8 | the trial's cell + 1 */
} lb_row;

/* A lane's view of its ledger; the arrays lie in the block. */
typedef struct lb_ledger {
	lb_atomic32 *words;
	lb_row *rows;
	lb_atomic32 *cursor;
	uint32_t n;
	bool shared; /* several threads open and close rows */
} lb_ledger;

/* A row's contents as plain values. */
typedef struct lb_entry {
	lb_endpoint endpoint;
	lb_time started, deadline;     /* LB_NEVER = none */
	uint32_t attempt, cell, epoch; /* cell and epoch: the circuit's pass */
} lb_entry;

#define LB_NO_ROW UINT32_MAX

/* Makes a ledger of unknown contents empty; generations start from `seed`. */
void lb_ledger_init(const lb_ledger *ledger, uint32_t seed);

/* The two low bits of a row's word. */
#define LB_ROW_STATE 3u
#define LB_ROW_WRITTEN 1u
#define LB_ROW_OPEN 2u
#define LB_ROW_GENERATION 4u

static inline void lb_row_write(lb_row *row, const lb_entry *entry)
{
	lb_put64(&row->endpoint, entry->endpoint);
	lb_put64(&row->started, entry->started);
	lb_put64(&row->deadline, entry->deadline);
	lb_put(&row->epoch, entry->epoch);
	lb_put(&row->trial, entry->attempt << 8 | entry->cell);
}

static inline void lb_row_read(const lb_row *row, lb_entry *entry)
{
	uint32_t trial = lb_get(&row->trial);

	entry->endpoint = lb_get64(&row->endpoint);
	entry->started = lb_get64(&row->started);
	entry->deadline = lb_get64(&row->deadline);
	entry->epoch = lb_get(&row->epoch);
	entry->attempt = trial >> 8;
	entry->cell = trial & 0xff;
}

/* Takes a free row for writing. Acquire: the last user's closing comes before our writing. */
static inline bool lb_row_claim(const lb_ledger *ledger, uint32_t row, uint32_t word)
{
	if (ledger->shared)
		return lb_cas(&ledger->words[row], &word, word | LB_ROW_WRITTEN);
	return true;
}

/* Opens a row. Returns its index and writes its word (never 0), or LB_NO_ROW: all are open. */
static inline uint32_t lb_ledger_open(const lb_ledger *ledger, const lb_entry *entry, uint32_t *word)
{
	uint32_t row = lb_get(ledger->cursor);

	if (row >= ledger->n)
		row = 0;
	for (uint32_t steps = 0; steps < ledger->n; steps++, row = row + 1 < ledger->n ? row + 1 : 0) {
		uint32_t seen = lb_get_acquire(&ledger->words[row]);
		if ((seen & LB_ROW_STATE) != 0 || !lb_row_claim(ledger, row, seen))
			continue;
		lb_row_write(&ledger->rows[row], entry);
		/* release: whoever sees the row open sees what it says */
		lb_put_release(&ledger->words[row], seen | LB_ROW_OPEN);
		lb_put(ledger->cursor, row + 1);
		*word = seen | LB_ROW_OPEN;
		return row;
	}
	return LB_NO_ROW;
}

/* Reads a row; false if it is not open under that word. */
static inline bool lb_ledger_read(const lb_ledger *ledger, uint32_t row, uint32_t word, lb_entry *entry)
{
	if (row >= ledger->n || (word & LB_ROW_STATE) != LB_ROW_OPEN ||
	    lb_get_acquire(&ledger->words[row]) != word)
		return false;
	lb_row_read(&ledger->rows[row], entry);
	return true;
}

/* Closes it; false if somebody else did. Whoever closes a row settles its request. */
static inline bool lb_ledger_close(const lb_ledger *ledger, uint32_t row, uint32_t word)
{
	uint32_t free_again = (word & ~LB_ROW_STATE) + LB_ROW_GENERATION;

	if (ledger->shared)
		return lb_cas(&ledger->words[row], &word, free_again);
	if (lb_get(&ledger->words[row]) != word)
		return false;
	lb_put_release(&ledger->words[row], free_again);
	return true;
}

/*
 * Looks for open rows from `*at` on, `steps` rows far, wrapping. Returns the next one whose timeout is over (or any, if
 * `all`) with its word and contents, and leaves `*at` behind it; LB_NO_ROW if there is none.
 */
uint32_t lb_ledger_sweep(const lb_ledger *ledger, uint32_t *at, uint32_t *steps, lb_time now, bool all,
			 uint32_t *word, lb_entry *entry);

#endif
