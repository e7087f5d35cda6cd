/* The health checker against a scripted transport: no sockets, no waiting. */
#include "ops/health.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 6000 };

typedef struct clinic {
	rig r;
	lb_health *health;
	lb_health_config config;
	int started, cancelled, fail_start, inside; /* inside: answer within probe_start */
	lb_probe probes[KEPT];
	lb_endpoint endpoints[KEPT];
	lb_time at[KEPT];
} clinic;

static int start(void *user, const lb_probe_request *request, void **mine)
{
	clinic *c = user;

	if (c->fail_start > 0 && --c->fail_start == 0)
		return -1;
	if (c->started < KEPT) {
		c->probes[c->started] = request->probe;
		c->endpoints[c->started] = request->endpoint;
		c->at[c->started] = c->r.w.now;
	}
	c->started++;
	*mine = c;
	if (c->r.w.now < UINT64_MAX / 2)
		ck_assert_uint_eq(request->deadline, c->r.w.now + c->config.timeout);
	if (c->inside)
		ck_ok(lb_health_done(c->health, request->probe, LB_SUCCESS, LB_UNKNOWN, 1));
	return 0;
}

static void cancel(void *user, lb_probe probe, void *mine)
{
	clinic *c = user;

	(void)probe;
	ck_assert_ptr_eq(mine, c);
	c->cancelled++;
}

static void open_clinic(clinic *c, int n)
{
	lb_transport transport;

	lb_transport_init(&transport, sizeof transport);
	transport.user = c;
	transport.probe_start = start;
	transport.probe_cancel = cancel;
	rig_open(&c->r, LB_ROUND_ROBIN, n, NULL, NULL);
	ck_ok(lb_health_create(&c->health, c->r.pool, &c->config, &transport));
}

static clinic *prepare(void)
{
	clinic *c = calloc(1, sizeof *c);

	lb_health_config_init(&c->config, sizeof c->config);
	c->config.jitter_percent = 0;
	return c;
}

static void close_clinic(clinic *c)
{
	ck_ok(lb_health_destroy(c->health));
	rig_close(&c->r);
	free(c);
}

/* Lets time pass until the next probe starts; returns its number. */
static int next_probe(clinic *c)
{
	int before = c->started;

	for (int i = 0; i < 100 && c->started == before; i++) {
		lb_time next = lb_health_tick(c->health);
		ck_assert_uint_ge(next, c->r.w.now);
		ck_assert(next - c->r.w.now <= LB_SECONDS);
		if (c->started == before)
			c->r.w.now = next;
	}
	ck_assert_int_gt(c->started, before);
	return c->started - 1;
}

static void check_with(clinic *c, lb_result result, lb_health_status says, lb_span latency)
{
	ck_ok(lb_health_done(c->health, c->probes[next_probe(c)], result, says, latency));
}

START_TEST(thresholds_are_thresholds)
{
	/* S passed, F failed, D says degraded; the letters behind the bar are the states after each */
	static const char *const rows[] = {
	    "FFFSS|hhuuh",   "FFSFFF|hhhhhu", "FFFSFSS|hhuuuuh",     "DS|dh",
	    "DFFFSD|ddduud", "FFFDD|hhuud",   "FFFSFFFSS|hhuuuuuuh",
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		clinic *c = prepare();
		open_clinic(c, 1);
		const char *states = strchr(rows[i], '|') + 1;
		for (const char *at = rows[i]; *at != '|'; at++, states++) {
			check_with(c, *at == 'F' ? LB_FAILURE : LB_SUCCESS,
				   *at == 'D' ? LB_DEGRADED : LB_UNKNOWN, 1);
			lb_health_status wanted = *states == 'h'   ? LB_HEALTHY
						  : *states == 'u' ? LB_UNHEALTHY
								   : LB_DEGRADED;
			ck_assert_msg(rig_info(&c->r, 0).health == wanted, "%s at %td", rows[i],
				      at - rows[i]);
		}
		close_clinic(c);
	}
}
END_TEST

