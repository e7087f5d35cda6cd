/* Sums for statistics. See figures.h. */
#include "core/figures.h"

#include "base/span.h"

static void add_extremes(lb_figures *figures, lb_span least, lb_span most)
{
	if (least != 0 && (figures->latency_min == 0 || least < figures->latency_min))
		figures->latency_min = least;
	figures->latency_max = lb_max64(figures->latency_max, most);
}

void lb_figures_add_record(lb_figures *figures, const lb_record *record, uint32_t era)
{
	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		figures->outcomes[outcome] += lb_record_count(record, outcome);
	figures->latency_sum += lb_get64(&record->latency_sum);
	if (!lb_record_of_era(record, era))
		return;
	add_extremes(figures, lb_get64(&record->latency_min), lb_get64(&record->latency_max));
	uint32_t peak = lb_get(&record->tally.spare) & LB_PEAK_MAX;
	if (peak > figures->peak)
		figures->peak = peak;
}

void lb_figures_merge(lb_figures *figures, const lb_figures *more)
{
	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		figures->outcomes[outcome] += more->outcomes[outcome];
	figures->latency_sum += more->latency_sum;
	figures->open += more->open;
	add_extremes(figures, more->latency_min, more->latency_max);
	if (more->peak > figures->peak)
		figures->peak = more->peak;
}

/* A counter that was read before its baseline was written is taken as equal to it. */
static void subtract(uint64_t *value, uint64_t base)
{
	*value = *value > base ? *value - base : 0;
}

void lb_figures_since(lb_figures *figures, const lb_baseline *baseline)
{
	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		subtract(&figures->outcomes[outcome], lb_get64(&baseline->outcomes[outcome]));
	subtract(&figures->latency_sum, lb_get64(&baseline->latency_sum));
}

void lb_baseline_write(lb_baseline *baseline, const lb_figures *figures)
{
	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		lb_put64(&baseline->outcomes[outcome], figures->outcomes[outcome]);
	lb_put64(&baseline->latency_sum, figures->latency_sum);
	lb_put64(&baseline->latency_min, figures->latency_min);
	lb_put64(&baseline->latency_max, figures->latency_max);
	lb_put(&baseline->peak, figures->peak);
}

void lb_baseline_read(const lb_baseline *baseline, lb_figures *figures)
{
	*figures = (lb_figures){0};
	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		figures->outcomes[outcome] = lb_get64(&baseline->outcomes[outcome]);
	figures->latency_sum = lb_get64(&baseline->latency_sum);
	figures->latency_min = lb_get64(&baseline->latency_min);
	figures->latency_max = lb_get64(&baseline->latency_max);
	figures->peak = lb_get(&baseline->peak);
}

uint64_t lb_figures_failures(const lb_figures *figures)
{
	uint64_t failures = 0;

	for (uint32_t outcome = LB_FAILURE; outcome <= LB_OVERLOAD; outcome++)
		failures += figures->outcomes[outcome];
	return failures;
}

uint64_t lb_figures_verdicts(const lb_figures *figures)
{
	return figures->outcomes[LB_SUCCESS] + lb_figures_failures(figures);
}

uint64_t lb_figures_timed(const lb_figures *figures)
{
	return lb_figures_verdicts(figures) - figures->outcomes[LB_REFUSED];
}

uint64_t lb_figures_selected(const lb_figures *figures)
{
	uint64_t settled = 0;

	for (uint32_t outcome = 0; outcome < LB_OUTCOMES; outcome++)
		settled += figures->outcomes[outcome];
	return settled + figures->open;
}
