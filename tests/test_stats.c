/* Statistics: figures with literal values, recent requests, text and JSON. */
#include "base/format.h"
#include "pool/pool.h"
#include "test.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void request(rig *r, int number, uint32_t lane, lb_result result, lb_span latency)
{
	lb_ticket ticket = {0};

	ck_ok(lb_select(r->selector, &(lb_request){.prefer = r->e[number], .lane = lane}, &ticket));
	ck_ok(lb_report(r->selector, &ticket, &(lb_outcome){.result = result, .latency = latency}));
}

static lb_endpoint_stats stats_of(const rig *r, int number)
{
	lb_endpoint_stats s;

	ck_ok(lb_stats_endpoint(r->pool, r->e[number], &s, sizeof s));
	return s;
}

START_TEST(every_field_and_the_reset)
{
	rig r;
	lb_pool_stats pool;
	lb_ticket open = {0};
	uint32_t lane;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 1, &lane));
	request(&r, 0, 0, LB_SUCCESS, 10);
	request(&r, 0, lane, LB_SUCCESS, 30);
	request(&r, 0, 0, LB_FAILURE, 50);
	request(&r, 0, lane, LB_TIMEOUT, 110);
	request(&r, 0, 0, LB_OVERLOAD, 100);
	request(&r, 0, lane, LB_REFUSED, 1);
	request(&r, 0, 0, LB_CANCELLED, 1000000);
	request(&r, 0, 0, LB_LOCAL, 1000000);
	request(&r, 1, 0, LB_SUCCESS, 5);
	ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &open));
	r.w.now += 2 * LB_SECONDS;
	lb_endpoint_stats s = stats_of(&r, 0);
	ck_assert(s.selected == 9 && s.succeeded == 2 && s.failed == 1 && s.timed_out == 1 && s.refused == 1);
	ck_assert(s.overloaded == 1 && s.cancelled == 1 && s.local == 1 && s.forgotten == 0);
	ck_assert(s.latency_average == 60 && s.latency_min == 10 && s.latency_max == 110);
	ck_assert(s.inflight == 1 && s.inflight_peak == 1);
	ck_assert_uint_eq(s.share_ppm, 900000);
	ck_assert_uint_eq(s.error_ppm, 666666);
	ck_assert_uint_eq(s.rate_milli, 4500);
	ck_assert_uint_gt(s.latency_decayed, 0);
	ck_ok(lb_stats_pool(r.pool, &pool, sizeof pool));
	ck_assert(pool.total.selected == 10 && pool.total.latency_min == 5 &&
		  pool.total.share_ppm == 1000000);
	ck_assert(pool.tickets_open == 1 && pool.endpoints == 2 && pool.usable == 2);
	ck_assert(pool.uptime == 2 * LB_SECONDS && pool.since == r.w.now - 2 * LB_SECONDS);
	ck_ok(lb_stats_reset(r.pool));
	s = stats_of(&r, 0);
	ck_assert(s.selected == 1 && s.inflight == 1 && s.succeeded == 0 && s.latency_min == 0 &&
		  s.latency_max == 0);
	request(&r, 0, lane, LB_SUCCESS, 7);
	s = stats_of(&r, 0);
	ck_assert(s.succeeded == 1 && s.latency_average == 7 && s.latency_min == 7 && s.latency_max == 7);
	rig_close(&r);
}
END_TEST

START_TEST(answers_without_an_endpoint_and_retries)
{
	rig r;
	lb_pool_stats pool;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		rig_select(&r, &ticket);
		ck_ok(lb_report_result(r.selector, &ticket, LB_REFUSED));
	}
	ck_assert_int_eq(rig_select(&r, &ticket), LB_ENONE);
	ck_ok(lb_stats_pool(r.pool, &pool, sizeof pool));
	ck_assert(pool.none == 1 && pool.retries == 1 && pool.full == 0 && pool.limit == 0);
	ck_ok(lb_stats_reset(r.pool));
	ck_ok(lb_stats_pool(r.pool, &pool, sizeof pool));
	ck_assert(pool.none == 0 && pool.retries == 0);
	rig_close(&r);
}
END_TEST