START_TEST(counts_last_check_and_summary)
{
	clinic *c = prepare();
	lb_health_counts counts;

	open_clinic(c, 3);
	for (int i = 0; i < 3; i++)
		ck_ok(lb_pool_set_health(c->r.pool, c->r.e[i], i ? LB_DEGRADED : LB_UNHEALTHY));
	ck_ok(lb_health_summary(c->health, &counts, sizeof counts));
	ck_assert(counts.unhealthy == 1 && counts.degraded == 2 && counts.healthy == 0 && counts.total == 3);
	int probe = next_probe(c);
	ck_ok(lb_health_summary(c->health, &counts, sizeof counts));
	ck_assert_uint_eq(counts.probes_in_flight, 1);
	int number = rig_number(&c->r, c->endpoints[probe]);
	uint32_t failures = rig_info(&c->r, number).consecutive_failures;
	c->r.w.now += LB_MILLISECONDS;
	ck_ok(lb_health_done(c->health, c->probes[probe], LB_TIMEOUT, LB_UNKNOWN, 0));
	ck_assert_uint_eq(rig_info(&c->r, number).consecutive_failures, failures + 1);
	ck_assert_uint_eq(rig_info(&c->r, number).last_check, c->r.w.now);
	close_clinic(c);
}
END_TEST

START_TEST(degraded_by_latency_measured_and_told)
{
	clinic *c = prepare();

	c->config.degraded_latency = 100 * LB_MILLISECONDS;
	open_clinic(c, 1);
	check_with(c, LB_SUCCESS, LB_UNKNOWN, 101 * LB_MILLISECONDS);
	ck_assert_int_eq(rig_info(&c->r, 0).health, LB_DEGRADED);
	check_with(c, LB_SUCCESS, LB_UNKNOWN, 100 * LB_MILLISECONDS);
	ck_assert_int_eq(rig_info(&c->r, 0).health, LB_HEALTHY);
	int probe = next_probe(c);
	c->r.w.now += 150 * LB_MILLISECONDS;
	ck_ok(lb_health_done(c->health, c->probes[probe], LB_SUCCESS, LB_UNKNOWN, 0));
	ck_assert_int_eq(rig_info(&c->r, 0).health, LB_DEGRADED);
	/* a word says more than a measure */
	check_with(c, LB_SUCCESS, LB_UNHEALTHY, 1);
	ck_assert_uint_eq(rig_info(&c->r, 0).consecutive_failures, 1);
	close_clinic(c);
}
END_TEST

START_TEST(timeouts_fail_and_cancel)
{
	clinic *c = prepare();

	open_clinic(c, 1);
	for (uint32_t i = 1; i <= 3; i++) {
		int probe = next_probe(c);
		c->r.w.now += 2 * LB_SECONDS - 1;
		lb_health_tick(c->health);
		ck_assert_int_eq(c->cancelled, (int)i - 1);
		c->r.w.now += 1;
		lb_health_tick(c->health);
		ck_assert_int_eq(c->cancelled, (int)i);
		ck_assert_uint_eq(rig_info(&c->r, 0).consecutive_failures, i);
		ck_assert_int_eq(lb_health_done(c->health, c->probes[probe], LB_SUCCESS, LB_UNKNOWN, 1),
				 LB_ESTALE);
	}
	ck_assert_int_eq(rig_info(&c->r, 0).health, LB_UNHEALTHY);
	ck_assert_uint_eq(rig_info(&c->r, 0).consecutive_failures, 3);
	close_clinic(c);
}
END_TEST

START_TEST(late_repeated_and_wrong_answers)
{
	clinic *c = prepare();

	open_clinic(c, 2);
	int probe = next_probe(c);
	ck_ok(lb_health_done(c->health, c->probes[probe], LB_SUCCESS, LB_UNKNOWN, 1));
	ck_assert_int_eq(lb_health_done(c->health, c->probes[probe], LB_FAILURE, LB_UNKNOWN, 1), LB_ESTALE);
	for (int bit = 0; bit < 64; bit++) {
		lb_probe wrong = {c->probes[probe].id ^ UINT64_C(1) << bit};
		ck_assert_int_eq(lb_health_done(c->health, wrong, LB_FAILURE, LB_UNKNOWN, 1), LB_ESTALE);
	}
	ck_assert_int_eq(lb_health_done(c->health, (lb_probe){0}, LB_FAILURE, LB_UNKNOWN, 1), LB_ESTALE);
	ck_assert_int_eq(lb_health_done(c->health, c->probes[probe], (lb_result)9, LB_UNKNOWN, 1), LB_EINVAL);
	ck_assert_int_eq(lb_health_done(c->health, c->probes[probe], LB_FAILURE, (lb_health_status)4, 1),
			 LB_EINVAL);
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(rig_info(&c->r, i).consecutive_failures, 0);
	close_clinic(c);
}
END_TEST

START_TEST(no_check_at_all)
{
	clinic *c = prepare();

	open_clinic(c, 1);
	check_with(c, LB_CANCELLED, LB_UNKNOWN, 1);
	check_with(c, LB_LOCAL, LB_UNHEALTHY, 1);
	ck_assert_uint_eq(rig_info(&c->r, 0).last_check, 0);
	/* tried again after interval_down */
	ck_assert_uint_eq(c->at[1] - c->at[0], LB_SECONDS);
	close_clinic(c);
}
END_TEST

