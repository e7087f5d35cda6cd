/* Statistics as numbers. */
#include "ops/stats.h"

#include "base/span.h"
#include "pool/figures.h"

/* part / whole x scale; 0 of 0 is 0. Stops at UINT32_MAX. */
static uint32_t ratio(uint64_t part, uint64_t whole, uint64_t scale)
{
	if (whole == 0)
		return 0;
	/* both lose low bits alike until the product fits */
	while (part > UINT64_MAX / scale) {
		part >>= 1;
		whole >>= 1;
	}
	return (uint32_t)lb_min64(part * scale / lb_max64(whole, 1), UINT32_MAX);
}

/* The average that was fed last: its lane knows best. */
static lb_span decayed(const lb_pool *pool, uint32_t slot, lb_time now)
{
	const lb_ewma *latest = NULL;

	for (uint32_t lane = 0; lane < pool->lanes_n; lane++) {
		const lb_ewma *average = &pool->lanes[lane].records[slot].average;
		if (lb_get64(&average->value) == 0)
			continue;
		if (!latest || lb_get64(&average->stamp) > lb_get64(&latest->stamp))
			latest = average;
	}
	return latest ? lb_ewma_read(latest, &pool->decay, now) : 0;
}

/* What figures say, on their own and as a part of all the pool's selections. */
static lb_endpoint_stats stats_of(const lb_figures *figures, uint64_t pool_selected, lb_span uptime)
{
	uint64_t selected = lb_figures_selected(figures);
	uint64_t timed = lb_figures_timed(figures);

	return (lb_endpoint_stats){
	    .selected = selected,
	    .succeeded = figures->outcomes[LB_SUCCESS],
	    .failed = figures->outcomes[LB_FAILURE],
	    .timed_out = figures->outcomes[LB_TIMEOUT],
	    .refused = figures->outcomes[LB_REFUSED],
	    .overloaded = figures->outcomes[LB_OVERLOAD],
	    .cancelled = figures->outcomes[LB_CANCELLED],
	    .local = figures->outcomes[LB_LOCAL],
	    .forgotten = figures->outcomes[LB_OUTCOME_FORGOTTEN],
	    .latency_average = timed > 0 ? figures->latency_sum / timed : 0,
	    .latency_min = figures->latency_min > 0 ? figures->latency_min - 1 : 0,
	    .latency_max = figures->latency_max,
	    .inflight = (uint32_t)lb_min64(figures->open, UINT32_MAX),
	    .inflight_peak = figures->peak,
	    .share_ppm = ratio(selected, pool_selected, 1000000),
	    .error_ppm = ratio(lb_figures_failures(figures), lb_figures_verdicts(figures), 1000000),
	    .rate_milli = ratio(selected, uptime, 1000 * LB_SECONDS),
	};
}

static uint32_t count_usable(const lb_pool *pool)
{
	uint32_t usable = 0;

	for (uint32_t slot = 0; slot < lb_get_acquire(&pool->header->slots_used); slot++)
		if (lb_get_acquire(&pool->slots[slot].life) == LB_SLOT_LIVE && lb_pool_why(pool, slot) == 0)
			usable++;
	return usable;
}

static lb_span uptime_of(const lb_pool *pool)
{
	return lb_time_since(lb_env_now(&pool->env), lb_get64(&pool->header->since));
}

int lb_stats_pool(const lb_pool *pool, lb_pool_stats *stats, size_t size)
{
	lb_figures total;

	if (!pool || !stats)
		return LB_EINVAL;
	if (size != sizeof *stats)
		return LB_EVERSION;
	lb_pool_figures_total(pool, &total);
	lb_span uptime = uptime_of(pool);
	*stats = (lb_pool_stats){
	    .total = stats_of(&total, lb_figures_selected(&total), uptime),
	    .since = lb_get64(&pool->header->since),
	    .uptime = uptime,
	    .tickets_open = (uint32_t)total.open,
	    .endpoints = lb_get(&pool->header->live),
	    .usable = count_usable(pool),
	    .events_lost = lb_get64(&pool->events_lost),
	};
	lb_refusals refusals = lb_pool_refusals(pool);
	stats->none = refusals.none;
	stats->full = refusals.full;
	stats->limit = refusals.limit;
	stats->retries = refusals.retries;
	return LB_OK;
}

