/*
 * Least response time: the minimum of decayed average latency x (in-flight + 1) / weight. As nginx's least_time with
 * `inflight`, on averages that decay with time, so that a once slow endpoint gets another chance.
 *
 * One that was never measured is taken for an average one: it gets its part of the requests, and with each of them
 * that is still open it looks less attractive; so it gets a few, not all.
 */
#include "algo/least.h"
#include "algo/table.h"

/* The best candidate of one kind (measured, or not) so far. */
typedef struct lb_best {
	uint32_t place;
	uint64_t cost;
} lb_best;

/* (in-flight + 1) / weight x 2^20, so that the largest weight still tells 1 from 2. */
static uint64_t load_of(const lb_pick *pick, uint32_t slot)
{
	uint64_t weight = lb_get(&pick->weights[slot]);

	return (((uint64_t)lb_load_seen(&pick->loads[slot]) + 1) << 20) / (weight > 0 ? weight : 1);
}

/* average x load, which stays below 2^64 for any latency up to an hour at a load of a thousand; then it stops. */
static uint64_t cost_of(lb_span average, uint64_t load)
{
	return average > UINT64_MAX / load ? UINT64_MAX : average * load;
}

static void consider(lb_best *best, uint32_t place, uint64_t cost)
{
	if (best->place == LB_NO_SLOT || cost < best->cost)
		*best = (lb_best){place, cost};
}

/* The measured ones' costs are known; the unmeasured ones' only when the mean of all averages is. */
typedef struct lb_field {
	lb_best measured, unmeasured; /* cost of the unmeasured: the load alone */
	lb_span sum;
	uint32_t n;
} lb_field;

static uint32_t winner(const lb_field *field)
{
	if (field->unmeasured.place == LB_NO_SLOT)
		return field->measured.place;
	if (field->n == 0 || field->measured.place == LB_NO_SLOT)
		return field->unmeasured.place;
	uint64_t cost = cost_of(field->sum / field->n, field->unmeasured.cost);
	return cost <= field->measured.cost ? field->unmeasured.place : field->measured.place;
}

static uint32_t pick_least_response_time(void *state, const lb_tier *tier, lb_pick *pick)
{
	lb_scan *scan = &((lb_scan *)state)[pick->lane];
	lb_field field = {.measured = {LB_NO_SLOT, 0}, .unmeasured = {LB_NO_SLOT, 0}};

	for (uint32_t i = 0, place = lb_scan_start(scan, tier); i < tier->n; i++, place++) {
		if (place == tier->n)
			place = 0;
		uint32_t slot = lb_get(&tier->members[place].slot);
		if (pick->refused_n > 0 && lb_pick_refused(pick, slot))
			continue;
		lb_span average = lb_ewma_read(&pick->records[slot].average, pick->decay, pick->now);
		uint64_t load = load_of(pick, slot);
		if (average == 0) {
			consider(&field.unmeasured, place, load);
			continue;
		}
		consider(&field.measured, place, cost_of(average, load));
		field.sum += average;
		field.n++;
	}
	return lb_scan_end(scan, tier, winner(&field));
}

const lb_algo lb_algo_least_response_time = {"least_response_time", lb_scan_size, NULL,
					     pick_least_response_time};
