/* Hooks that fail or answer nonsense: nothing is lost, nothing is stuck. */
#include "base/random.h"
#include "test.h"

#include <string.h>

typedef struct host {
	world w;
	uint64_t seed;
	lb_pool *pool;
	lb_selector *selector;
	lb_health *health;
	/* the transport */
	int started, answered, refused, probed[8];
	lb_probe last;
} host;

static uint64_t draw(host *h)
{
	return lb_mix64(h->seed++);
}

/* Any time at all: 0, the end of time, forth and back by years. */
static lb_time mad_clock(void *user)
{
	host *h = user;
	uint64_t bits = draw(h);

	switch (bits % 8) {
	case 0:
		return 0;
	case 1:
		return LB_NEVER;
	default:
		return draw(h) >> (bits >> 8) % 64;
	}
}

static void open_host(host *h, lb_time (*now)(void *user), const lb_transport *transport)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	lb_health_config config;
	lb_env env;

	memset(h, 0, sizeof *h);
	h->seed = 7;
	lb_env_init(&env, sizeof env);
	env.user = h;
	env.now = now;
	ck_ok(lb_pool_create(&h->pool, NULL, &env));
	ck_ok(lb_selector_create(&h->selector, h->pool, NULL));
	for (uint64_t i = 0; i < 8; i++) {
		lb_endpoint_config endpoint;
		lb_endpoint_config_init(&endpoint, sizeof endpoint);
		endpoint.name = names[i];
		endpoint.tag = i;
		ck_ok(lb_pool_add_endpoint(h->pool, &endpoint, NULL));
	}
	if (!transport)
		return;
	lb_transport mine = *transport;
	mine.user = h;
	lb_health_config_init(&config, sizeof config);
	config.parallel_max = 3;
	ck_ok(lb_health_create(&h->health, h->pool, &config, &mine));
}

static void close_host(host *h)
{
	if (h->health)
		ck_ok(lb_health_destroy(h->health));
	lb_selector_destroy(h->selector);
	ck_ok(lb_pool_destroy(h->pool));
}

START_TEST(a_clock_that_answers_at_random)
{
	host h;
	lb_ticket open[16];
	uint64_t selected = 0;
	lb_pool_stats stats;

	memset(open, 0, sizeof open);
	open_host(&h, mad_clock, NULL);
	for (long i = 0; i < rounds(40000); i++) {
		lb_ticket *ticket = &open[draw(&h) % 16];
		if (ticket->id != 0) {
			/* the tick may have taken it for forgotten: then it is stale, and settled once all the same */
			lb_report_result(h.selector, ticket, (lb_result)(draw(&h) % 7));
			*ticket = (lb_ticket){0};
		}
		selected += lb_select(h.selector, NULL, ticket) == LB_OK;
		if (i % 50 == 0)
			ck_assert_uint_ne(lb_pool_tick(h.pool), 1);
	}
	for (int i = 0; i < 16; i++)
		lb_report_result(h.selector, &open[i], LB_CANCELLED);
	ck_ok(lb_stats_pool(h.pool, &stats, sizeof stats));
	ck_assert_uint_gt(selected, 1000);
	ck_assert_uint_eq(stats.total.selected, selected);
	ck_assert_uint_eq(stats.tickets_open, 0);
	close_host(&h);
}
END_TEST

static lb_time sane_clock(void *user)
{
	return ((host *)user)->w.now;
}

