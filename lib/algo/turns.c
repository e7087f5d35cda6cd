/* Writing the tables of weighted round robin. See turns.h. */
#include "algo/turns.h"

#include "base/block.h"
#include "base/gcd.h"
#include "base/sort.h"

#define CLASSES_MAX 2048u
#define WORK_MAX (UINT64_C(1) << 22) /* comparisons that control spends on one cycle */

/* Members of one weight while a cycle is written: they stand sorted in `keys` and take their turns from `head` on. */
typedef struct lb_class {
	uint32_t weight, first, n, head;
	int64_t credit; /* of the member at the head: turns x weight - cycle x turns it had */
} lb_class;

/* One tier while its table is written. */
typedef struct lb_turn_draft {
	const lb_algo_view *view;
	const lb_tier *tier;
	uint64_t *keys; /* weight << 32 | place in the tier, sorted */
	lb_class *classes;
	uint32_t classes_n, classes_max;
	uint64_t cycle;
} lb_turn_draft;

static uint32_t classes_max(const lb_algo_shape *shape)
{
	return shape->slots < CLASSES_MAX ? shape->slots : CLASSES_MAX;
}

/* Lays the tables out from `memory` on; returns the bytes. */
static size_t lay_out(lb_turn_tables *tables, void *memory, const lb_algo_shape *shape)
{
	lb_layout layout = {0};
	uint32_t cells = lb_turn_half(shape);
	size_t turns_at = lb_layout_add(&layout, (size_t)2 * LB_GROUPS_MAX, sizeof(lb_turns));
	size_t cells_at = lb_layout_add(&layout, (size_t)2 * cells, sizeof(lb_atomic16));
	size_t summed_at = lb_layout_add(&layout, (size_t)2 * shape->slots, sizeof(lb_atomic64));
	size_t keys_at = lb_layout_add(&layout, shape->slots, sizeof(uint64_t));
	size_t classes_at = lb_layout_add(&layout, classes_max(shape), sizeof(lb_class));

	if (memory)
		*tables = (lb_turn_tables){
		    .turns = lb_at(memory, turns_at),
		    .cells = lb_at(memory, cells_at),
		    .summed = lb_at(memory, summed_at),
		    .cells_n = cells,
		    .keys = lb_at(memory, keys_at),
		    .classes = lb_at(memory, classes_at),
		};
	return layout.size;
}

size_t lb_turn_tables_size(const lb_algo_shape *shape)
{
	return lay_out(NULL, NULL, shape);
}

lb_turn_tables lb_turn_tables_at(void *memory, const lb_algo_shape *shape)
{
	lb_turn_tables tables;

	lay_out(&tables, memory, shape);
	return tables;
}

static uint32_t weight_of(const lb_turn_draft *draft, uint32_t place)
{
	return lb_get(&draft->view->weights[lb_get(&draft->tier->members[place].slot)]);
}

/* Sorts the members into classes and works out the cycle. Returns the sum of the weights. */
static uint64_t classify(lb_turn_draft *draft)
{
	uint64_t sum = 0;
	uint32_t divisor = 0;

	for (uint32_t i = 0; i < draft->tier->n; i++) {
		uint32_t weight = weight_of(draft, i);
		draft->keys[i] = (uint64_t)weight << 32 | i;
		sum += weight;
		divisor = lb_gcd(divisor, weight);
	}
	lb_sort64(draft->keys, draft->tier->n);
	draft->classes_n = 0;
	for (uint32_t i = 0; i < draft->tier->n; i++) {
		uint32_t weight = (uint32_t)(draft->keys[i] >> 32);
		bool same = i > 0 && draft->keys[i - 1] >> 32 == weight;
		if (!same && ++draft->classes_n <= draft->classes_max)
			draft->classes[draft->classes_n - 1] = (lb_class){.weight = weight, .first = i};
		if (draft->classes_n <= draft->classes_max)
			draft->classes[draft->classes_n - 1].n++;
	}
	for (uint32_t i = 0; i < draft->classes_n && i < draft->classes_max && divisor > 0; i++)
		draft->classes[i].weight /= divisor;
	draft->cycle = divisor > 0 ? sum / divisor : 0;
	return sum;
}

/* The place in the tier of a class's next member. */
static uint32_t head_place(const lb_turn_draft *draft, const lb_class *class)
{
	return (uint32_t)draft->keys[class->first + class->head];
}

/*
 * One turn of nginx's rule: everybody's credit grows by its weight, the highest wins (the first listed of equals) and
 * pays the whole cycle. Members of one class differ only in the turns they had, so only heads need to be compared.
 */
static uint32_t take_turn(lb_turn_draft *draft)
{
	lb_class *best = &draft->classes[0];

	best->credit += best->weight;
	for (uint32_t i = 1; i < draft->classes_n; i++) {
		lb_class *class = &draft->classes[i];
		class->credit += class->weight;
		if (class->credit > best->credit ||
		    (class->credit == best->credit && head_place(draft, class) < head_place(draft, best)))
			best = class;
	}
	uint32_t place = head_place(draft, best);
	if (++best->head == best->n) {
		/* round its class: the new head has had as many turns as the others, one more than before */
		best->head = 0;
		best->credit -= (int64_t)draft->cycle;
	}
	return place;
}

static void write_cycle(lb_turn_draft *draft, lb_atomic16 *cells)
{
	for (uint64_t turn = 0; turn < draft->cycle; turn++)
		lb_put16(&cells[turn], lb_get(&draft->tier->members[take_turn(draft)].slot));
}

static void write_sums(const lb_turn_draft *draft, lb_atomic64 *summed)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < draft->tier->n; i++) {
		sum += weight_of(draft, i);
		lb_put64(&summed[i], sum);
	}
}

/* Writes a tier's table from the cell `used` of its half on, if its cycle fits there. Returns the cells that it took. */
static uint32_t build_tier(const lb_turn_tables *tables, const lb_algo_view *view, const lb_tier *tier,
			   uint32_t used)
{
	lb_turns *turns = &tables->turns[tier->buffer * LB_GROUPS_MAX + tier->number];
	lb_turn_draft draft = {
	    .view = view,
	    .tier = tier,
	    .keys = tables->keys,
	    .classes = tables->classes,
	    .classes_max = classes_max(view->shape),
	};
	uint64_t sum = classify(&draft);
	bool fits = draft.classes_n <= draft.classes_max && draft.cycle <= tables->cells_n - used &&
		    draft.cycle * draft.classes_n <= WORK_MAX;

	uint32_t offset = tier->buffer * tables->cells_n + used;

	lb_put(&turns->cycle, fits ? (uint32_t)draft.cycle : 0);
	lb_put(&turns->offset, offset);
	lb_put64(&turns->weight, sum);
	if (fits)
		write_cycle(&draft, &tables->cells[offset]);
	else
		write_sums(&draft, &tables->summed[(size_t)tier->buffer * view->shape->slots + tier->first]);
	return fits ? (uint32_t)draft.cycle : 0;
}

void lb_turn_tables_build(const lb_turn_tables *tables, const lb_algo_view *view)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < view->tiers_n; i++)
		if (view->tiers[i].n > 0)
			used += build_tier(tables, view, &view->tiers[i], used);
}
