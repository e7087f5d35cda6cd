/* Lays arrays one behind another in a block of memory, and says how many bytes they take. */
#ifndef LB_BASE_BLOCK_H
#define LB_BASE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#define LB_LINE 64u /* bytes of a cache line */

typedef struct lb_layout {
	size_t size; /* bytes so far; SIZE_MAX: it does not fit into an address space */
} lb_layout;

/* Reserves `count` elements of `size` bytes from the next cache line on; returns their offset. */
static inline size_t lb_layout_add(lb_layout *layout, size_t count, size_t size)
{
	if (layout->size > SIZE_MAX - LB_LINE || (size > 0 && count > SIZE_MAX / size)) {
		layout->size = SIZE_MAX;
		return 0;
	}
	size_t at = (layout->size + LB_LINE - 1) & ~(size_t)(LB_LINE - 1);
	layout->size = at > SIZE_MAX - count * size ? SIZE_MAX : at + count * size;
	return at;
}

/* The address of an offset. Offsets come from lb_layout_add only, so the alignment is right. */
static inline void *lb_at(void *base, size_t offset)
{
	return (unsigned char *)base + offset;
}

#endif
