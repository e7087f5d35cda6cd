/* Sums over the lanes. See figures.h. */
#include "pool/figures.h"

static void sum_lanes(const lb_pool *pool, uint32_t slot, lb_figures *figures)
{
	uint32_t era = lb_get(&pool->header->era);

	*figures = (lb_figures){0};
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		lb_figures_add_record(figures, &pool->lanes[lane].records[slot], era);
	figures->open = lb_pool_inflight(pool, slot);
	if (figures->open > figures->peak)
		figures->peak = (uint32_t)figures->open;
}

void lb_pool_figures(const lb_pool *pool, uint32_t slot, lb_figures *figures)
{
	sum_lanes(pool, slot, figures);
	lb_figures_since(figures, &pool->baselines[slot]);
}

void lb_pool_figures_total(const lb_pool *pool, lb_figures *figures)
{
	lb_figures one;

	lb_baseline_read(pool->retired, figures);
	for (uint32_t slot = 0; slot < lb_get_acquire(&pool->header->slots_used); slot++) {
		if (lb_get_acquire(&pool->slots[slot].life) == LB_SLOT_FREE)
			continue;
		lb_pool_figures(pool, slot, &one);
		lb_figures_merge(figures, &one);
	}
}

static lb_refusals sum_refusals(const lb_pool *pool)
{
	lb_refusals sum = {0};

	for (uint32_t lane = 0; lane < pool->lanes_n; lane++) {
		const lb_lane_head *head = pool->lanes[lane].head;
		sum.none += lb_get64(&head->none);
		sum.full += lb_get64(&head->full);
		sum.limit += lb_get64(&head->limit);
		sum.retries += lb_get64(&head->retries);
	}
	return sum;
}

/* A reset between the look at the sum and the look at its base makes the base the larger: nothing since then. */
static void subtract(uint64_t *sum, const lb_atomic64 *base_field)
{
	uint64_t base = lb_get64(base_field);

	*sum = *sum > base ? *sum - base : 0;
}

lb_refusals lb_pool_refusals(const lb_pool *pool)
{
	lb_refusals sum = sum_refusals(pool);

	subtract(&sum.none, &pool->header->none_base);
	subtract(&sum.full, &pool->header->full_base);
	subtract(&sum.limit, &pool->header->limit_base);
	subtract(&sum.retries, &pool->header->retries_base);
	return sum;
}

/* No request of the slot is open, so no lane's owner writes its record now. */
static void empty_record(lb_record *record)
{
	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		lb_put64(lb_record_counter(record, outcome), 0);
	lb_put64(&record->latency_sum, 0);
	lb_put64(&record->average.value, 0);
	lb_put64(&record->peak_average, 0);
	lb_put(&record->tally.base, 0);
	lb_put64(&record->tally.begun, 0);
	lb_put(&record->tally.spare, 0);
}

void lb_pool_retire(lb_pool *pool, uint32_t slot)
{
	lb_figures figures, retired;

	lb_pool_figures(pool, slot, &figures);
	lb_baseline_read(pool->retired, &retired);
	lb_figures_merge(&retired, &figures);
	lb_baseline_write(pool->retired, &retired);
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++)
		empty_record(&pool->lanes[lane].records[slot]);
	lb_baseline_write(&pool->baselines[slot], &(lb_figures){0});
}

void lb_pool_reset_figures(lb_pool *pool, lb_time now)
{
	lb_figures figures;

	lb_baseline_write(pool->retired, &(lb_figures){0});
	for (uint32_t slot = 0; slot < pool->shape.slots; slot++) {
		sum_lanes(pool, slot, &figures);
		lb_baseline_write(&pool->baselines[slot], &figures);
	}
	lb_refusals refusals = sum_refusals(pool);
	lb_put64(&pool->header->none_base, refusals.none);
	lb_put64(&pool->header->full_base, refusals.full);
	lb_put64(&pool->header->limit_base, refusals.limit);
	lb_put64(&pool->header->retries_base, refusals.retries);
	lb_add(&pool->header->era, 1);
	lb_put64(&pool->header->since, now);
}