START_TEST(a_probe_that_cannot_start_is_tried_again)
{
	for (int nth = 1; nth <= 4; nth++) {
		clinic *c = prepare();
		open_clinic(c, 1);
		c->fail_start = nth;
		lb_time begun = c->r.w.now;
		for (int i = 0; i < 4; i++)
			check_with(c, LB_SUCCESS, LB_UNKNOWN, 1);
		ck_assert_uint_eq(rig_info(&c->r, 0).consecutive_failures, 0);
		ck_assert_uint_eq(rig_info(&c->r, 0).consecutive_successes, 4);
		ck_assert_uint_le(c->r.w.now - begun, 21 * LB_SECONDS + 1);
		close_clinic(c);
	}
}
END_TEST

START_TEST(answers_inside_of_probe_start)
{
	clinic *c = prepare();

	c->inside = 1;
	open_clinic(c, 4);
	for (int i = 0; i < 12; i++)
		next_probe(c);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_ge(rig_info(&c->r, i).consecutive_successes, 2);
	close_clinic(c);
}
END_TEST

START_TEST(removed_and_added_again_meanwhile)
{
	clinic *c = prepare();
	lb_endpoint again;

	open_clinic(c, 1);
	int probe = next_probe(c);
	ck_ok(lb_pool_remove(c->r.pool, c->r.e[0]));
	ck_ok(lb_pool_add(c->r.pool, "e00", "", 1, &again));
	ck_assert_int_eq(lb_health_done(c->health, c->probes[probe], LB_FAILURE, LB_UNKNOWN, 1), LB_ESTALE);
	c->r.e[0] = again;
	ck_assert_uint_eq(rig_info(&c->r, 0).consecutive_failures, 0);
	probe = next_probe(c);
	ck_ok(lb_pool_remove(c->r.pool, again));
	lb_health_tick(c->health);
	ck_assert_int_eq(c->cancelled, 1);
	ck_assert_int_eq(lb_health_done(c->health, c->probes[probe], LB_FAILURE, LB_UNKNOWN, 1), LB_ESTALE);
	close_clinic(c);
}
END_TEST

START_TEST(destroy_cancels_what_is_in_flight)
{
	clinic *c = prepare();

	open_clinic(c, 3);
	for (int i = 0; i < 3; i++)
		next_probe(c);
	int inflight = 3;
	lb_health_counts counts;
	ck_ok(lb_health_summary(c->health, &counts, sizeof counts));
	inflight = (int)counts.probes_in_flight;
	int before = c->cancelled;
	ck_ok(lb_health_destroy(c->health));
	ck_assert_int_eq(c->cancelled - before, inflight);
	ck_assert_int_gt(inflight, 0);
	rig_close(&c->r);
	free(c);
}
END_TEST

START_TEST(drained_ones_are_probed_and_downed_ones_are_not)
{
	clinic *c = prepare();

	open_clinic(c, 2);
	ck_ok(lb_pool_set_admin(c->r.pool, c->r.e[0], LB_ADMIN_DOWN));
	ck_ok(lb_pool_set_admin(c->r.pool, c->r.e[1], LB_ADMIN_DRAIN));
	for (int i = 0; i < 3; i++) {
		int probe = next_probe(c);
		ck_assert_uint_eq(c->endpoints[probe], c->r.e[1]);
		ck_ok(lb_health_done(c->health, c->probes[probe], LB_SUCCESS, LB_UNKNOWN, 1));
	}
	close_clinic(c);
}
END_TEST

