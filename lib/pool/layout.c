/* Where everything lies in a pool's block. See layout.h. */
#include "pool/layout.h"

#include "pool/chain.h"

/* The smallest power of two that is at least n; 0 for 0. */
static uint32_t power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power *= 2;
	return n == 0 ? 0 : power;
}

static void lay_out_lane(lb_pool_layout *at)
{
	lb_layout lane = {sizeof(lb_lane_head)};

	at->lane_loads = lb_layout_add(&lane, at->slots_n, sizeof(lb_load));
	at->lane_records = lb_layout_add(&lane, at->slots_n, sizeof(lb_record));
	at->lane_words = lb_layout_add(&lane, at->tickets_n, sizeof(lb_atomic32));
	at->lane_rows = lb_layout_add(&lane, at->tickets_n, sizeof(lb_row));
	at->lane_recent = lb_layout_add(&lane, at->recent_n, sizeof(lb_recent_record));
	at->lane_stride = lb_layout_add(&lane, 0, 1); /* rounded up to a line */
	if (lane.size == SIZE_MAX)
		at->lane_stride = SIZE_MAX;
}

lb_pool_layout lb_pool_layout_of(const lb_pool_config *config, const lb_circuit_rules *rules)
{
	uint32_t slots = config->endpoints_max + (config->endpoints_max + 7) / 8;
	lb_pool_layout at = {
	    .slots_n = slots,
	    .index_n = power_of_two(slots),
	    .recent_n = power_of_two(config->recent_max),
	    .events_n = power_of_two(slots + LB_EVENTS_SPARE < LB_EVENTS_MIN ? LB_EVENTS_MIN
									     : slots + LB_EVENTS_SPARE),
	    .tickets_n = config->tickets_max,
	    .trials_n = config->breaker ? rules->trials : 0,
	    .shape = {.slots = slots, .lanes = config->lanes_max + 1},
	};
	lb_layout block = {0};

	lay_out_lane(&at);
	at.header = lb_layout_add(&block, 1, sizeof(lb_pool_header));
	at.slots = lb_layout_add(&block, slots, sizeof(lb_slot));
	at.about = lb_layout_add(&block, slots, sizeof(lb_about));
	at.weights = lb_layout_add(&block, slots, sizeof(lb_atomic32));
	at.weights_now = lb_layout_add(&block, slots, sizeof(lb_atomic32));
	at.weights_keyed = lb_layout_add(&block, slots, sizeof(lb_atomic32));
	at.ramps = lb_layout_add(&block, slots, sizeof(lb_atomic32));
	at.cells = lb_layout_add(&block, (size_t)slots * at.trials_n, sizeof(lb_trial));
	at.index = lb_layout_add(&block, at.index_n, sizeof(lb_atomic32));
	at.scratch = lb_layout_add(&block, at.index_n, sizeof(lb_atomic32));
	at.views = lb_layout_add(&block, 2, sizeof(lb_view));
	at.members = lb_layout_add(&block, (size_t)slots * 2, sizeof(lb_member));
	at.levels = lb_layout_add(&block, slots, sizeof(lb_member));
	at.events = lb_layout_add(&block, 1, sizeof(lb_events) + at.events_n * sizeof(lb_event_cell));
	at.chains = lb_layout_add(&block, 1, lb_chains_size(config->endpoints_max));
	at.baselines = lb_layout_add(&block, slots, sizeof(lb_baseline));
	at.retired = lb_layout_add(&block, 1, sizeof(lb_baseline));
	at.lanes = lb_layout_add(&block, at.shape.lanes, at.lane_stride);
	at.size = block.size > SIZE_MAX - LB_LINE ? SIZE_MAX : block.size + LB_LINE;
	return at;
}

static void lay_out_lane_at(lb_pool *pool, const lb_pool_layout *at, uint32_t number, void *base)
{
	lb_lane *lane = &pool->lanes[number];

	lane->number = number;
	lane->shared = number == 0;
	lane->head = base;
	lane->loads = lb_at(base, at->lane_loads);
	lane->records = lb_at(base, at->lane_records);
	lane->ledger = (lb_ledger){
	    .words = lb_at(base, at->lane_words),
	    .rows = lb_at(base, at->lane_rows),
	    .cursor = &lane->head->ledger_cursor,
	    .n = at->tickets_n,
	    .shared = lane->shared,
	};
	lane->recent = (lb_recent){
	    .records = lb_at(base, at->lane_recent),
	    .written = &lane->head->recent_written,
	    .n = at->recent_n,
	    .shared = lane->shared,
	};
	lane->algo = (lb_algo_lane){
	    .shape = &pool->shape,
	    .weights = pool->weights_now,
	    .weights_full = pool->weights,
	    .ramps = pool->ramps,
	    .loads = lane->loads,
	    .records = lane->records,
	    .decay = &pool->decay,
	    .random = {&lane->head->stream, pool->env.random, pool->env.user},
	    .number = number,
	    .shared = lane->shared,
	};
}

void lb_pool_lay_out(lb_pool *pool, const lb_pool_layout *at, void *base)
{
	uintptr_t misfit = (uintptr_t)base % LB_LINE;
	void *block = misfit == 0 ? base : lb_at(base, LB_LINE - misfit);

	pool->shape = at->shape;
	pool->index_mask = at->index_n - 1;
	pool->lanes_n = at->shape.lanes;
	pool->events_n = at->events_n;
	pool->header = lb_at(block, at->header);
	pool->slots = lb_at(block, at->slots);
	pool->about = lb_at(block, at->about);
	pool->weights = lb_at(block, at->weights);
	pool->weights_now = lb_at(block, at->weights_now);
	pool->weights_keyed = lb_at(block, at->weights_keyed);
	pool->ramps = lb_at(block, at->ramps);
	pool->cells = lb_at(block, at->cells);
	pool->index = lb_at(block, at->index);
	pool->scratch = lb_at(block, at->scratch);
	for (uint32_t half = 0; half < 2; half++)
		pool->halves[half] = (lb_half){
		    .view = (lb_view *)lb_at(block, at->views) + half,
		    .members = (lb_member *)lb_at(block, at->members) + (size_t)half * at->shape.slots,
		};
	pool->levels = lb_at(block, at->levels);
	pool->events = lb_at(block, at->events);
	pool->chains = lb_at(block, at->chains);
	pool->baselines = lb_at(block, at->baselines);
	pool->retired = lb_at(block, at->retired);
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		lay_out_lane_at(pool, at, lane, lb_at(block, at->lanes + (size_t)lane * at->lane_stride));
}
