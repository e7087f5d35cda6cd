/* Which member of a chain is active. See standby.h. */
#include "core/standby.h"

#include "base/span.h"

static uint32_t next_word(uint32_t word, uint32_t place, bool forced)
{
	return ((word >> 16) + 1) << 16 | (uint32_t)forced << 8 | place;
}

void lb_standby_init(lb_standby *standby)
{
	uint32_t word = lb_get_acquire(&standby->word);

	/* the epoch goes on, and no switch slips in: whoever decided by an earlier word, of another chain, must lose */
	while (!lb_cas(&standby->word, &word, next_word(word, 0, false)))
		;
	lb_put(&standby->passed, 0);
	lb_put64(&standby->down_since, 0);
	lb_put64(&standby->up_since, 0);
}

/* Runs a stop watch that shows since when `running` holds. Returns for how long; a clock that stepped back starts it anew. */
static lb_span watch(lb_atomic64 *since, bool running, lb_time now)
{
	lb_time then = lb_get64(since);

	if (!running) {
		if (then != 0)
			lb_put64(since, 0);
		return 0;
	}
	if (then == 0 || then > now) {
		lb_put64(since, now);
		return 0;
	}
	return now - then;
}

static uint32_t first_usable(uint32_t usable, uint32_t otherwise)
{
	for (uint32_t place = 0; usable >> place != 0; place++)
		if ((usable >> place & 1) != 0)
			return place;
	return otherwise;
}

/* The active member may not be used: after hold_down, somebody else. */
static uint32_t decide_down(const lb_standby_rules *rules, uint32_t usable, uint32_t place, lb_span down,
			    lb_time now, lb_time *next)
{
	if (down >= rules->hold_down)
		return first_usable(usable, place);
	*next = lb_time_after(now, rules->hold_down - down);
	return place;
}

/* A backup is active and well. May the primary have its traffic back? */
static uint32_t decide_return(lb_standby *standby, const lb_standby_rules *rules, bool primary,
			      uint32_t place, lb_time now, lb_time *next)
{
	bool was_up = lb_get64(&standby->up_since) != 0;
	lb_span up = watch(&standby->up_since, primary, now);

	if (!primary) {
		if (was_up)
			lb_put(&standby->passed, 0);
		return place;
	}
	if (rules->manual_return)
		return place;
	if (up < rules->hold_up) {
		*next = lb_time_after(now, rules->hold_up - up);
		return place;
	}
	return lb_get(&standby->passed) >= rules->successes ? 0 : place;
}

uint32_t lb_standby_decide(lb_standby *standby, const lb_standby_rules *rules, uint32_t word, uint32_t usable,
			   lb_time now, lb_time *next)
{
	uint32_t place = lb_standby_place(word);
	bool active = (usable >> place & 1) != 0;
	lb_span down = watch(&standby->down_since, !active, now);

	*next = LB_NEVER;
	if (lb_standby_forced(word))
		return place;
	if (place != 0) {
		uint32_t back = decide_return(standby, rules, (usable & 1) != 0, place, now, next);
		if (active || back != place)
			return back;
	}
	return active ? place : decide_down(rules, usable, place, down, now, next);
}

bool lb_standby_switch(lb_standby *standby, uint32_t word, uint32_t place, bool forced)
{
	bool leaves_primary = lb_standby_place(word) == 0 && place != 0;

	if (!lb_cas(&standby->word, &word, next_word(word, place, forced)))
		return false;
	lb_put64(&standby->down_since, 0);
	if (leaves_primary) {
		lb_put(&standby->passed, 0);
		lb_put64(&standby->up_since, 0);
	}
	return true;
}

void lb_standby_release(lb_standby *standby)
{
	uint32_t word;

	do {
		word = lb_standby_word(standby);
	} while (!lb_standby_switch(standby, word, lb_standby_place(word), false));
}

void lb_standby_checked(lb_standby *standby, bool passed)
{
	if (passed)
		lb_add(&standby->passed, 1);
	else
		lb_put(&standby->passed, 0);
}
