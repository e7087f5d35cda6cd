/* Sorting without allocation or recursion: heap sort (J. Williams, 1964), n log n whatever the input. */
#ifndef LB_BASE_SORT_H
#define LB_BASE_SORT_H

#include <stdint.h>

/* Lets the key at `at` sink to its place in the heap keys[0..n). */
static inline void lb_heap_sink(uint64_t *keys, uint32_t at, uint32_t n)
{
	uint64_t key = keys[at];

	for (uint32_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
		if (child + 1 < n && keys[child + 1] > keys[child])
			child++;
		if (keys[child] <= key)
			break;
		keys[at] = keys[child];
		at = child;
	}
	keys[at] = key;
}

static inline void lb_sort64(uint64_t *keys, uint32_t n)
{
	for (uint32_t at = n / 2; at-- > 0;)
		lb_heap_sink(keys, at, n);
	for (uint32_t end = n; end-- > 1;) {
		uint64_t largest = keys[0];
		keys[0] = keys[end];
		keys[end] = largest;
		lb_heap_sink(keys, 0, end);
	}
}

#endif
