/* Statistics as JSON (RFC 8259): one object, with the names of stats.h. */
#include "base/format.h"
#include "ops/stats.h"

/* A piece of output: flushed when a member may not fit any more. */
typedef struct lb_json {
	lb_line_buffer line;
	lb_write write;
	void *user;
	int error;
} lb_json;

#define MEMBER_BYTES 1700u /* no member is longer: a url of 255 bytes, each escaped by six */

static void flush(lb_json *json)
{
	if (json->error == LB_OK && json->line.length > 0 &&
	    json->write(json->user, json->line.text, json->line.length) != 0)
		json->error = LB_EHOOK;
	json->line.length = 0;
}

static void make_room(lb_json *json)
{
	if (json->line.length + MEMBER_BYTES > LB_LINE_BYTES)
		flush(json);
}

static void put(lb_json *json, const char *text)
{
	make_room(json);
	lb_put_text(&json->line, text);
}

/* `,"name":` - with no comma behind an opening brace. */
static void key(lb_json *json, const char *name, bool first)
{
	put(json, first ? "\"" : ",\"");
	lb_put_text(&json->line, name);
	lb_put_text(&json->line, "\":");
}

static void number(lb_json *json, const char *name, uint64_t value)
{
	key(json, name, false);
	lb_put_number(&json->line, value);
}

static void string(lb_json *json, const char *name, const char *value, bool first)
{
	key(json, name, first);
	lb_put_text(&json->line, "\"");
	lb_put_json_name(&json->line, value);
	lb_put_text(&json->line, "\"");
}

static void put_stats(lb_json *json, const lb_endpoint_stats *stats)
{
	number(json, "selected", stats->selected);
	number(json, "succeeded", stats->succeeded);
	number(json, "failed", stats->failed);
	number(json, "timed_out", stats->timed_out);
	number(json, "refused", stats->refused);
	number(json, "overloaded", stats->overloaded);
	number(json, "cancelled", stats->cancelled);
	number(json, "local", stats->local);
	number(json, "forgotten", stats->forgotten);
	number(json, "latency_average", stats->latency_average);
	number(json, "latency_min", stats->latency_min);
	number(json, "latency_max", stats->latency_max);
	number(json, "latency_decayed", stats->latency_decayed);
	number(json, "inflight", stats->inflight);
	number(json, "inflight_peak", stats->inflight_peak);
	number(json, "share_ppm", stats->share_ppm);
	number(json, "error_ppm", stats->error_ppm);
	number(json, "rate_milli", stats->rate_milli);
}

static void put_pool(lb_json *json, const lb_pool *pool, const lb_pool_stats *stats)
{
	put(json, "{");
	string(json, "pool", pool->name, true);
	number(json, "since", stats->since);
	number(json, "uptime", stats->uptime);
	number(json, "endpoints_total", stats->endpoints);
	number(json, "usable", stats->usable);
	number(json, "tickets_open", stats->tickets_open);
	number(json, "none", stats->none);
	number(json, "full", stats->full);
	number(json, "limit", stats->limit);
	number(json, "retries", stats->retries);
	number(json, "events_lost", stats->events_lost);
	put_stats(json, &stats->total);
}

static void put_endpoint(lb_json *json, const lb_endpoint_info *info, const lb_endpoint_stats *stats)
{
	static const char *const health[] = {"unknown", "healthy", "degraded", "unhealthy"};
	static const char *const admin[] = {"up", "drain", "down"};
	static const char *const breaker[] = {"closed", "open", "half_open"};

	put(json, "{");
	string(json, "name", info->name, true);
	string(json, "url", info->url, false);
	string(json, "admin", admin[info->admin], false);
	string(json, "health", health[info->health], false);
	string(json, "breaker", breaker[info->breaker], false);
	number(json, "why", info->why);
	number(json, "weight", info->weight);
	number(json, "weight_now", info->weight_now);
	number(json, "priority", info->priority);
	number(json, "zone", info->zone);
	number(json, "inflight_max", info->inflight_max);
	number(json, "consecutive_failures", info->consecutive_failures);
	number(json, "consecutive_successes", info->consecutive_successes);
	number(json, "last_check", info->last_check);
	put_stats(json, stats);
	put(json, "}");
}

int lb_stats_json(const lb_pool *pool, lb_write write, void *user)
{
	lb_json json = {.write = write, .user = user};
	lb_pool_stats stats;
	bool first = true;

	if (!pool || !write)
		return LB_EINVAL;
	lb_stats_pool(pool, &stats, sizeof stats);
	put_pool(&json, pool, &stats);
	put(&json, ",\"endpoints\":[");
	for (lb_endpoint at = lb_pool_next(pool, LB_NO_ENDPOINT); at != LB_NO_ENDPOINT && json.error == LB_OK;
	     at = lb_pool_next(pool, at)) {
		lb_endpoint_info info;
		lb_endpoint_stats one;
		if (lb_pool_info(pool, at, &info, sizeof info) != LB_OK ||
		    lb_stats_part(pool, at, stats.total.selected, &one) != LB_OK)
			continue;
		if (!first)
			put(&json, ",");
		first = false;
		put_endpoint(&json, &info, &one);
	}
	put(&json, "]}\n");
	flush(&json);
	return json.error;
}
