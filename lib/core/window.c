/* A sliding time window over calls and failures. See window.h. */
#include "core/window.h"

#define COUNT_BITS 24
#define COUNT_MAX ((UINT32_C(1) << COUNT_BITS) - 1)
#define SILENCE_MAX (256u - LB_WINDOW_BUCKETS) /* buckets after which the 8 bits of a number could lie */
#define RACES_MAX 64u

static uint32_t pack(uint64_t number, uint64_t count)
{
	return (uint32_t)(number & 0xff) << COUNT_BITS | (uint32_t)lb_min64(count, COUNT_MAX);
}

static uint32_t count_of(uint32_t word)
{
	return word & COUNT_MAX;
}

static bool of_bucket(uint32_t word, uint64_t number)
{
	return word >> COUNT_BITS == (number & 0xff);
}

/* Does the word belong to a bucket after `number`? Then this one is over, and nobody asks for it any more. */
static bool of_later(uint32_t word, uint64_t number)
{
	uint32_t ahead = ((word >> COUNT_BITS) - (uint32_t)number) & 0xff;

	return count_of(word) > 0 && ahead > 0 && ahead < 128;
}

static void add(lb_atomic32 *ring, uint64_t number, uint64_t count)
{
	lb_atomic32 *cell = &ring[number % LB_WINDOW_BUCKETS];
	uint32_t word = lb_get(cell);

	for (uint32_t races = 0; races < RACES_MAX && !of_later(word, number); races++) {
		uint64_t sum = of_bucket(word, number) ? count_of(word) + count : count;
		if (lb_cas(cell, &word, pack(number, sum)))
			return;
	}
}

/*
 * Moves the window on to a bucket. Behind a long silence, and when the clock stepped back by more than the window, the
 * ring is cleared; calls that race with that one moment may be lost.
 */
static void move_on(lb_window *window, uint64_t number)
{
	uint32_t newest = lb_get(&window->newest);
	uint32_t ahead = (uint32_t)number - newest;
	bool back = newest - (uint32_t)number > LB_WINDOW_BUCKETS && ahead > UINT32_MAX / 2;

	if (ahead == 0 || (ahead > UINT32_MAX / 2 && !back))
		return;
	if (lb_cas(&window->newest, &newest, (uint32_t)number) && (back || ahead >= SILENCE_MAX))
		lb_window_clear(window);
}

/* The writer's calls since its base; a base ahead of the total, by a restart that raced, is none. */
static uint32_t since_base(const lb_tally *tally, uint64_t total)
{
	uint32_t calls = (uint32_t)total - lb_get(&tally->base);

	return calls <= INT32_MAX ? calls : 0;
}

void lb_tally_turn(lb_tally *tally, lb_window *window, lb_span bucket, lb_time now, uint64_t total,
		   bool shared)
{
	uint64_t number = now / bucket;
	uint64_t begun = lb_get64(&tally->begun);
	bool first = begun == 0;
	uint64_t past = first ? 0 : (begun - 1) / bucket;

	if (shared) {
		uint32_t turned = lb_get(&window->turned);
		if ((!first && turned == (uint32_t)number) ||
		    !lb_cas(&window->turned, &turned, (uint32_t)number))
			return;
	}
	move_on(window, number);
	uint32_t calls = since_base(tally, total);
	/* calls of a bucket that is out of the window already count no more, and its number might be another's */
	if (!first && calls > 0 && number - past < LB_WINDOW_BUCKETS)
		add(window->calls, past, calls);
	lb_put(&tally->base, (uint32_t)total);
	lb_put64(&tally->begun, number * bucket + 1);
}

uint32_t lb_tally_calls(const lb_tally *tally, lb_span bucket, lb_time now, uint64_t total)
{
	uint64_t begun = lb_get64(&tally->begun);

	if (begun == 0 || now / bucket - (begun - 1) / bucket >= LB_WINDOW_BUCKETS)
		return 0;
	return (uint32_t)lb_min64(since_base(tally, total), COUNT_MAX);
}

void lb_window_fail(lb_window *window, lb_span bucket, lb_time now)
{
	move_on(window, now / bucket);
	add(window->failures, now / bucket, 1);
}

static uint32_t sum(const lb_window *window, const lb_atomic32 *ring, uint64_t number)
{
	uint32_t ahead = (uint32_t)number - lb_get(&window->newest);
	uint64_t total = 0;

	if (ahead >= SILENCE_MAX && ahead <= UINT32_MAX / 2)
		return 0;
	for (uint64_t age = 0; age < LB_WINDOW_BUCKETS && age <= number; age++) {
		uint32_t word = lb_get(&ring[(number - age) % LB_WINDOW_BUCKETS]);
		if (of_bucket(word, number - age))
			total += count_of(word);
	}
	return (uint32_t)lb_min64(total, UINT32_MAX);
}

uint32_t lb_window_calls(const lb_window *window, lb_span bucket, lb_time now)
{
	return sum(window, window->calls, now / bucket);
}

uint32_t lb_window_failures(const lb_window *window, lb_span bucket, lb_time now)
{
	return sum(window, window->failures, now / bucket);
}

void lb_window_clear(lb_window *window)
{
	for (uint32_t i = 0; i < LB_WINDOW_BUCKETS; i++) {
		lb_put(&window->calls[i], 0);
		lb_put(&window->failures[i], 0);
	}
}

void lb_tally_restart(lb_tally *tally, uint64_t total)
{
	lb_put(&tally->base, (uint32_t)total);
}
