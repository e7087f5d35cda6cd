/*
 * Least response time: the minimum of decayed average latency x (in-flight + 1) / weight. As nginx's least_time with
 * `inflight`, on averages that decay with time, so that a once slow endpoint gets another chance.
 *
 * One that was never measured is taken for as fast as the fastest: it is tried at once, and with each of its requests that
 * is still open it looks less attractive; so it gets a few, not all.
 */
#include "algo/least.h"
#include "algo/table.h"
#include "base/span.h"
#include "base/wide.h"

/* The best candidate of one kind (measured, or not) so far: it costs cost / weight. */
typedef struct lb_best {
	uint32_t place, weight;
	uint64_t cost;
} lb_best;

static bool cheaper(uint64_t cost, uint32_t weight, const lb_best *best)
{
	return lb_wide_less(lb_wide_product(cost, best->weight), lb_wide_product(best->cost, weight));
}

static void consider(lb_best *best, uint32_t place, uint64_t cost, uint32_t weight)
{
	if (best->place == LB_NO_SLOT || cheaper(cost, weight, best))
		*best = (lb_best){place, weight, cost};
}

/* What the scan found; of the unmeasured, `cost` is the load alone. */
typedef struct lb_field {
	lb_best measured, unmeasured;
	lb_span least; /* the lowest average */
} lb_field;

static uint32_t winner(const lb_field *field)
{
	const lb_best *fresh = &field->unmeasured;

	if (fresh->place == LB_NO_SLOT)
		return field->measured.place;
	if (field->measured.place == LB_NO_SLOT)
		return fresh->place;
	lb_best guessed = {fresh->place, fresh->weight, lb_times(field->least, fresh->cost)};
	/* of equals the one that is not known yet */
	return cheaper(field->measured.cost, field->measured.weight, &guessed) ? field->measured.place
									       : fresh->place;
}

static uint32_t pick_least_response_time(void *state, const lb_tier *tier, lb_pick *pick)
{
	const lb_algo_lane *lane = pick->lane;
	lb_scan *scan = &((lb_scan *)state)[lane->number];
	lb_field field = {.measured.place = LB_NO_SLOT, .unmeasured.place = LB_NO_SLOT, .least = LB_NEVER};

	for (uint32_t i = 0, place = lb_scan_start(scan, tier, pick); i < tier->n; i++, place++) {
		if (place == tier->n)
			place = 0;
		uint32_t slot = lb_tier_slot(tier, place);
		if (pick->refused_n > 0 && lb_pick_refused(pick, slot))
			continue;
		lb_span average = lb_ewma_read(&lane->records[slot].average, lane->decay, pick->now);
		uint64_t load = (uint64_t)lb_load_seen(&lane->loads[slot]) + 1;
		uint32_t weight = lb_get(&lane->weights[slot]);
		if (average == 0) {
			consider(&field.unmeasured, place, load, weight);
			continue;
		}
		consider(&field.measured, place, lb_times(average, load), weight);
		if (average < field.least)
			field.least = average;
	}
	return lb_scan_end(scan, tier, pick, winner(&field));
}

const lb_algo lb_algo_least_response_time = {
    .name = "least_response_time", .size = lb_scan_size, .pick = pick_least_response_time};
