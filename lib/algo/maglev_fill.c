/* Filling a Maglev table. See maglev_fill.h. */
#include "algo/maglev_fill.h"

#include "base/sort.h"
#include "base/span.h"

#include <string.h>

/*
 * The queue is a heap of {round of the next turn, place among the claims}, so that rounds are not walked through member by
 * member: with one large weight among many small ones nearly all of them would find nothing to do. Keys are turned over,
 * because the largest stands in front.
 */
static uint64_t queue_key(uint64_t round, uint32_t place)
{
	return ~(round << 16 | place);
}

/* Takes a free entry. At most one look at each, so that it ends even if a writer that was taken for dead is at it, too. */
static uint32_t claim_entry(lb_maglev_claim *claim, uint32_t size, uint32_t *taken)
{
	uint32_t at = claim->at;

	for (uint32_t steps = 1; steps < size && (taken[at / 32] >> (at % 32) & 1) != 0; steps++) {
		at += claim->skip;
		if (at >= size)
			at -= size;
	}
	taken[at / 32] |= UINT32_C(1) << (at % 32);
	claim->at = at;
	return at;
}

static bool is_less(lb_real a, lb_real b)
{
	return a.exponent != b.exponent ? a.exponent < b.exponent : a.mantissa < b.mantissa;
}

/* The first round r after this one with r x weight >= turns x most; of doubles it may be the one before or behind. */
static uint64_t next_round(const lb_maglev_claim *claim, uint64_t round, uint32_t most)
{
	uint64_t target = (uint64_t)claim->turns * most;
	uint64_t weight = claim->weight > 0 ? claim->weight : 1;
	uint64_t due = (target + weight - 1) / weight;
	bool exact = claim->part.mantissa == 0;

	/* one of the largest weight is late by its first turn for ever; all others have caught up by their second */
	round = lb_max64(due - !exact, round + 1);
	for (uint32_t steps = 0; steps < 2 && !exact; steps++)
		round +=
		    is_less(lb_real_product(lb_real_of(round, 0, LB_DOUBLE), claim->part), claim->target);
	return round;
}

static void take_turn(lb_atomic16 *entries, uint32_t size, lb_maglev_claim *claim, uint32_t *taken)
{
	lb_put16(&entries[claim_entry(claim, size, taken)], claim->slot);
	claim->turns++;
}

/* Equal weights: all take a turn in each round, and no queue is needed. */
static void fill_evenly(lb_atomic16 *entries, uint32_t size, lb_maglev_claim *claims, uint32_t n,
			uint32_t *taken)
{
	for (uint32_t filled = 0, place = 0; filled < size; filled++) {
		take_turn(entries, size, &claims[place], taken);
		place = place + 1 < n ? place + 1 : 0;
	}
}

void lb_maglev_fill(lb_atomic16 *entries, uint32_t size, lb_maglev_claim *claims, uint32_t n, uint64_t *queue,
		    uint32_t *taken)
{
	uint32_t heaviest = 0;
	bool even = true;

	memset(taken, 0, lb_maglev_words(size) * sizeof *taken);
	for (uint32_t i = 0; i < n; i++) {
		heaviest = claims[i].weight > claims[heaviest].weight ? i : heaviest;
		even = even && claims[i].weight == claims[0].weight;
		queue[i] = queue_key(1, i);
	}
	if (even) {
		fill_evenly(entries, size, claims, n, taken);
		return;
	}
	for (uint32_t filled = 0; filled < size; filled++) {
		lb_maglev_claim *claim = &claims[~queue[0] & 0xffff];
		take_turn(entries, size, claim, taken);
		claim->target = lb_real_sum(claim->target, claims[heaviest].part);
		queue[0] = queue_key(next_round(claim, ~queue[0] >> 16, claims[heaviest].weight),
				     ~queue[0] & 0xffff);
		lb_heap_sink(queue, 0, n);
	}
}
