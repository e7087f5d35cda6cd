/*
 * Atomics under names that say their order. Everything that two threads or processes may touch is one of these two
 * types; nothing else in lib/ names a memory order.
 *
 * 64-bit fields: where the machine has no plain 64-bit atomics (32-bit), a field is two halves, and a reader may see
 * the halves of two values. Every such field is a time, an average or a counter, where that is no worse than a clock
 * that jumped, and which the next write mends. So no 64-bit locked instruction is ever on the request path there.
 */
#ifndef LB_BASE_ATOMIC_H
#define LB_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t lb_atomic32;

/* Relaxed: the value matters, its order against other fields does not. */
static inline uint32_t lb_get(const lb_atomic32 *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static inline void lb_put(lb_atomic32 *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

/* Acquire: whoever sees the value also sees what was written before lb_put_release. */
static inline uint32_t lb_get_acquire(const lb_atomic32 *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static inline void lb_put_release(lb_atomic32 *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

/*
 * In order (sequentially consistent), for "I write mine, then I look at yours" on both sides: of two threads that do so,
 * one at least sees the other's. All four accesses must be in order: a read-modify-write or a store, then a load. Loads cost
 * as much as acquire on the machines we know. (No fences: ThreadSanitizer does not understand them.)
 */
static inline uint32_t lb_get_in_order(const lb_atomic32 *field)
{
	return atomic_load_explicit(field, memory_order_seq_cst);
}

static inline void lb_put_in_order(lb_atomic32 *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_seq_cst);
}

/* Read-modify-write, in order: on the machines we know it costs no more than relaxed. Returns the old. */
static inline uint32_t lb_add(lb_atomic32 *field, uint32_t value)
{
	return atomic_fetch_add_explicit(field, value, memory_order_seq_cst);
}

static inline uint32_t lb_sub(lb_atomic32 *field, uint32_t value)
{
	return atomic_fetch_sub_explicit(field, value, memory_order_seq_cst);
}

static inline uint32_t lb_or(lb_atomic32 *field, uint32_t bits)
{
	return atomic_fetch_or_explicit(field, bits, memory_order_seq_cst);
}

static inline uint32_t lb_and(lb_atomic32 *field, uint32_t bits)
{
	return atomic_fetch_and_explicit(field, bits, memory_order_seq_cst);
}

/* Replaces `*seen` by `wanted`; on failure `*seen` becomes what is there. In order. */
static inline bool lb_cas(lb_atomic32 *field, uint32_t *seen, uint32_t wanted)
{
	return atomic_compare_exchange_strong_explicit(field, seen, wanted, memory_order_seq_cst,
						       memory_order_seq_cst);
}

/*
 * Adds to a field that only this thread writes (`shared` false: a plain load and store, no locked instruction; asked first, so
 * that compilers lay it out as the way straight on), or that any thread may write. Release: what was written before is seen
 * by whoever acquires the field.
 */
static inline void lb_bump(lb_atomic32 *field, uint32_t value, bool shared)
{
	if (!shared)
		lb_put_release(field, lb_get(field) + value);
	else
		lb_add(field, value);
}

/* Table entries: slot numbers. */
typedef _Atomic uint16_t lb_atomic16;

static inline uint32_t lb_get16(const lb_atomic16 *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static inline void lb_put16(lb_atomic16 *field, uint32_t value)
{
	atomic_store_explicit(field, (uint16_t)value, memory_order_relaxed);
}

#if UINTPTR_MAX > UINT32_MAX

typedef _Atomic uint64_t lb_atomic64;

static inline uint64_t lb_get64(const lb_atomic64 *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static inline void lb_put64(lb_atomic64 *field, uint64_t value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

static inline uint64_t lb_get64_acquire(const lb_atomic64 *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static inline void lb_put64_release(lb_atomic64 *field, uint64_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

static inline void lb_put64_in_order(lb_atomic64 *field, uint64_t value)
{
	atomic_store_explicit(field, value, memory_order_seq_cst);
}

/* As lb_bump, relaxed: counters order nothing. */
static inline void lb_bump64(lb_atomic64 *field, uint64_t value, bool shared)
{
	if (!shared)
		lb_put64(field, lb_get64(field) + value);
	else
		atomic_fetch_add_explicit(field, value, memory_order_relaxed);
}

#else

typedef struct lb_atomic64 {
	_Alignas(8) lb_atomic32 low;
	lb_atomic32 high;
} lb_atomic64;

static inline uint64_t lb_get64(const lb_atomic64 *field)
{
	return (uint64_t)lb_get(&field->high) << 32 | lb_get(&field->low);
}

static inline void lb_put64(lb_atomic64 *field, uint64_t value)
{
	lb_put(&field->low, (uint32_t)value);
	lb_put(&field->high, (uint32_t)(value >> 32));
}

static inline uint64_t lb_get64_acquire(const lb_atomic64 *field)
{
	uint64_t high = lb_get_acquire(&field->high);
	return high << 32 | lb_get_acquire(&field->low);
}

static inline void lb_put64_release(lb_atomic64 *field, uint64_t value)
{
	lb_put_release(&field->low, (uint32_t)value);
	lb_put_release(&field->high, (uint32_t)(value >> 32));
}

static inline void lb_put64_in_order(lb_atomic64 *field, uint64_t value)
{
	atomic_store_explicit(&field->low, (uint32_t)value, memory_order_seq_cst);
	atomic_store_explicit(&field->high, (uint32_t)(value >> 32), memory_order_seq_cst);
}

static inline void lb_bump64(lb_atomic64 *field, uint64_t value, bool shared)
{
	if (!shared) {
		lb_put64(field, lb_get64(field) + value);
		return;
	}
	uint32_t low = (uint32_t)value;
	uint32_t carry = lb_add(&field->low, low) > UINT32_MAX - low;
	lb_add(&field->high, (uint32_t)(value >> 32) + carry);
}

#endif

#endif