/* A look between the writes of a reset, or around it, finds a base above the sum that it has. */
START_TEST(refusals_never_fall_below_zero)
{
	rig r;
	lb_ticket ticket = {0};
	lb_pool_stats s;

	rig_open(&r, LB_ROUND_ROBIN, 0, NULL, NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(lb_select(r.selector, NULL, &ticket), LB_ENONE);
	lb_pool_header *header = r.pool->header;
	lb_put64(&header->none_base, 2);
	lb_put64(&header->full_base, 1);
	lb_put64(&header->limit_base, 1);
	lb_put64(&header->retries_base, UINT64_MAX);
	ck_ok(lb_stats_pool(r.pool, &s, sizeof s));
	ck_assert(s.none == 1 && s.full == 0 && s.limit == 0 && s.retries == 0);
	lb_put64(&header->none_base, 4);
	ck_ok(lb_stats_pool(r.pool, &s, sizeof s));
	ck_assert_uint_eq(s.none, 0);
	rig_close(&r);
}
END_TEST

START_TEST(peak_and_measured_latency)
{
	rig r;
	lb_ticket held[5] = {{0}};

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	for (int i = 0; i < 5; i++)
		rig_select(&r, &held[i]);
	r.w.now += 123;
	for (int i = 0; i < 5; i++)
		ck_ok(lb_report_result(r.selector, &held[i], LB_SUCCESS));
	ck_assert_uint_eq(stats_of(&r, 0).inflight_peak, 5);
	ck_assert_uint_eq(stats_of(&r, 0).latency_average, 123);
	rig_close(&r);
}
END_TEST

START_TEST(figures_of_the_removed_stay_in_the_total)
{
	rig r;
	lb_pool_stats pool;

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	request(&r, 0, 0, LB_SUCCESS, 10);
	ck_ok(lb_pool_remove(r.pool, r.e[0]));
	for (int i = 0; i < 2; i++) {
		ck_ok(lb_stats_pool(r.pool, &pool, sizeof pool));
		ck_assert_uint_eq(pool.total.succeeded, 1);
		ck_assert_uint_eq(pool.total.latency_max, 10);
		r.w.now += LB_SECONDS;
		lb_pool_tick(r.pool);
	}
	ck_ok(lb_pool_add(r.pool, "new", "", 1, &r.e[0]));
	ck_assert_uint_eq(stats_of(&r, 0).selected, 0);
	rig_close(&r);
}
END_TEST

START_TEST(recent_requests_newest_first_over_lanes)
{
	rig r;
	lb_request_record records[64];
	uint32_t lane;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 1, &lane));
	ck_assert_int_eq(lb_stats_recent(r.pool, records, 64, sizeof *records), 0);
	for (uint32_t i = 1; i <= 40; i++) {
		r.w.now += LB_SECONDS;
		request(&r, 0, i % 4 == 0 ? lane : 0, i % 2 ? LB_SUCCESS : LB_TIMEOUT, i);
	}
	/* 16 of lane 0's 30, all 10 of the other's */
	ck_assert_int_eq(lb_stats_recent(r.pool, records, 64, sizeof *records), 26);
	for (int i = 0; i < 25; i++)
		ck_assert_uint_ge(records[i].at, records[i + 1].at);
	ck_assert(records[0].latency == 40 && records[0].result == LB_TIMEOUT && records[0].attempt == 1);
	ck_assert_uint_eq(records[0].endpoint, r.e[0]);
	ck_assert_uint_eq(records[0].at, r.w.now);
	ck_assert_int_eq(lb_stats_recent(r.pool, records, 3, sizeof *records), 3);
	ck_assert_int_eq(lb_stats_recent(r.pool, NULL, 0, sizeof *records), 0);
	rig_close(&r);
}
END_TEST

/* Keeps what is written; refuses the n-th piece. */
typedef struct paper {
	char text[65536];
	size_t length;
	int pieces, refuse;
} paper;

static int put(void *user, const char *text, size_t length)
{
	paper *p = user;

	if (++p->pieces == p->refuse)
		return 1;
	ck_assert_uint_lt(p->length + length, sizeof p->text);
	memcpy(p->text + p->length, text, length);
	p->length += length;
	p->text[p->length] = '\0';
	return 0;
}

static const char *const hostile[] = {"quote\"back\\slash",
				      "\xff\xfe\x80",
				      "\xe2\x80\xa8line",
				      "\xc2\x85next",
				      "\xe2\x80\xaertl",
				      "caf\xc3\xa9",
				      "a|b  c",
				      "012345678901234567890123456789012345678901234567890123456789012"};

START_TEST(hostile_names_cannot_break_a_line)
{
	rig r;
	static paper p;

	memset(&p, 0, sizeof p);
	rig_open(&r, LB_ROUND_ROBIN, 0, NULL, NULL);
	for (int i = 0; i < 8; i++)
		ck_ok(lb_pool_add(r.pool, hostile[i], "http://h/\"\\\xff", 1, &r.e[i]));
	ck_ok(lb_stats_text(r.pool, put, &p));
	int lines = 0;
	for (size_t i = 0; i < p.length; i++) {
		unsigned char c = (unsigned char)p.text[i];
		lines += c == '\n';
		ck_assert(c == '\n' || (c >= 0x20 && c != 0x7f));
	}
	ck_assert_int_eq(lines, 10);
	ck_assert_ptr_null(strstr(p.text, "\xe2\x80\xa8"));
	ck_assert_ptr_null(strstr(p.text, "\xe2\x80\xae"));
	ck_assert_ptr_nonnull(strstr(p.text, "caf\xc3\xa9"));
	/* all lines of endpoints are equally wide, in characters */
	const char *line = strchr(p.text, '\n') + 1;
	size_t width = 0;
	for (int i = 0; i < 9; i++) {
		size_t n = 0;
		for (; *line != '\n'; line++)
			n += ((unsigned char)*line & 0xc0) != 0x80;
		line++;
		if (width == 0)
			width = n;
		ck_assert_uint_eq(n, width);
	}
	rig_close(&r);
}
END_TEST

