/* A lane's open requests. See ledger.h. */
#include "core/ledger.h"

void lb_ledger_init(const lb_ledger *ledger, uint32_t seed)
{
	lb_put(ledger->cursor, 0);
	for (uint32_t row = 0; row < ledger->n; row++)
		lb_put(&ledger->words[row], seed & ~LB_ROW_STATE);
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
		bool overdue = entry->deadline != LB_NEVER && now >= entry->deadline;
		if (all || overdue)
			return row;
	}
	return LB_NO_ROW;
}
