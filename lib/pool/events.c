/* The ring of events. See events.h. */
#include "pool/events.h"

#include "base/text.h"

void lb_events_note(lb_pool *pool, lb_event_kind kind, uint32_t slot, uint32_t from, uint32_t to,
		    lb_endpoint other, lb_time now)
{
	const lb_about *about = &pool->about[slot];
	uint32_t number = lb_add(&pool->events->written, 1) + 1;
	lb_event_cell *cell = &pool->events->cells[number & (pool->events_n - 1)];
	char name[LB_NAME_MAX + 1];

	if (!lb_mark_begin(&cell->mark, number))
		return; /* whoever delivers counts it */
	lb_text_load(name, about->name, sizeof name);
	/* releases: see core/mark.h */
	lb_put_release(&cell->kind, (uint32_t)kind);
	lb_put_release(&cell->from, from);
	lb_put_release(&cell->to, to);
	lb_put64_release(&cell->at, now);
	lb_put64_release(&cell->endpoint, lb_pool_id_of(pool, slot));
	lb_put64_release(&cell->other, other);
	lb_put64_release(&cell->tag, lb_get64(&pool->slots[slot].tag));
	lb_text_store(cell->name, name, sizeof cell->name);
	lb_mark_end(&cell->mark, number);
}

/* Copies an event out of its cell, if it is whole. */
static lb_mark_state read_cell(const lb_event_cell *cell, uint32_t number, lb_event *event,
			       char name[LB_NAME_MAX + 1])
{
	lb_mark_state state = lb_mark_look(&cell->mark, number);

	if (state != LB_MARK_WHOLE)
		return state;
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
	return lb_mark_same(&cell->mark, number) ? LB_MARK_WHOLE : LB_MARK_GONE;
}

static void lose(lb_pool *pool, uint32_t lost)
{
	lb_bump64(&pool->events_lost, lost, true);
}

/*
 * One step of delivery. Each event is claimed by moving `delivered` over it, so it is handed out once. A thread that finds
 * an event being written by another one stops there: the writer comes by when it is done. All is looked at in order, so that
 * of two writers one at least sees what the other wrote. Returns false if there is nothing to do.
 */
static bool deliver_one(lb_pool *pool)
{
	lb_event event;
	char name[LB_NAME_MAX + 1];
	uint32_t done = lb_get_in_order(&pool->delivered);
	uint32_t behind = lb_get_in_order(&pool->events->written) - done;

	if (behind == 0)
		return false;
	if (behind > pool->events_n) {
		uint32_t lost = behind - pool->events_n;
		if (lb_cas(&pool->delivered, &done, done + lost))
			lose(pool, lost);
		return true;
	}
	uint32_t next = done + 1;
	lb_mark_state state =
	    read_cell(&pool->events->cells[next & (pool->events_n - 1)], next, &event, name);
	if (state == LB_MARK_COMING)
		return false;
	if (!lb_cas(&pool->delivered, &done, next))
		return true;
	if (state == LB_MARK_GONE)
		lose(pool, 1);
	else if (pool->env.event)
		pool->env.event(pool->env.user, &event);
	return true;
}

void lb_events_deliver(lb_pool *pool)
{
	for (uint32_t steps = 0; steps < LB_EVENTS_A_REQUEST && deliver_one(pool);)
		steps++;
}

void lb_events_deliver_all(lb_pool *pool)
{
	/* each step, one's own or another thread's, moves on: after so many all is out that was written before */
	for (uint32_t steps = 0; steps < 2 * pool->events_n && deliver_one(pool);)
		steps++;
}
