/*
 * A binary heap of {key, id}, least key first. With places, an id is in it once and its key can be changed.
 */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_item {
	double key;
	uint32_t id;
} sim_item;

#define SIM_NOWHERE UINT32_MAX

typedef struct sim_heap {
	sim_item *items;
	uint32_t n, room;
	uint32_t *places; /* by id: where it is, or SIM_NOWHERE; NULL = not wanted */
} sim_heap;

/* A heap of ids below `ids`, with places. */
void sim_heap_open(sim_heap *heap, uint32_t ids);
void sim_heap_close(sim_heap *heap);

/* Without places: adds. The heap, all zero to begin with, grows as needed. */
void sim_heap_add(sim_heap *heap, double key, uint32_t id);

/* With places: adds the id or changes its key. */
void sim_heap_set(sim_heap *heap, double key, uint32_t id);

/* Takes out the first. */
sim_item sim_heap_pop(sim_heap *heap);

#endif
