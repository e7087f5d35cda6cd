/* Statistics as a table for people: one line for the pool, one for each endpoint. */
#include "base/format.h"
#include "base/text.h"
#include "ops/stats.h"

#define NAME_WIDTH 20u

/* One row of columns: where a column began, so that it can be padded. */
typedef struct lb_columns {
	lb_line_buffer line;
	size_t from;
} lb_columns;

static void begin_column(lb_columns *columns)
{
	if (columns->line.length > 0)
		lb_put_text(&columns->line, "  ");
	columns->from = columns->line.length;
}

static void text_column(lb_columns *columns, const char *text, size_t width)
{
	begin_column(columns);
	lb_put_text(&columns->line, text);
	lb_pad_right(&columns->line, columns->from, width);
}

static void title_column(lb_columns *columns, const char *text, size_t width)
{
	begin_column(columns);
	lb_put_text(&columns->line, text);
	lb_pad_left(&columns->line, columns->from, width);
}

static void number_column(lb_columns *columns, uint64_t value, size_t width)
{
	begin_column(columns);
	lb_put_number(&columns->line, value);
	lb_pad_left(&columns->line, columns->from, width);
}

static void percent_column(lb_columns *columns, uint32_t ppm, size_t width)
{
	begin_column(columns);
	lb_put_fixed(&columns->line, ((uint64_t)ppm + 50) / 100, 2);
	lb_pad_left(&columns->line, columns->from, width);
}

static void span_column(lb_columns *columns, lb_span span, size_t width)
{
	begin_column(columns);
	if (span == 0)
		lb_put_text(&columns->line, "-");
	else
		lb_put_span(&columns->line, span);
	lb_pad_left(&columns->line, columns->from, width);
}

static int end_line(lb_line_buffer *line, lb_write write, void *user)
{
	/* a line that was cut still ends */
	if (line->length == LB_LINE_BYTES)
		line->length--;
	lb_put_text(line, "\n");
	return write(user, line->text, line->length) == 0 ? LB_OK : LB_EHOOK;
}

static int write_pool_line(const lb_pool *pool, const lb_pool_stats *stats, lb_write write, void *user)
{
	lb_line_buffer line = {0};

	lb_put_text(&line, "pool ");
	lb_put_name(&line, pool->name, LB_NAME_MAX);
	lb_put_text(&line, "  up ");
	lb_put_span(&line, stats->uptime);
	lb_put_text(&line, "  endpoints ");
	lb_put_number(&line, stats->usable);
	lb_put_text(&line, " of ");
	lb_put_number(&line, stats->endpoints);
	lb_put_text(&line, " usable  selected ");
	lb_put_number(&line, stats->total.selected);
	lb_put_text(&line, "  errors ");
	lb_put_fixed(&line, ((uint64_t)stats->total.error_ppm + 50) / 100, 2);
	lb_put_text(&line, "%  retries ");
	lb_put_number(&line, stats->retries);
	lb_put_text(&line, "  open ");
	lb_put_number(&line, stats->tickets_open);
	lb_put_text(&line, "  none ");
	lb_put_number(&line, stats->none);
	lb_put_text(&line, "  full ");
	lb_put_number(&line, stats->full);
	lb_put_text(&line, "  limit ");
	lb_put_number(&line, stats->limit);
	return end_line(&line, write, user);
}

static int write_titles(lb_write write, void *user)
{
	lb_columns columns = {.line = {0}};

	text_column(&columns, "endpoint", NAME_WIDTH);
	text_column(&columns, "state", 9);
	title_column(&columns, "weight", 7);
	title_column(&columns, "open", 5);
	title_column(&columns, "peak", 5);
	title_column(&columns, "selected", 11);
	title_column(&columns, "share%", 6);
	title_column(&columns, "error%", 6);
	title_column(&columns, "average", 8);
	title_column(&columns, "min", 8);
	title_column(&columns, "max", 8);
	title_column(&columns, "decayed", 8);
	return end_line(&columns.line, write, user);
}

/* The one word that says most: why it gets nothing, else how it is. */
static const char *state_of(const lb_endpoint_info *info)
{
	if ((info->why & LB_WHY_ADMIN) != 0)
		return info->admin == LB_ADMIN_DRAIN ? "drain" : "down";
	if ((info->why & LB_WHY_HEALTH) != 0)
		return "unhealthy";
	if ((info->why & LB_WHY_BREAKER) != 0)
		return info->breaker == LB_BREAKER_HALF_OPEN ? "half-open" : "open";
	if ((info->why & LB_WHY_WEIGHT) != 0)
		return "weight 0";
	if ((info->why & LB_WHY_STANDBY) != 0)
		return "standby";
	if ((info->why & LB_WHY_FULL) != 0)
		return "full";
	if (info->health == LB_DEGRADED)
		return "degraded";
	return info->health == LB_UNKNOWN ? "unknown" : "up";
}

static int write_endpoint(const lb_endpoint_info *info, const lb_endpoint_stats *stats, lb_write write,
			  void *user)
{
	lb_columns columns = {.line = {0}};

	begin_column(&columns);
	lb_put_name(&columns.line, info->name, NAME_WIDTH);
	lb_pad_right(&columns.line, columns.from, NAME_WIDTH);
	text_column(&columns, state_of(info), 9);
	number_column(&columns, info->weight, 7);
	number_column(&columns, stats->inflight, 5);
	number_column(&columns, stats->inflight_peak, 5);
	number_column(&columns, stats->selected, 11);
	percent_column(&columns, stats->share_ppm, 6);
	percent_column(&columns, stats->error_ppm, 6);
	span_column(&columns, stats->latency_average, 8);
	span_column(&columns, stats->latency_min, 8);
	span_column(&columns, stats->latency_max, 8);
	span_column(&columns, stats->latency_decayed, 8);
	return end_line(&columns.line, write, user);
}

int lb_stats_text(const lb_pool *pool, lb_write write, void *user)
{
	lb_pool_stats stats;

	if (!pool || !write)
		return LB_EINVAL;
	lb_stats_pool(pool, &stats, sizeof stats);
	int error = write_pool_line(pool, &stats, write, user);
	if (error == LB_OK)
		error = write_titles(write, user);
	for (lb_endpoint at = lb_pool_next(pool, LB_NO_ENDPOINT); at != LB_NO_ENDPOINT && error == LB_OK;
	     at = lb_pool_next(pool, at)) {
		lb_endpoint_info info;
		lb_endpoint_stats one;
		/* one that was removed meanwhile has no line */
		if (lb_pool_info(pool, at, &info, sizeof info) == LB_OK &&
		    lb_stats_part(pool, at, stats.total.selected, &one) == LB_OK)
			error = write_endpoint(&info, &one, write, user);
	}
	return error;
}
