/*
 * Peak EWMA: of two (or `choices`) distinct candidates drawn by weight, the one with the lowest peak average of latency
 * (core/peak.h) x (in-flight + 1) / weight. Source: Finagle's PeakEwma.scala; failures count as slow answers.
 *
 * One that was never measured by the lane is taken for `first_latency` (Envoy's default_rtt), which sinks from the moment on
 * that the lane first looks at it (tower's PeakEwma): so it is tried even where all others are faster. While its first
 * request is open, all that are known come before it (Finagle's penalty): one that never answers holds one request.
 */
#include "algo/draw.h"
#include "algo/table.h"
#include "base/apart.h"
#include "base/block.h"
#include "base/span.h"
#include "base/wide.h"

/* When a lane first looked at a member. */
typedef struct lb_glance {
	lb_atomic64 at;
	lb_atomic32 order; /* the member's */
} lb_glance;

/* Where things lie behind the alias tables, which come first. */
typedef struct lb_peak_layout {
	size_t orders; /* lb_atomic32 by slot: of its member */
	size_t glances, stride;
	size_t size;
} lb_peak_layout;

static lb_peak_layout layout_of(const lb_algo_shape *shape)
{
	lb_layout lane = {0}, state = {0};
	lb_peak_layout at;

	lb_layout_add(&lane, shape->slots, sizeof(lb_glance));
	at.stride = lb_layout_add(&lane, 0, 1); /* rounded up to a line */
	lb_layout_add(&state, 1, lb_alias_size(shape, NULL));
	at.orders = lb_layout_add(&state, shape->slots, sizeof(lb_atomic32));
	at.glances = lb_layout_add(&state, shape->lanes, at.stride);
	at.size = state.size;
	return at;
}

static size_t size_peak_ewma(const lb_algo_shape *shape, const lb_algo_rules *rules)
{
	(void)rules;
	return layout_of(shape).size;
}

static void build_peak_ewma(void *state, const lb_algo_view *view)
{
	lb_atomic32 *orders = lb_at(state, layout_of(view->shape).orders);

	lb_alias_build(state, view);
	for (uint32_t i = 0; i <= LB_PRIORITY_MAX; i++) {
		const lb_tier *level = &view->levels[i];
		for (uint32_t place = 0; place < level->n; place++)
			lb_put(&orders[lb_tier_slot(level, place)], lb_get(&level->members[place].order));
	}
}

/* What a member that was never measured is taken for. */
static lb_span guess(void *state, const lb_pick *pick, uint32_t slot)
{
	const lb_algo_lane *lane = pick->lane;
	lb_peak_layout at = layout_of(lane->shape);
	lb_glance *glance = lb_at(state, at.glances + lane->number * at.stride);
	uint32_t order = lb_get((lb_atomic32 *)lb_at(state, at.orders) + slot);
	lb_span first = pick->rules->first_latency;

	glance += slot;
	if (lb_get(&glance->order) == order) {
		lb_span dt = lb_time_since(pick->now, lb_get64(&glance->at));
		return lb_max64(lb_weigh(first, lb_decay_weight(lane->decay, dt)), 1);
	}
	if (!pick->lane->dry) {
		lb_put64(&glance->at, pick->now);
		lb_put(&glance->order, order);
	}
	return first;
}

/* A candidate: it costs cost / weight. */
typedef struct lb_offer {
	uint64_t cost;
	uint32_t weight;
	bool silent; /* never measured, with a request open */
} lb_offer;

LB_APART static lb_offer offer_of_unmeasured(void *state, const lb_pick *pick, uint32_t slot)
{
	const lb_algo_lane *lane = pick->lane;
	uint64_t load = (uint64_t)lb_load_seen(&lane->loads[slot]) + 1;
	/* the lane's own requests: it hears of the others' no answers */
	bool silent = lb_get(&lane->loads[slot].own) > 0;
	lb_span latency = silent ? 1 : guess(state, pick, slot);

	return (lb_offer){
	    .cost = lb_times(latency, load), .weight = lb_get(&lane->weights[slot]), .silent = silent};
}

static inline lb_offer offer_of(void *state, const lb_pick *pick, uint32_t slot)
{
	const lb_algo_lane *lane = pick->lane;
	lb_span latency = lb_record_peak(&lane->records[slot], lane->decay, pick->now);

	if (latency == 0)
		return offer_of_unmeasured(state, pick, slot);
	uint64_t load = (uint64_t)lb_load_seen(&lane->loads[slot]) + 1;
	return (lb_offer){.cost = lb_times(latency, load), .weight = lb_get(&lane->weights[slot])};
}

static inline bool better(lb_offer a, lb_offer b)
{
	if (a.silent != b.silent)
		return b.silent;
	if (a.weight == b.weight)
		return a.cost < b.cost;
	return lb_wide_less(lb_wide_product(a.cost, b.weight), lb_wide_product(b.cost, a.weight));
}

/* The best of any number of draws, none of them refused. */
LB_APART static uint32_t pick_from_drawn(void *state, const lb_tier *tier, const lb_pick *pick)
{
	uint32_t drawn[LB_CHOICES_MAX];
	uint32_t n = lb_draw(state, tier, pick, pick->rules->choices, drawn);
	uint32_t best = n > 0 ? drawn[0] : LB_NO_SLOT;
	lb_offer least = {0};

	for (uint32_t i = 0; i < n && n > 1; i++) {
		lb_offer offer = offer_of(state, pick, drawn[i]);
		if (i > 0 && !better(offer, least))
			continue;
		best = drawn[i];
		least = offer;
	}
	return best;
}

static uint32_t pick_peak_ewma(void *state, const lb_tier *tier, lb_pick *pick)
{
	if (pick->refused_n > 0 || pick->rules->choices > 2)
		return pick_from_drawn(state, tier, pick);
	if (tier->n == 1)
		return lb_tier_slot(tier, 0);
	lb_two drawn = lb_draw_two(state, tier, pick, lb_alias_uneven(state, tier));
	lb_offer one = offer_of(state, pick, drawn.one);
	lb_offer two = offer_of(state, pick, drawn.two);
	return lb_either(drawn.one, drawn.two, better(two, one));
}

const lb_algo lb_algo_peak_ewma = {
    .name = "peak_ewma",
    .traits = LB_ALGO_PEAKS,
    .size = size_peak_ewma,
    .build = build_peak_ewma,
    .pick = pick_peak_ewma,
};
