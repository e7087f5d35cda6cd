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
	lb_atomic32 place;      /* slot << 16 | attempt << 8 | the trial's cell + 1 */
	lb_atomic32 generation; /* of the slot */
	lb_atomic32 epoch;      /* of the circuit, or the trial's word */
	lb_atomic32 timeout;    /* in units of 2^20 ns; UINT32_MAX = never */
	lb_atomic64 started;
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
	uint32_t slot, generation, attempt;
	uint32_t cell, epoch; /* the circuit's pass */
	lb_time started;
	lb_span timeout; /* LB_NEVER = none; kept rounded up to 2^20 ns (about 1 ms) */
} lb_entry;

#define LB_NO_ROW UINT32_MAX

/* Makes a ledger of unknown contents empty; generations start from `seed`. */
void lb_ledger_init(const lb_ledger *ledger, uint32_t seed);

/* Opens a row. Returns its index and writes its word (never 0), or LB_NO_ROW: all are open. */
uint32_t lb_ledger_open(const lb_ledger *ledger, const lb_entry *entry, uint32_t *word);

/* Reads a row; false if it is not open under that word. */
bool lb_ledger_read(const lb_ledger *ledger, uint32_t row, uint32_t word, lb_entry *entry);

/* Closes it; false if somebody else did. Whoever closes a row settles its request. */
bool lb_ledger_close(const lb_ledger *ledger, uint32_t row, uint32_t word);

/*
 * Looks for open rows from `*at` on, `steps` rows far, wrapping. Returns the next one whose timeout is over (or any, if
 * `all`) with its word and contents, and leaves `*at` behind it; LB_NO_ROW if there is none.
 */
uint32_t lb_ledger_sweep(const lb_ledger *ledger, uint32_t *at, uint32_t *steps, lb_time now, bool all,
			 uint32_t *word, lb_entry *entry);

#endif