/* A strict reader of JSON: returns behind the value, or NULL. */
static const char *value(const char *at);

static const char *string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < 0x20)
			return NULL;
		if (*at != '\\')
			continue;
		at++;
		if (*at == 'u') {
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)at[i]))
					return NULL;
			at += 4;
		} else if (!strchr("\"\\/bfnrt", *at)) {
			return NULL;
		}
	}
	return at + 1;
}

static const char *members(const char *at, char end)
{
	bool object = end == '}';

	if (*at == end)
		return at + 1;
	for (;;) {
		if (object) {
			at = string(at);
			if (!at || *at++ != ':')
				return NULL;
		}
		at = value(at);
		if (!at)
			return NULL;
		if (*at == end)
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

static const char *value(const char *at)
{
	if (*at == '{')
		return members(at + 1, '}');
	if (*at == '[')
		return members(at + 1, ']');
	if (*at == '"')
		return string(at);
	if (*at == '0')
		return at + 1;
	if (!isdigit((unsigned char)*at))
		return NULL;
	while (isdigit((unsigned char)*at))
		at++;
	return at;
}

START_TEST(json_is_strict)
{
	rig r;
	static paper p;
	char url[256];

	memset(&p, 0, sizeof p);
	rig_open(&r, LB_ROUND_ROBIN, 0, NULL, NULL);
	memset(url, 0xff, 255);
	url[255] = '\0';
	ck_ok(lb_stats_json(r.pool, put, &p));
	ck_assert_str_eq(value(p.text), "\n");
	for (int i = 0; i < 8; i++)
		ck_ok(lb_pool_add(r.pool, hostile[i], url, 1, &r.e[i]));
	memset(&p, 0, sizeof p);
	ck_ok(lb_stats_json(r.pool, put, &p));
	const char *end = value(p.text);
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end, "\n");
	ck_assert_ptr_nonnull(strstr(p.text, "\"name\":\"quote\\\"back\\\\slash\""));
	rig_close(&r);
}
END_TEST

START_TEST(a_writer_that_fails_ends_the_call)
{
	rig r;
	static paper p;

	rig_open(&r, LB_ROUND_ROBIN, 8, NULL, NULL);
	for (int nth = 1; nth <= 10; nth++) {
		memset(&p, 0, sizeof p);
		p.refuse = nth;
		ck_assert_int_eq(lb_stats_text(r.pool, put, &p), LB_EHOOK);
		ck_assert_int_eq(p.pieces, nth);
	}
	memset(&p, 0, sizeof p);
	p.refuse = 2;
	ck_assert_int_eq(lb_stats_json(r.pool, put, &p), LB_EHOOK);
	ck_assert_int_eq(p.pieces, 2);
	rig_close(&r);
}
END_TEST

START_TEST(numbers_and_spans_are_made_for_reading)
{
	static const struct {
		lb_span span;
		const char *text;
	} rows[] = {{0, "0ns"},
		    {999, "999ns"},
		    {1000, "1.0us"},
		    {12345678, "12.3ms"},
		    {1500000000, "1.5s"},
		    {UINT64_C(90000000000), "1.5min"},
		    {UINT64_C(9000000000000), "2.5h"},
		    {UINT64_MAX, "5124095.5h"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		lb_line_buffer line = {0};
		lb_put_span(&line, rows[i].span);
		ck_assert_uint_eq(line.length, strlen(rows[i].text));
		ck_assert_int_eq(memcmp(line.text, rows[i].text, line.length), 0);
	}
	lb_line_buffer line = {0};
	for (int i = 0; i < 3000; i++)
		lb_put_fixed(&line, 1205, 2);
	ck_assert_uint_eq(line.length, LB_LINE_BYTES);
	ck_assert_int_eq(memcmp(line.text, "12.0512.05", 10), 0);
	lb_pad_left(&line, 0, LB_LINE_BYTES + 100);
	lb_pad_right(&line, 0, LB_LINE_BYTES + 100 > LB_LINE_BYTES ? 10 : 0);
	ck_assert_uint_eq(line.length, LB_LINE_BYTES);
}
END_TEST

Suite *suite_stats(void)
{
	Suite *suite = suite_create("stats");
	TCase *tests = tcase_create("stats");

	tcase_add_test(tests, every_field_and_the_reset);
	tcase_add_test(tests, answers_without_an_endpoint_and_retries);
	tcase_add_test(tests, refusals_never_fall_below_zero);
	tcase_add_test(tests, peak_and_measured_latency);
	tcase_add_test(tests, figures_of_the_removed_stay_in_the_total);
	tcase_add_test(tests, recent_requests_newest_first_over_lanes);
	tcase_add_test(tests, hostile_names_cannot_break_a_line);
	tcase_add_test(tests, json_is_strict);
	tcase_add_test(tests, a_writer_that_fails_ends_the_call);
	tcase_add_test(tests, numbers_and_spans_are_made_for_reading);
	suite_add_tcase(suite, tests);
	return suite;
}
