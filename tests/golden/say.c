/* What goes into a run's digest. Ids and addresses do not: they differ from pool to pool. */
#include "golden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool shown;

void must(int answer, const char *what)
{
	if (answer == LB_OK)
		return;
	fprintf(stderr, "golden: %s: %s\n", what, lb_strerror(answer));
	exit(2);
}

/* FNV-1a */
static void feed(run *r, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		r->digest = (r->digest ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

void say_number(run *r, const char *what, uint64_t value)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
	feed(r, bytes, sizeof bytes);
	if (shown)
		printf("%" PRIu64 " %s %" PRIu64 "\n", r->now, what, value);
}

void say_answer(run *r, const char *what, int answer)
{
	say_number(r, what, (uint64_t)(answer + 1000));
}

void say_text(run *r, const char *what, const char *text)
{
	feed(r, text, strlen(text) + 1);
	if (shown)
		printf("%" PRIu64 " %s %s\n", r->now, what, text);
}

static int say_piece(void *user, const char *text, size_t length)
{
	feed(user, text, length);
	if (shown)
		fwrite(text, 1, length, stdout);
	return 0;
}

void say_endpoint(run *r, const char *what, lb_endpoint endpoint)
{
	lb_endpoint_info info;
	bool known = lb_pool_info(r->pool, endpoint, &info, sizeof info) == LB_OK;

	say_text(r, what, known ? info.name : "-");
}

void on_event(void *user, const lb_event *event)
{
	run *r = user;

	say_text(r, "event", event->name);
	say_number(r, "kind", (uint64_t)event->kind);
	say_number(r, "from", event->from);
	say_number(r, "to", event->to);
	say_number(r, "at", event->at);
	say_number(r, "sequence", event->sequence);
	say_endpoint(r, "other", event->other);
}

void say_statistics(run *r)
{
	lb_request_record records[RECENT];

	must(lb_stats_text(r->pool, say_piece, r), "text");
	must(lb_stats_json(r->pool, say_piece, r), "json");
	int n = lb_stats_recent(r->pool, records, RECENT, sizeof *records);
	say_answer(r, "recent", n);
	for (int i = 0; i < n; i++) {
		say_endpoint(r, "record", records[i].endpoint);
		say_number(r, "at", records[i].at);
		say_number(r, "latency", records[i].latency);
		say_number(r, "result", (uint64_t)records[i].result);
		say_number(r, "attempt", records[i].attempt);
	}
}
