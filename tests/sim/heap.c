/* A binary heap. See heap.h. */
#include "sim/heap.h"

#include <stdlib.h>

static void *or_die(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void sim_heap_open(sim_heap *heap, uint32_t ids)
{
	heap->items = or_die(malloc(ids * sizeof *heap->items));
	heap->places = or_die(malloc(ids * sizeof *heap->places));
	heap->room = ids;
	heap->n = 0;
	for (uint32_t id = 0; id < ids; id++)
		heap->places[id] = SIM_NOWHERE;
}

void sim_heap_close(sim_heap *heap)
{
	free(heap->items);
	free(heap->places);
}

static void lay(sim_heap *heap, uint32_t place, sim_item item)
{
	heap->items[place] = item;
	if (heap->places)
		heap->places[item.id] = place;
}

static void rise(sim_heap *heap, uint32_t place, sim_item item)
{
	while (place > 0 && heap->items[(place - 1) / 2].key > item.key) {
		lay(heap, place, heap->items[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	lay(heap, place, item);
}

static void sink(sim_heap *heap, uint32_t place, sim_item item)
{
	for (uint32_t child = 2 * place + 1; child < heap->n; child = 2 * place + 1) {
		if (child + 1 < heap->n && heap->items[child + 1].key < heap->items[child].key)
			child++;
		if (heap->items[child].key >= item.key)
			break;
		lay(heap, place, heap->items[child]);
		place = child;
	}
	lay(heap, place, item);
}

void sim_heap_add(sim_heap *heap, double key, uint32_t id)
{
	if (heap->n == heap->room) {
		heap->room = heap->room == 0 ? 16 : 2 * heap->room;
		heap->items = or_die(realloc(heap->items, heap->room * sizeof *heap->items));
	}
	rise(heap, heap->n++, (sim_item){key, id});
}

void sim_heap_set(sim_heap *heap, double key, uint32_t id)
{
	uint32_t place = heap->places[id];

	if (place == SIM_NOWHERE)
		sim_heap_add(heap, key, id);
	else if (key < heap->items[place].key)
		rise(heap, place, (sim_item){key, id});
	else
		sink(heap, place, (sim_item){key, id});
}

sim_item sim_heap_pop(sim_heap *heap)
{
	sim_item first = heap->items[0];

	if (heap->places)
		heap->places[first.id] = SIM_NOWHERE;
	heap->n--;
	if (heap->n > 0)
		sink(heap, 0, heap->items[heap->n]);
	return first;
}
