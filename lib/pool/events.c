/* The ring of events. See events.h. */
#include "pool/events.h"

#include "base/text.h"

void lb_events_note(lb_pool *pool, lb_event_kind kind, uint32_t slot, uint32_t from, uint32_t to,
		    lb_endpoint other, lb_time now)
{
	const lb_slot *about = &pool->slots[slot];
	uint32_t number = lb_add(&pool->events->written, 1) + 1;
	lb_event_cell *cell = &pool->events->cells[number & (LB_EVENTS_MAX - 1)];
	char name[LB_NAME_MAX + 1];

	lb_text_load(name, about->name, sizeof name);
	lb_put(&cell->number, 0);
	/* releases: whoever sees one of these sees, looking again, that the number is gone (as in core/recent.c) */
	lb_put_release(&cell->kind, (uint32_t)kind);
	lb_put_release(&cell->from, from);
	lb_put_release(&cell->to, to);
	lb_put64_release(&cell->at, now);
	lb_put64_release(&cell->endpoint, lb_pool_id_of(pool, slot));
	lb_put64_release(&cell->other, other);
	lb_put64_release(&cell->tag, lb_get64(&about->tag));
	lb_text_store(cell->name, name, sizeof cell->name);
	lb_put_release(&cell->number, number);
}

/* Copies an event out of the ring; false if it was overwritten, or is not written out yet. */
static bool read_cell(const lb_event_cell *cell, uint32_t number, lb_event *event, char name[LB_NAME_MAX + 1])
{
	if (lb_get_acquire(&cell->number) != number)
		return false;
	event->kind = (lb_event_kind)lb_get_acquire(&cell->kind);
	event->from = lb_get_acquire(&cell->from);
	event->to = lb_get_acquire(&cell->to);
	event->at = lb_get64_acquire(&cell->at);
	event->endpoint = lb_get64_acquire(&cell->endpoint);
	event->other = lb_get64_acquire(&cell->other);
	event->tag = lb_get64_acquire(&cell->tag);
	lb_text_load(name, cell->name, LB_NAME_MAX + 1);
	event->sequence = number;
	event->name = name;
	return lb_get(&cell->number) == number;
}

/* The next event to hand out that the ring can still hold, when all up to `done` are. */
static uint32_t next_kept(uint32_t done, uint32_t written)
{
	return written - done <= LB_EVENTS_MAX ? done + 1 : written - LB_EVENTS_MAX + 1;
}

/*
 * Each event is claimed by moving `delivered` over it, so it is handed out once. A thread that finds an event being
 * written by another one stops there: the writer hands it out itself when it is done.
 */
void lb_events_deliver(lb_pool *pool)
{
	lb_event event;
	char name[LB_NAME_MAX + 1];

	for (;;) {
		uint32_t done = lb_get_acquire(&pool->delivered);
		uint32_t written = lb_get_acquire(&pool->events->written);
		if (done == written)
			return;
		uint32_t next = next_kept(done, written);
		uint32_t lost = next - done - 1;
		bool whole = read_cell(&pool->events->cells[next & (LB_EVENTS_MAX - 1)], next, &event, name);
		if (!whole && lost == 0 && lb_get(&pool->events->written) - done <= LB_EVENTS_MAX)
			return;
		if (!lb_cas(&pool->delivered, &done, next))
			continue;
		if (!whole)
			lost++;
		if (lost > 0)
			lb_bump64(&pool->events_lost, lost, true);
		if (whole && pool->env.event)
			pool->env.event(pool->env.user, &event);
	}
}
