/*
 * Bounded texts: checked when they come in, and kept where a look may read them while control writes them anew.
 * Such bytes are read and written one by one; the reader finds out afterwards whether what it copied still belongs to
 * what it asked for. Acquire and release, so that its second look comes after, and sees what came before, these bytes.
 */
#ifndef LB_BASE_TEXT_H
#define LB_BASE_TEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Is it a text of least..most bytes, without control characters? NULL is not. */
static inline bool lb_text_valid(const char *text, size_t least, size_t most)
{
	if (!text)
		return false;
	size_t length = 0;
	for (; text[length] != '\0'; length++) {
		unsigned char c = (unsigned char)text[length];
		if (length == most || c < 0x20 || c == 0x7f)
			return false;
	}
	return length >= least;
}

static inline void lb_text_store(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		atomic_store_explicit((_Atomic char *)&to[i], from[i], memory_order_release);
		if (from[i] == '\0')
			break;
	}
}

static inline void lb_text_load(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		to[i] = atomic_load_explicit((const _Atomic char *)&from[i], memory_order_acquire);
		if (to[i] == '\0')
			return;
	}
	to[size - 1] = '\0';
}

static inline bool lb_text_same(const char *kept, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = atomic_load_explicit((const _Atomic char *)&kept[i], memory_order_acquire);
		if (c != text[i])
			return false;
		if (c == '\0')
			return true;
	}
	return false;
}

#endif