/* 5,000 endpoints: the first probes are spread over the interval, and no more fly at once than allowed. */
START_TEST(five_thousand_do_not_probe_at_once)
{
	clinic *c = prepare();
	lb_pool_config config;
	lb_transport transport;
	lb_env env = world_env(&c->r.w);
	int twentieths[20] = {0};
	enum { N = 5000 };

	c->r.w.now = 77 * LB_SECONDS;
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = N;
	config.tickets_max = 1;
	ck_ok(lb_pool_create(&c->r.pool, &config, &env));
	lb_endpoint_config *list = calloc(N, sizeof *list);
	char(*names)[16] = calloc(N, sizeof *names);
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof names[i], "%d", i);
		lb_endpoint_config_init(&list[i], sizeof list[i]);
		list[i].name = names[i];
	}
	ck_ok(lb_pool_sync(c->r.pool, list, N));
	lb_transport_init(&transport, sizeof transport);
	transport.user = c;
	transport.probe_start = start;
	c->inside = 1;
	ck_ok(lb_health_create(&c->health, c->r.pool, &c->config, &transport));
	lb_time begun = c->r.w.now;
	while (c->r.w.now < begun + 5 * LB_SECONDS) {
		lb_health_tick(c->health);
		c->r.w.now += 5 * LB_MILLISECONDS;
	}
	ck_assert_int_ge(c->started, N - 20);
	for (int i = 0; i < c->started && i < KEPT; i++)
		twentieths[(c->at[i] - begun) / (250 * LB_MILLISECONDS) % 20]++;
	for (int i = 0; i < 20; i++)
		ck_assert_int_lt(twentieths[i], 2 * N / 20);
	/* all due at once (a clock that jumps), nobody answers: 16 fly, the others wait */
	c->inside = 0;
	c->started = 0;
	c->r.w.now += 3600 * LB_SECONDS;
	lb_health_tick(c->health);
	ck_assert_int_eq(c->started, 16);
	lb_health_tick(c->health);
	ck_assert_int_eq(c->started, 16);
	/* and none of those that wait starves */
	ck_ok(lb_health_done(c->health, c->probes[0], LB_SUCCESS, LB_UNKNOWN, 1));
	lb_health_tick(c->health);
	ck_assert_int_eq(c->started, 17);
	for (int i = 0; i < 16; i++)
		ck_assert_uint_ne(c->endpoints[i], c->endpoints[16]);
	free(list);
	free(names);
	ck_ok(lb_health_destroy(c->health));
	ck_ok(lb_pool_destroy(c->r.pool));
	free(c);
}
END_TEST

START_TEST(clocks)
{
	static const lb_time starts[] = {1, UINT64_MAX - 3 * LB_SECONDS, UINT64_MAX / 2};

	for (size_t s = 0; s < 3; s++) {
		clinic *c = prepare();
		open_clinic(c, 2);
		c->r.w.now = starts[s];
		next_probe(c);
		c->r.w.now = 1;
		/* a clock that stepped back to its start: what lay far ahead is due */
		for (int i = 0; i < 4; i++) {
			int before = c->started;
			for (int n = 0; n < 30 && c->started == before; n++) {
				lb_health_tick(c->health);
				c->r.w.now += LB_SECONDS;
			}
			ck_assert_int_gt(c->started, before);
		}
		close_clinic(c);
	}
}
END_TEST

/* Hooks run outside of all locks: each may call whatever it likes. (Inside of one, that call would wait for ever.) */
typedef struct busybody {
	world w; /* first: the hooks of world_env find it here */
	lb_pool *pool;
	lb_health *health;
	lb_probe probe;
	bool inside;
	int randoms, clocks, starts;
} busybody;

static void meddle(busybody *b)
{
	if (b->inside || !b->health)
		return;
	b->inside = true;
	lb_pool_tick(b->pool);
	lb_health_tick(b->health);
	b->inside = false;
}

static uint64_t meddling_random(void *user)
{
	busybody *b = user;

	if (!b->pool)
		return 0; /* a seed */
	b->randoms++;
	ck_assert_uint_eq(lb_get(&b->pool->header->lease.holder), 0);
	meddle(b);
	return UINT64_C(0x123456789abcdef);
}

static lb_time meddling_now(void *user)
{
	busybody *b = user;

	ck_assert(!b->health || lb_get(&b->health->lock.holder) == 0);
	b->clocks++;
	return b->w.now;
}

static int meddling_start(void *user, const lb_probe_request *request, void **mine)
{
	busybody *b = user;

	(void)mine;
	b->probe = request->probe;
	b->starts++;
	meddle(b);
	return 0;
}

START_TEST(hooks_run_outside_of_all_locks)
{
	static busybody b;
	lb_env env = world_env(&b.w);
	lb_pool_config config;
	lb_health_config rules;
	lb_transport transport;
	lb_endpoint e;

	memset(&b, 0, sizeof b);
	b.w.now = 1000 * LB_SECONDS;
	env.now = meddling_now;
	env.random = meddling_random;
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = 4;
	ck_ok(lb_pool_create(&b.pool, &config, &env));
	ck_ok(lb_pool_add(b.pool, "a", "", 1, &e));
	lb_transport_init(&transport, sizeof transport);
	transport.user = &b;
	transport.probe_start = meddling_start;
	lb_health_config_init(&rules, sizeof rules);
	rules.interval = rules.interval_down = LB_SECONDS;
	ck_ok(lb_health_create(&b.health, b.pool, &rules, &transport));
	for (int i = 0; i < 20; i++) {
		lb_health_tick(b.health);
		b.w.now += LB_SECONDS / 2;
		if (i % 3 == 0 && b.starts > 0)
			lb_health_done(b.health, b.probe, i % 2 ? LB_SUCCESS : LB_FAILURE, LB_UNKNOWN, 1);
	}
	ck_assert_int_gt(b.starts, 3);
	ck_assert_int_gt(b.randoms, 3);
	ck_assert_int_gt(b.clocks, 3);
	ck_ok(lb_health_destroy(b.health));
	ck_ok(lb_pool_destroy(b.pool));
	ck_assert_int_eq(b.w.blocks, 0);
}
END_TEST

