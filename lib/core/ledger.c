/* A lane's open requests. See ledger.h. */
#include "core/ledger.h"

#include "base/random.h"

void lb_ledger_init(const lb_ledger *ledger, uint64_t seed)
{
	lb_put(ledger->cursor, 0);
	/* no two rows alike: a ticket with a damaged row number fits none, another pool's by accident only */
	for (uint32_t row = 0; row < ledger->n; row++)
		lb_put(&ledger->words[row], (uint32_t)lb_mix64(seed + row) & ~LB_ROW_STATE);
}

uint32_t lb_ledger_search(const lb_ledger *ledger)
{
	/* in a shared one twice: while we look, rows are freed behind our back */
	uint32_t steps = ledger->shared ? 2 * ledger->n : ledger->n;
	uint32_t row = lb_get(ledger->cursor);

	for (; steps > 0; steps--, row++) {
		if (row >= ledger->n)
			row = 0;
		if (!lb_ledger_claim_row(ledger, row))
			continue;
		lb_put(ledger->cursor, row + 1);
		return row;
	}
	return LB_NO_ROW;
}

/*
 * Is the row's time over? A row that began further ahead than its whole time comes of a clock that stepped back: it is
 * not kept until the old time comes round again.
 */
static bool overdue(const lb_entry *entry, lb_time now)
{
	if (entry->deadline == LB_NEVER)
		return false;
	if (now >= entry->deadline)
		return true;
	return entry->started > now && entry->started - now > entry->deadline - entry->started;
}

bool lb_ledger_sweep(const lb_ledger *ledger, lb_sweep *sweep)
{
	while (sweep->steps > 0) {
		uint32_t row = sweep->at < ledger->n ? sweep->at : 0;
		sweep->at = row + 1;
		sweep->steps--;
		sweep->row = row;
		sweep->word = lb_get_acquire(&ledger->words[row]);
		if (!lb_ledger_read(ledger, row, sweep->word, &sweep->entry))
			continue;
		if (sweep->all || overdue(&sweep->entry, sweep->now))
			return true;
		if (sweep->entry.deadline < sweep->next)
			sweep->next = sweep->entry.deadline;
	}
	return false;
}