int lb_stats_part(const lb_pool *pool, lb_endpoint endpoint, uint64_t pool_selected, lb_endpoint_stats *stats)
{
	lb_figures figures;
	uint32_t slot = lb_pool_slot(pool, endpoint, true);

	if (slot == LB_NO_SLOT)
		return LB_ENOENT;
	lb_pool_figures(pool, slot, &figures);
	lb_endpoint_stats filled = stats_of(&figures, pool_selected, uptime_of(pool));
	filled.latency_decayed = decayed(pool, slot, lb_env_now(&pool->env));
	/* still the same endpoint? Else what was summed up may be half another's */
	if (lb_pool_slot(pool, endpoint, true) == LB_NO_SLOT)
		return LB_ENOENT;
	*stats = filled;
	return LB_OK;
}

int lb_stats_endpoint(const lb_pool *pool, lb_endpoint endpoint, lb_endpoint_stats *stats, size_t size)
{
	lb_figures total;

	if (!pool || !stats)
		return LB_EINVAL;
	if (size != sizeof *stats)
		return LB_EVERSION;
	lb_pool_figures_total(pool, &total);
	return lb_stats_part(pool, endpoint, lb_figures_selected(&total), stats);
}

/* Where a merge of the lanes' rings stands: the newest record of each lane that is not copied yet. */
typedef struct lb_merge {
	const lb_pool *pool;
	uint32_t
	    numbers[LB_LANES_MAX + 1]; /* of the record that stands at the front; 0 = the lane has no more */
	uint32_t left[LB_LANES_MAX + 1];
	lb_recent_entry fronts[LB_LANES_MAX + 1];
} lb_merge;

/* Brings a lane's next record, downwards from numbers[lane], to the front. */
static void advance(lb_merge *merge, uint32_t lane)
{
	const lb_recent *recent = &merge->pool->lanes[lane].recent;

	for (; merge->numbers[lane] > 0 && merge->left[lane] > 0; merge->numbers[lane]--) {
		merge->left[lane]--;
		if (lb_recent_read(recent, merge->numbers[lane], &merge->fronts[lane]))
			return;
	}
	merge->numbers[lane] = 0;
}

/* The lane whose front is the newest; lanes_n if none has one. */
static uint32_t newest_lane(const lb_merge *merge)
{
	uint32_t newest = merge->pool->lanes_n;

	for (uint32_t lane = 0; lane < merge->pool->lanes_n; lane++) {
		if (merge->numbers[lane] == 0)
			continue;
		if (newest == merge->pool->lanes_n || merge->fronts[lane].at > merge->fronts[newest].at)
			newest = lane;
	}
	return newest;
}

static void begin_merge(lb_merge *merge, const lb_pool *pool)
{
	merge->pool = pool;
	for (uint32_t lane = 0; lane < pool->lanes_n; lane++) {
		merge->numbers[lane] = lb_get_acquire(pool->lanes[lane].recent.written);
		merge->left[lane] = pool->recent_max;
		advance(merge, lane);
	}
}

int lb_stats_recent(const lb_pool *pool, lb_request_record *records, uint32_t n, size_t size)
{
	lb_merge merge;
	uint32_t copied = 0;

	if (!pool || (!records && n > 0))
		return LB_EINVAL;
	if (size != sizeof *records)
		return LB_EVERSION;
	begin_merge(&merge, pool);
	while (copied < n && copied < INT32_MAX) {
		uint32_t lane = newest_lane(&merge);
		if (lane == pool->lanes_n)
			break;
		const lb_recent_entry *front = &merge.fronts[lane];
		records[copied++] = (lb_request_record){
		    .at = front->at,
		    .endpoint = front->endpoint,
		    .latency = front->latency,
		    .result = front->result,
		    .attempt = front->attempt,
		};
		merge.numbers[lane]--;
		advance(&merge, lane);
	}
	return (int)copied;
}

int lb_stats_reset(lb_pool *pool)
{
	if (!pool)
		return LB_EINVAL;
	lb_control control = lb_control_begin(pool);
	lb_pool_reset_figures(pool, control.now);
	lb_control_end(&control, false);
	return LB_OK;
}