/* A random hook that always says the same spreads the first probes even so. */
START_TEST(first_probes_are_spread_whatever_the_hook_says)
{
	clinic *c = prepare();
	lb_transport transport;
	lb_pool_config config;
	lb_env env = world_env_random(&c->r.w);

	c->r.w.now = 1000 * LB_SECONDS;
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = 16;
	ck_ok(lb_pool_create(&c->r.pool, &config, &env));
	for (int i = 0; i < 16; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		ck_ok(lb_pool_add(c->r.pool, name, "", 1, &c->r.e[i]));
	}
	lb_transport_init(&transport, sizeof transport);
	transport.user = c;
	transport.probe_start = start;
	ck_ok(lb_health_create(&c->health, c->r.pool, &c->config, &transport));
	for (int i = 0; i < 16; i++)
		next_probe(c);
	ck_assert_uint_gt(c->at[15] - c->at[0], c->config.interval / 2);
	for (int i = 1; i < 16; i++)
		ck_assert_uint_gt(c->at[i], c->at[i - 1]);
	ck_ok(lb_health_destroy(c->health));
	ck_ok(lb_pool_destroy(c->r.pool));
	free(c);
}
END_TEST

START_TEST(bad_input)
{
	clinic *c = prepare();
	lb_transport transport;
	lb_health *second = NULL;
	lb_health_counts counts;

	open_clinic(c, 1);
	lb_transport_init(&transport, sizeof transport);
	ck_assert_int_eq(lb_health_create(&second, c->r.pool, NULL, &transport), LB_EINVAL);
	transport.probe_start = start;
	ck_assert_int_eq(lb_health_create(&second, c->r.pool, NULL, &transport), LB_EEXIST);
	transport.size = 3;
	ck_assert_int_eq(lb_health_create(&second, c->r.pool, NULL, &transport), LB_EVERSION);
	transport.size = sizeof transport;
	lb_health_config bad[9];
	for (int i = 0; i < 9; i++)
		lb_health_config_init(&bad[i], sizeof bad[i]);
	bad[0].interval = 0;
	bad[1].interval_down = 0;
	bad[2].timeout = 0;
	bad[3].rise = 0;
	bad[4].fall = 0;
	bad[5].jitter_percent = 101;
	bad[6].parallel_max = 0;
	bad[7].size = 0;
	bad[8].interval = LB_NEVER;
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(lb_health_create(&second, c->r.pool, &bad[i], &transport),
				 i == 7 ? LB_EVERSION : LB_EINVAL);
	ck_assert_int_eq(lb_health_summary(c->health, &counts, 1), LB_EVERSION);
	ck_assert_int_eq(lb_pool_destroy(c->r.pool), LB_EBUSY);
	close_clinic(c);
}
END_TEST

Suite *suite_health(void)
{
	Suite *suite = suite_create("health");
	TCase *tests = tcase_create("health");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, thresholds_are_thresholds);
	tcase_add_test(tests, counts_last_check_and_summary);
	tcase_add_test(tests, degraded_by_latency_measured_and_told);
	tcase_add_test(tests, timeouts_fail_and_cancel);
	tcase_add_test(tests, late_repeated_and_wrong_answers);
	tcase_add_test(tests, no_check_at_all);
	tcase_add_test(tests, a_probe_that_cannot_start_is_tried_again);
	tcase_add_test(tests, answers_inside_of_probe_start);
	tcase_add_test(tests, removed_and_added_again_meanwhile);
	tcase_add_test(tests, destroy_cancels_what_is_in_flight);
	tcase_add_test(tests, drained_ones_are_probed_and_downed_ones_are_not);
	tcase_add_test(tests, five_thousand_do_not_probe_at_once);
	tcase_add_test(tests, clocks);
	tcase_add_test(tests, hooks_run_outside_of_all_locks);
	tcase_add_test(tests, first_probes_are_spread_whatever_the_hook_says);
	tcase_add_test(tests, bad_input);
	suite_add_tcase(suite, tests);
	return suite;
}