/* Fails, answers before it returns and fails all the same, answers twice, answers for others, or is silent. */
static int mad_start(void *user, const lb_probe_request *request, void **mine)
{
	host *h = user;
	lb_probe nobodys = {draw(h)};
	int way = (int)(draw(h) % 5);

	*mine = (void *)user;
	h->started++;
	ck_assert_int_eq(lb_health_done(h->health, nobodys, LB_SUCCESS, LB_UNKNOWN, 0), LB_ESTALE);
	if (h->last.id != 0 && lb_health_done(h->health, h->last, LB_SUCCESS, LB_UNKNOWN, 0) == LB_OK)
		h->answered++;
	h->last = request->probe;
	if (way == 0) {
		h->refused++;
		return -1;
	}
	h->probed[request->tag]++;
	if (way > 2)
		return 0;
	ck_ok(lb_health_done(h->health, request->probe, LB_SUCCESS, LB_UNKNOWN, 1));
	ck_assert_int_eq(lb_health_done(h->health, request->probe, LB_FAILURE, LB_UNKNOWN, 1), LB_ESTALE);
	h->answered++;
	return way == 1 ? 7 : 0;
}

static const lb_transport mad_transport = {.size = sizeof(lb_transport), .probe_start = mad_start};

START_TEST(a_transport_that_lies)
{
	host h;
	lb_health_counts counts;

	open_host(&h, sane_clock, &mad_transport);
	h.w.now = LB_SECONDS;
	for (int i = 0; i < 2000; i++) {
		lb_time next = lb_health_tick(h.health);
		ck_assert_uint_gt(next, h.w.now);
		ck_assert_uint_le(next, h.w.now + LB_SECONDS);
		ck_ok(lb_health_summary(h.health, &counts, sizeof counts));
		ck_assert_uint_le(counts.probes_in_flight, 3);
		h.w.now = next;
	}
	ck_assert_int_gt(h.answered, 100);
	ck_assert_int_gt(h.refused, 20);
	for (int i = 0; i < 8; i++)
		ck_assert_int_gt(h.probed[i], 20);
	close_host(&h);
}
END_TEST

/* Everything at once, from inside of an event. */
static void busy_event(void *user, const lb_event *event)
{
	rig *r = user;
	lb_ticket ticket = {0};
	lb_endpoint added;
	char text[1] = "";

	r->w.events_n++;
	if (r->w.events_n > 200)
		return;
	ck_assert_ptr_nonnull(event->name);
	lb_pool_tick(r->pool);
	if (lb_select(r->selector, NULL, &ticket) == LB_OK)
		ck_ok(lb_report_result(r->selector, &ticket, LB_FAILURE));
	if (lb_pool_add(r->pool, "from inside", text, 1, &added) == LB_OK)
		ck_ok(lb_pool_remove(r->pool, added));
	lb_pool_set_health(r->pool, event->endpoint, LB_DEGRADED);
}

START_TEST(an_event_hook_that_does_everything)
{
	rig r = {.w = {0}};
	lb_pool_stats stats;
	lb_env env;

	lb_env_init(&env, sizeof env);
	env.user = &r;
	env.event = busy_event;
	ck_ok(lb_pool_create(&r.pool, NULL, &env));
	ck_ok(lb_selector_create(&r.selector, r.pool, NULL));
	for (char name = 'a'; name < 'f'; name++)
		ck_ok(lb_pool_add(r.pool, (char[]){name, '\0'}, "", 1, NULL));
	for (int i = 0; i < 50; i++) {
		lb_ticket ticket = {0};
		if (lb_select(r.selector, NULL, &ticket) == LB_OK)
			ck_ok(lb_report_result(r.selector, &ticket, LB_TIMEOUT));
	}
	ck_assert_int_gt(r.w.events_n, 10);
	ck_ok(lb_stats_pool(r.pool, &stats, sizeof stats));
	ck_assert_uint_eq(stats.tickets_open, 0);
	ck_assert_uint_eq(stats.events_lost, 0);
	lb_selector_destroy(r.selector);
	ck_ok(lb_pool_destroy(r.pool));
}
END_TEST

Suite *suite_hooks(void)
{
	Suite *suite = suite_create("hooks");
	TCase *tests = tcase_create("hooks");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_clock_that_answers_at_random);
	tcase_add_test(tests, a_transport_that_lies);
	tcase_add_test(tests, an_event_hook_that_does_everything);
	suite_add_tcase(suite, tests);
	return suite;
}
