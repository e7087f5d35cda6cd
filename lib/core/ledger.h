/*
 * Ledger: a lane's open requests. A row is opened by lb_select and closed once, by whoever comes first: the report, the
 * row's timeout, the lane's leave. A ticket's id names lane, row and the row's generation, so a second, late or foreign
 * report finds a row that is not the one it means.
 *
 * Rows are taken in rotation from a cursor, so the one used longest ago comes first. The state of a row is its word:
 * {30 bits generation, 2 bits free / being written / open}. The words lie apart from the rows, sixteen to a cache line:
 * looking for a free row among many open ones stays cheap.
 *
 * An own lane's rows are claimed by nobody but its owner: they need no mark while they are being written.
 */
#ifndef LB_CORE_LEDGER_H
#define LB_CORE_LEDGER_H

#include "base/atomic.h"

#include <lbcore/base.h>

typedef struct lb_row {
	lb_atomic64 endpoint;
	lb_atomic64 started;
	lb_atomic64 deadline; /* LB_NEVER = none */
	lb_atomic64
	    pass; /* {24 attempt, 8 the trial's cell + 1, 32 epoch of the circuit, or the trial's owner} */
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

/* Makes a ledger of unknown contents empty; generations start anywhere, in each row elsewhere. */
void lb_ledger_init(const lb_ledger *ledger, uint64_t seed);

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
	lb_put64(&row->pass, (uint64_t)(entry->attempt << 8 | entry->cell) << 32 | entry->epoch);
}

static inline void lb_row_read(const lb_row *row, lb_entry *entry)
{
	uint64_t pass = lb_get64(&row->pass);

	entry->endpoint = lb_get64(&row->endpoint);
	entry->started = lb_get64(&row->started);
	entry->deadline = lb_get64(&row->deadline);
	entry->epoch = (uint32_t)pass;
	entry->attempt = (uint32_t)(pass >> 40);
	entry->cell = (uint32_t)(pass >> 32) & 0xff;
}

/* Takes the row for writing, if it is free. Acquire: the last user's closing comes before our writing. */
static inline bool lb_ledger_claim_row(const lb_ledger *ledger, uint32_t row)
{
	uint32_t seen = lb_get_acquire(&ledger->words[row]);

	if ((seen & LB_ROW_STATE) != 0)
		return false;
	return !ledger->shared || lb_cas(&ledger->words[row], &seen, seen | LB_ROW_WRITTEN);
}

/* Takes the row whose turn it is for writing. Returns its index, or LB_NO_ROW: that one is open. */
static inline uint32_t lb_ledger_claim(const lb_ledger *ledger)
{
	uint32_t row = lb_get(ledger->cursor);

	if (row >= ledger->n)
		row = 0;
	if (!lb_ledger_claim_row(ledger, row))
		return LB_NO_ROW;
	lb_put(ledger->cursor, row + 1);
	return row;
}

/* Takes any free row: looks through the whole ledger. LB_NO_ROW: all are open. */
uint32_t lb_ledger_search(const lb_ledger *ledger);

/* Opens a claimed row. Returns the word that it is open under (never 0). */
static inline uint32_t lb_ledger_open(const lb_ledger *ledger, uint32_t row, const lb_entry *entry)
{
	/* nobody else changes the word of a row that is claimed */
	uint32_t open = (lb_get(&ledger->words[row]) & ~LB_ROW_STATE) | LB_ROW_OPEN;

	lb_row_write(&ledger->rows[row], entry);
	/* release: whoever sees the row open sees what it says */
	lb_put_release(&ledger->words[row], open);
	return open;
}

/* Gives a claimed row back. */
static inline void lb_ledger_unclaim(const lb_ledger *ledger, uint32_t row)
{
	lb_put_release(&ledger->words[row], lb_get(&ledger->words[row]) & ~LB_ROW_STATE);
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

/*
 * Closes a row that was just read; false if somebody else did. Whoever closes a row settles its request. Only its owner closes
 * the rows of an own lane.
 */
static inline bool lb_ledger_close(const lb_ledger *ledger, uint32_t row, uint32_t word)
{
	uint32_t free_again = (word & ~LB_ROW_STATE) + LB_ROW_GENERATION;

	if (!ledger->shared) {
		lb_put_release(&ledger->words[row], free_again);
		return true;
	}
	return lb_cas(&ledger->words[row], &word, free_again);
}

/* A walk over a ledger's rows in search of those that nobody settled. */
typedef struct lb_sweep {
	lb_time now;
	bool all;       /* any open row, not only those whose time is over */
	uint32_t steps; /* rows still to look at */
	uint32_t at;    /* the next one; wraps */
	/* what was found */
	uint32_t row, word;
	lb_entry entry;
	lb_time next; /* the earliest deadline among the rows that were passed over */
} lb_sweep;

/* Goes on to the next row that is to be settled; false: there is none. */
bool lb_ledger_sweep(const lb_ledger *ledger, lb_sweep *sweep);

#endif
