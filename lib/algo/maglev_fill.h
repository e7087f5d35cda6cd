/*
 * Filling a Maglev table: members claim entries in turns, each the next free one of its own permutation of the table.
 * Source: D. Eisenbud et al., NSDI 2016, section 3.4; weights by Envoy's rule (maglev_lb.cc): in round r a member takes a
 * turn if r x weight has reached its target, which then rises by the largest weight. So in the first round everybody gets an
 * entry, and of two equal weights none has more than one entry more. Envoy's weights and targets are doubles; where they should be
 * the same, it depends on how they were rounded whether a turn comes a round later.
 */
#ifndef LB_ALGO_MAGLEV_FILL_H
#define LB_ALGO_MAGLEV_FILL_H

#include "algo/ring_real.h"
#include "base/atomic.h"

/* One that claims entries. Its permutation: at, at + skip, at + 2 x skip, ... modulo the table's size. */
typedef struct lb_maglev_claim {
	uint32_t at, skip; /* below the size; skip not 0 */
	uint32_t weight;   /* 0 counts as 1 */
	uint32_t turns;    /* taken so far: 0 */
	uint32_t slot;     /* what is written down */
	lb_real part;      /* the weight as Envoy's double; 0 = exact fractions decide, for all claims */
	lb_real target;    /* Envoy's: 0 */
} lb_maglev_claim;

/* Words of a bit for each entry. */
static inline uint32_t lb_maglev_words(uint32_t size)
{
	return size / 32 + 1;
}

/*
 * Fills a table of a prime `size`. Those who come first among `claims` (1 to 65,536) take their turns first; more of them than
 * entries: the last get none. Scratch: `queue` has n elements, `taken` lb_maglev_words(size). Steps: about
 * size x (log n + log size), whatever the weights.
 */
void lb_maglev_fill(lb_atomic16 *entries, uint32_t size, lb_maglev_claim *claims, uint32_t n, uint64_t *queue,
		    uint32_t *taken);

#endif
