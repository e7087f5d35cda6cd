/* A lane's open requests. See ledger.h. */
#include "core/ledger.h"

#include "base/span.h"

#define TIMEOUT_SHIFT 20

/* The two low bits of a row's word. */
#define ROW_STATE 3u
#define ROW_WRITTEN 1u
#define ROW_OPEN 2u
#define ROW_GENERATION 4u

static uint32_t pack_timeout(lb_span timeout)
{
	uint64_t units = (timeout >> TIMEOUT_SHIFT) + 1;

	return units >= UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

static void write_row(lb_row *row, const lb_entry *entry)
{
	lb_put(&row->place, entry->slot << 16 | entry->attempt << 8 | entry->cell);
	lb_put(&row->generation, entry->generation);
	lb_put(&row->epoch, entry->epoch);
	lb_put(&row->timeout, pack_timeout(entry->timeout));
	lb_put64(&row->started, entry->started);
}

static void read_row(const lb_row *row, lb_entry *entry)
{
	uint32_t place = lb_get(&row->place);
	uint32_t timeout = lb_get(&row->timeout);

	entry->slot = place >> 16;
	entry->attempt = place >> 8 & 0xff;
	entry->cell = place & 0xff;
	entry->generation = lb_get(&row->generation);
	entry->epoch = lb_get(&row->epoch);
	entry->timeout = timeout == UINT32_MAX ? LB_NEVER : (lb_span)timeout << TIMEOUT_SHIFT;
	entry->started = lb_get64(&row->started);
}

/* Takes a free row for writing. Acquire: the last user's closing comes before our writing. */
static bool claim(const lb_ledger *ledger, uint32_t row, uint32_t word)
{
	if (ledger->shared)
		return lb_cas(&ledger->words[row], &word, word | ROW_WRITTEN);
	return true;
}

void lb_ledger_init(const lb_ledger *ledger, uint32_t seed)
{
	lb_put(ledger->cursor, 0);
	for (uint32_t row = 0; row < ledger->n; row++)
		lb_put(&ledger->words[row], seed & ~ROW_STATE);
}

uint32_t lb_ledger_open(const lb_ledger *ledger, const lb_entry *entry, uint32_t *word)
{
	uint32_t row = lb_get(ledger->cursor);

	if (row >= ledger->n)
		row = 0;
	for (uint32_t steps = 0; steps < ledger->n; steps++, row = row + 1 < ledger->n ? row + 1 : 0) {
		uint32_t seen = lb_get_acquire(&ledger->words[row]);
		if ((seen & ROW_STATE) != 0 || !claim(ledger, row, seen))
			continue;
		write_row(&ledger->rows[row], entry);
		/* release: whoever sees the row open sees what it says */
		lb_put_release(&ledger->words[row], seen | ROW_OPEN);
		lb_put(ledger->cursor, row + 1);
		*word = seen | ROW_OPEN;
		return row;
	}
	return LB_NO_ROW;
}

bool lb_ledger_read(const lb_ledger *ledger, uint32_t row, uint32_t word, lb_entry *entry)
{
	if (row >= ledger->n || (word & ROW_STATE) != ROW_OPEN || lb_get_acquire(&ledger->words[row]) != word)
		return false;
	read_row(&ledger->rows[row], entry);
	return true;
}

bool lb_ledger_close(const lb_ledger *ledger, uint32_t row, uint32_t word)
{
	uint32_t free_again = (word & ~ROW_STATE) + ROW_GENERATION;

	if (ledger->shared)
		return lb_cas(&ledger->words[row], &word, free_again);
	if (lb_get(&ledger->words[row]) != word)
		return false;
	lb_put_release(&ledger->words[row], free_again);
	return true;
}

uint32_t lb_ledger_sweep(const lb_ledger *ledger, uint32_t *at, uint32_t *steps, lb_time now, bool all,
			 uint32_t *word, lb_entry *entry)
{
	while (*steps > 0) {
		uint32_t row = *at < ledger->n ? *at : 0;
		*at = row + 1;
		--*steps;
		*word = lb_get_acquire(&ledger->words[row]);
		if (!lb_ledger_read(ledger, row, *word, entry))
			continue;
		bool overdue =
		    entry->timeout != LB_NEVER && lb_time_since(now, entry->started) >= entry->timeout;
		if (all || overdue)
			return row;
	}
	return LB_NO_ROW;
}
