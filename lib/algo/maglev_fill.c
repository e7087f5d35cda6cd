/* Filling a Maglev table. See maglev_fill.h. */
#include "algo/maglev_fill.h"

#include "base/sort.h"

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

/* The first round r after this one with r x weight >= turns x most. */
static uint64_t next_round(const lb_maglev_claim *claim, uint32_t most)
{
	uint64_t target = (uint64_t)claim->turns * most;
	uint64_t weight = claim->weight > 0 ? claim->weight : 1;
	uint64_t round = (target + weight - 1) / weight;

	/* one of the largest weight is late by its first turn for ever; all others have caught up by their second */
	return round > claim->turns ? round : (uint64_t)claim->turns + 1;
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
	uint32_t most = 0;
	bool even = true;

	memset(taken, 0, lb_maglev_words(size) * sizeof *taken);
	for (uint32_t i = 0; i < n; i++) {
		most = claims[i].weight > most ? claims[i].weight : most;
		even = even && claims[i].weight == claims[0].weight;
		queue[i] = queue_key(1, i);
	}
	if (even) {
		fill_evenly(entries, size, claims, n, taken);
		return;
	}
	for (uint32_t filled = 0; filled < size; filled++) {
		uint32_t place = (uint32_t)(~queue[0] & 0xffff);
		take_turn(entries, size, &claims[place], taken);
		queue[0] = queue_key(next_round(&claims[place], most), place);
		lb_heap_sink(queue, 0, n);
	}
}
