/* The pool: membership, sync, limits, memory, lanes, events. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(capacity_and_spare_slots)
{
	world w = {.now = LB_SECONDS};
	lb_env env = world_env(&w);
	lb_pool_config config;
	lb_pool *pool;
	lb_selector *selector;
	lb_ticket ticket = {0};
	lb_endpoint a;

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = 2;
	ck_ok(lb_pool_create(&pool, &config, &env));
	ck_ok(lb_selector_create(&selector, pool, NULL));
	ck_ok(lb_pool_add(pool, "a", "", 1, &a));
	ck_ok(lb_select(selector, NULL, &ticket));
	ck_ok(lb_pool_add(pool, "b", "", 1, NULL));
	ck_assert_int_eq(lb_pool_add(pool, "b", "", 1, NULL), LB_EEXIST);
	ck_assert_int_eq(lb_pool_add(pool, "c", "", 1, NULL), LB_ELIMIT);
	/* one spare: a's slot waits for its ticket, c takes the spare one */
	ck_ok(lb_pool_remove(pool, a));
	ck_ok(lb_pool_add(pool, "c", "", 1, &a));
	ck_ok(lb_pool_remove(pool, a));
	ck_assert_int_eq(lb_pool_add(pool, "d", "", 1, NULL), LB_ELIMIT);
	/* a grace later c's slot is free, even without a tick */
	w.now += 100 * LB_MILLISECONDS;
	ck_ok(lb_pool_add(pool, "d", "", 1, NULL));
	ck_ok(lb_report_result(selector, &ticket, LB_SUCCESS));
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
	ck_assert_int_eq(w.blocks, 0);
}
END_TEST

/* A fleet is replaced one by one while requests are open at each of its endpoints. */
START_TEST(a_fleet_is_replaced_one_by_one)
{
	rig r;
	lb_endpoint fleet[8];
	lb_ticket held[8] = {{0}};

	rig_open(&r, LB_ROUND_ROBIN, 8, NULL, NULL);
	memcpy(fleet, r.e, sizeof fleet);
	for (int generation = 0; generation < 20; generation++) {
		for (int i = 0; i < 8; i++) {
			char name[32];
			snprintf(name, sizeof name, "g%d-%d", generation, i);
			ck_ok(lb_select(r.selector, &(lb_request){.prefer = fleet[i]}, &held[i]));
			ck_ok(lb_pool_remove(r.pool, fleet[i]));
			ck_ok(lb_pool_add(r.pool, name, "", 1, &fleet[i]));
			ck_ok(lb_report_result(r.selector, &held[i], LB_SUCCESS));
			r.w.now += 60 * LB_MILLISECONDS;
			lb_pool_tick(r.pool);
		}
	}
	lb_pool_stats stats;
	ck_ok(lb_stats_pool(r.pool, &stats, sizeof stats));
	ck_assert_uint_eq(stats.endpoints, 8);
	ck_assert_uint_eq(stats.total.succeeded, 160);
	rig_close(&r);
}
END_TEST

START_TEST(find_next_info_update)
{
	rig r;
	lb_endpoint found;
	lb_endpoint_config config;

	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, NULL);
	ck_ok(lb_pool_find(r.pool, "e01", &found));
	ck_assert_uint_eq(found, r.e[1]);
	ck_assert_int_eq(lb_pool_find(r.pool, "nobody", &found), LB_ENOENT);
	lb_endpoint_info info = rig_info(&r, 1);
	ck_ok(lb_endpoint_config_from(&config, sizeof config, &info));
	config.tag = 77;
	config.weight = 9;
	config.priority = 3;
	config.zone = 5;
	config.inflight_max = 11;
	ck_ok(lb_pool_update(r.pool, r.e[1], &config));
	info = rig_info(&r, 1);
	ck_assert(info.tag == 77 && info.weight == 9 && info.weight_now == 9 && info.priority == 3 &&
		  info.zone == 5);
	ck_assert_uint_eq(info.inflight_max, 11);
	config.name = "another";
	ck_assert_int_eq(lb_pool_update(r.pool, r.e[1], &config), LB_EINVAL);
	config.name = NULL;
	config.url = "another";
	ck_assert_int_eq(lb_pool_update(r.pool, r.e[1], &config), LB_EINVAL);
	/* iteration goes on behind one that was removed meanwhile */
	lb_endpoint at = lb_pool_next(r.pool, LB_NO_ENDPOINT);
	ck_ok(lb_pool_remove(r.pool, at));
	ck_assert_uint_eq(lb_pool_next(r.pool, at), r.e[1]);
	ck_assert_int_eq(lb_pool_remove(r.pool, at), LB_ENOENT);
	ck_assert_int_eq(lb_pool_set_weight(r.pool, at, 1), LB_ENOENT);
	rig_close(&r);
}
END_TEST

static lb_endpoint_config wanted(const char *name, const char *url, uint32_t weight)
{
	lb_endpoint_config config;

	lb_endpoint_config_init(&config, sizeof config);
	config.name = name;
	config.url = url;
	config.weight = weight;
	return config;
}

START_TEST(sync_adds_removes_updates_and_keeps)
{
	rig r;
	lb_endpoint found;

	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, NULL);
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_UNHEALTHY));
	lb_endpoint_config list[3] = {wanted("e02", "elsewhere", 1), wanted("e01", "url", 4),
				      wanted("new", "", 1)};
	ck_ok(lb_pool_sync(r.pool, list, 3));
	ck_assert_int_eq(lb_pool_find(r.pool, "e00", &found), LB_ENOENT);
	ck_ok(lb_pool_find(r.pool, "e01", &found));
	ck_assert_uint_eq(found, r.e[1]);
	ck_assert_uint_eq(rig_info(&r, 1).weight, 4);
	ck_assert_int_eq(rig_info(&r, 1).health, LB_UNHEALTHY);
	ck_ok(lb_pool_find(r.pool, "e02", &found));
	ck_assert_uint_ne(found, r.e[2]);
	ck_ok(lb_pool_sync(r.pool, NULL, 0));
	ck_assert_uint_eq(lb_pool_next(r.pool, LB_NO_ENDPOINT), LB_NO_ENDPOINT);
	rig_close(&r);
}
END_TEST

START_TEST(sync_is_all_or_nothing)
{
	rig r;
	lb_endpoint found;
	lb_endpoint_config list[17];
	char names[17][16];

	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, NULL);
	list[0] = wanted("x", "", 1);
	list[1] = wanted("x", "", 1);
	ck_assert_int_eq(lb_pool_sync(r.pool, list, 2), LB_EINVAL);
	list[1] = wanted("y", "", LB_WEIGHT_MAX + 1);
	ck_assert_int_eq(lb_pool_sync(r.pool, list, 2), LB_EINVAL);
	list[1].size = 1;
	ck_assert_int_eq(lb_pool_sync(r.pool, list, 2), LB_EVERSION);
	for (int i = 0; i < 17; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		list[i] = wanted(names[i], "", 1);
	}
	ck_assert_int_eq(lb_pool_sync(r.pool, list, 17), LB_ELIMIT);
	/* 18 slots, 3 in use: 16 new ones do not fit before the old ones' slots are free */
	ck_assert_int_eq(lb_pool_sync(r.pool, list, 16), LB_ELIMIT);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(rig_info(&r, i).why, 0);
	ck_assert_int_eq(lb_pool_find(r.pool, "x", &found), LB_ENOENT);
	ck_ok(lb_pool_sync(r.pool, list, 15));
	rig_close(&r);
}
END_TEST

START_TEST(inflight_limit_is_exact_and_full_is_told)
{
	rig r;
	lb_ticket held[4] = {{0}}, ticket = {0};
	lb_endpoint_config config;

	rig_open(&r, LB_LEAST_CONNECTIONS, 2, NULL, NULL);
	lb_endpoint_config_init(&config, sizeof config);
	config.inflight_max = 2;
	ck_ok(lb_pool_update(r.pool, r.e[0], &config));
	config.inflight_max = 1;
	ck_ok(lb_pool_update(r.pool, r.e[1], &config));
	for (int i = 0; i < 3; i++)
		ck_assert_int_ge(rig_select(&r, &held[i]), 0);
	ck_assert_uint_eq(rig_info(&r, 0).inflight, 2);
	ck_assert_uint_eq(rig_info(&r, 0).why, LB_WHY_FULL);
	ck_assert_int_eq(rig_select(&r, &ticket), LB_EFULL);
	ck_ok(lb_report_result(r.selector, &held[0], LB_SUCCESS));
	ck_assert_int_ge(rig_select(&r, &ticket), 0);
	rig_close(&r);
}
END_TEST

START_TEST(admin_drains_and_preference_is_obeyed)
{
	rig r;
	lb_ticket ticket = {0};

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	rig_select(&r, &ticket);
	ck_ok(lb_pool_set_admin(r.pool, r.e[0], LB_ADMIN_DRAIN));
	ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &ticket));
	ck_assert_int_eq(rig_number(&r, ticket.endpoint), 1);
	ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	ck_ok(lb_pool_set_admin(r.pool, r.e[0], LB_ADMIN_UP));
	ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &ticket));
	ck_assert_int_eq(rig_number(&r, ticket.endpoint), 0);
	ck_assert_int_eq(world_count(&r.w, LB_EVENT_ADMIN), 2);
	rig_close(&r);
}
END_TEST

START_TEST(panic_uses_all_when_too_few_are_left)
{
	world w = {.now = LB_SECONDS};
	lb_env env = world_env(&w);
	lb_pool_config config;
	lb_pool *pool;
	lb_selector *selector;
	lb_endpoint e[4];
	int seen = 0;

	lb_pool_config_init(&config, sizeof config);
	config.panic_percent = 50;
	ck_ok(lb_pool_create(&pool, &config, &env));
	ck_ok(lb_selector_create(&selector, pool, NULL));
	for (int i = 0; i < 4; i++)
		ck_ok(lb_pool_add(pool, (char[]){(char)('a' + i), 0}, "", 1, &e[i]));
	for (int i = 0; i < 3; i++)
		ck_ok(lb_pool_set_health(pool, e[i], LB_UNHEALTHY));
	for (int i = 0; i < 200; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(selector, NULL, &ticket));
		ck_assert_uint_eq(ticket.reason, LB_BY_PANIC);
		for (int n = 0; n < 4; n++)
			seen |= (ticket.endpoint == e[n]) << n;
		ck_ok(lb_report_result(selector, &ticket, LB_SUCCESS));
	}
	ck_assert_int_eq(seen, 15);
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
}
END_TEST

START_TEST(callers_memory_of_the_told_size)
{
	lb_pool_config config;
	lb_pool *pool;
	world w = {.now = 1};
	lb_env env = world_env(&w);

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = 100;
	size_t size = lb_pool_size(&config);
	ck_assert_uint_gt(size, 0);
	char *memory = malloc(size + 64);
	for (size_t shift = 0; shift <= 48; shift += 16) {
		config.memory = (lb_memory){memory + shift, size - 1};
		ck_assert_int_eq(lb_pool_create(&pool, &config, &env), LB_ENOMEM);
		config.memory.size = size;
		ck_ok(lb_pool_create(&pool, &config, &env));
		for (int i = 0; i < 100; i++) {
			char name[16];
			snprintf(name, sizeof name, "%d", i);
			ck_ok(lb_pool_add(pool, name, "", 1, NULL));
		}
		ck_ok(lb_pool_destroy(pool));
		ck_assert_int_eq(w.blocks, 0);
	}
	free(memory);
}
END_TEST

START_TEST(nothing_is_allocated_after_creation)
{
	rig r;
	uint32_t lane;

	rig_open(&r, LB_TWO_CHOICES, 4, NULL, NULL);
	long calls = r.w.calls;
	ck_ok(lb_pool_join(r.pool, 3, &lane));
	for (int i = 0; i < 1000; i++) {
		rig_pick(&r, i % 7 ? LB_SUCCESS : LB_FAILURE);
		ck_ok(lb_pool_set_weight(r.pool, r.e[i % 4], 1 + (uint32_t)i % 5));
		r.w.now += LB_MILLISECONDS;
		lb_pool_tick(r.pool);
	}
	ck_assert_int_eq(r.w.calls, calls);
	rig_close(&r);
}
END_TEST

START_TEST(busy_while_something_lives)
{
	rig r;

	rig_open(&r, LB_RANDOM, 1, NULL, NULL);
	ck_assert_int_eq(lb_pool_destroy(r.pool), LB_EBUSY);
	ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
	/* open tickets alone do not hold it */
	lb_ticket ticket = {0};
	rig_select(&r, &ticket);
	rig_close(&r);
}
END_TEST

START_TEST(lanes_run_out_and_come_back)
{
	rig r;
	uint32_t lane[3], more;

	rig_open(&r, LB_RANDOM, 1, NULL, NULL);
	for (uint64_t i = 0; i < 3; i++)
		ck_ok(lb_pool_join(r.pool, i + 1, &lane[i]));
	ck_assert_int_eq(lb_pool_join(r.pool, 4, &more), LB_ELIMIT);
	ck_ok(lb_pool_leave(r.pool, lane[1]));
	ck_ok(lb_pool_join(r.pool, 4, &more));
	ck_assert_uint_eq(more, lane[1]);
	ck_assert_int_eq(lb_pool_leave(r.pool, 0), LB_EINVAL);
	rig_close(&r);
}
END_TEST

START_TEST(lanes_see_each_others_load)
{
	rig r;
	uint32_t lane;
	lb_ticket held[9] = {{0}};

	rig_open(&r, LB_LEAST_CONNECTIONS, 2, NULL, NULL);
	ck_ok(lb_pool_join(r.pool, 5, &lane));
	for (int i = 0; i < 9; i++)
		ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &held[i]));
	r.w.now += LB_MILLISECONDS;
	for (int i = 0; i < 8; i++) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(r.selector, &(lb_request){.lane = lane}, &ticket));
		ck_assert_int_eq(rig_number(&r, ticket.endpoint), 1);
	}
	rig_close(&r);
}
END_TEST

START_TEST(events_in_order)
{
	rig r;
	lb_endpoint_config list[1];

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	ck_ok(lb_pool_set_weight(r.pool, r.e[1], 5));
	ck_ok(lb_pool_set_admin(r.pool, r.e[1], LB_ADMIN_DRAIN));
	ck_ok(lb_pool_set_health(r.pool, r.e[1], LB_DEGRADED));
	static const lb_event_kind kinds[] = {LB_EVENT_ADDED, LB_EVENT_ADDED, LB_EVENT_WEIGHT, LB_EVENT_ADMIN,
					      LB_EVENT_HEALTH};
	ck_assert_int_eq(r.w.events_n, 5);
	for (uint64_t i = 0; i < 5; i++) {
		ck_assert_int_eq(r.w.events[i].kind, kinds[i]);
		ck_assert_uint_eq(r.w.events[i].sequence, i + 1);
	}
	ck_assert_uint_eq(r.w.events[2].from, 1);
	ck_assert_uint_eq(r.w.events[2].to, 5);
	ck_assert_str_eq(r.w.events[4].name, "e01");
	list[0] = wanted("only", "", 1);
	ck_ok(lb_pool_sync(r.pool, list, 1));
	rig_close(&r);
}
END_TEST

START_TEST(one_call_tells_of_every_slot)
{
	enum { N = 2000 };
	world w = {.now = 1};
	lb_env env = world_env(&w);
	lb_pool_config config;
	lb_pool_stats stats;
	lb_pool *pool;

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = N;
	config.tickets_max = 1;
	ck_ok(lb_pool_create(&pool, &config, &env));
	lb_endpoint_config *many = calloc(N, sizeof *many);
	char(*names)[16] = calloc(N, sizeof *names);
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof names[i], "%d", i);
		many[i] = wanted(names[i], "", 1);
	}
	ck_ok(lb_pool_sync(pool, many, N));
	/* the world keeps the first ones: none of them is missing */
	ck_assert_int_eq(w.events_n, EVENTS_KEPT);
	ck_assert_uint_eq(w.events[0].sequence, 1);
	ck_ok(lb_pool_sync(pool, NULL, 0));
	w.events_n = 0;
	lb_pool_tick(pool);
	ck_assert_uint_eq(w.events[0].sequence, N + 1);
	ck_ok(lb_stats_pool(pool, &stats, sizeof stats));
	ck_assert_uint_eq(stats.events_lost, 0);
	free(many);
	free(names);
	ck_ok(lb_pool_destroy(pool));
}
END_TEST

START_TEST(an_overflow_of_events_is_counted_and_seen)
{
	rig r;
	lb_pool_stats stats;
	lb_pool_config config;
	lb_selector *selector;
	lb_pool *pool;
	lb_ticket ticket;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	lb_env env = world_env(&r.w);
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = 1;
	config.tickets_max = 600;
	ck_ok(lb_pool_create(&pool, &config, &env));
	ck_ok(lb_selector_create(&selector, pool, NULL));
	ck_ok(lb_pool_add(pool, "a", "", 1, NULL));
	for (int i = 0; i < 600; i++) {
		ticket = (lb_ticket){0};
		ck_ok(lb_select(selector, NULL, &ticket));
	}
	/* one call that makes more events than the ring holds: 600 forgotten tickets */
	r.w.now += 601 * LB_SECONDS;
	r.w.events_n = 0;
	lb_pool_tick(pool);
	ck_ok(lb_stats_pool(pool, &stats, sizeof stats));
	ck_assert_uint_eq(stats.total.forgotten, 600);
	ck_assert_uint_eq(stats.events_lost, 600 - 512);
	ck_assert_int_eq(r.w.events_n, 512);
	ck_assert_uint_eq(r.w.events[0].sequence, 1 + 600 - 512 + 1);
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
	rig_close(&r);
}
END_TEST

static void call_back(void *user, const lb_event *event)
{
	rig *r = user;
	lb_endpoint_info info;

	/* a hook may call anything but a destroy */
	if (event->kind == LB_EVENT_ADDED)
		ck_ok(lb_pool_set_weight(r->pool, event->endpoint, 2));
	ck_ok(lb_pool_info(r->pool, event->endpoint, &info, sizeof info));
	lb_pool_tick(r->pool);
}

START_TEST(hooks_may_call_back)
{
	rig r = {.w = {0}};
	lb_env env;

	lb_env_init(&env, sizeof env);
	env.user = &r;
	env.event = call_back;
	ck_ok(lb_pool_create(&r.pool, NULL, &env));
	ck_ok(lb_pool_add(r.pool, "a", "", 1, &r.e[0]));
	ck_assert_uint_eq(rig_info(&r, 0).weight, 2);
	ck_ok(lb_pool_destroy(r.pool));
}
END_TEST

START_TEST(clocks_of_all_kinds)
{
	static const lb_time starts[] = {1, 1000 * LB_SECONDS, UINT64_MAX / 2, UINT64_MAX - 5 * LB_SECONDS};
	static const int64_t steps[] = {0, -1, -(int64_t)(3600 * LB_SECONDS), INT64_C(315360000) * 1000000000,
					1000000};

	for (size_t s = 0; s < 4; s++) {
		for (size_t t = 0; t < 5; t++) {
			rig r;
			lb_breaker_config breaker;
			lb_breaker_config_init(&breaker, sizeof breaker);
			rig_open(&r, LB_TWO_CHOICES, 3, NULL, &breaker);
			r.w.now = starts[s];
			for (int i = 0; i < 60; i++) {
				rig_pick(&r, i % 3 == 0 ? LB_FAILURE : LB_SUCCESS);
				lb_time moved = r.w.now + (uint64_t)steps[t];
				/* a clock near its end stands still there; one near 1 does not go below */
				bool wraps = steps[t] > 0 ? moved < r.w.now : moved > r.w.now || moved == 0;
				r.w.now = wraps && steps[t] != 0 ? r.w.now : moved;
				lb_time next = lb_pool_tick(r.pool);
				ck_assert_uint_ge(next, r.w.now);
				ck_assert(next - r.w.now <= LB_SECONDS);
			}
			/* everything is usable again after the longest open time (a minute) on a clock that runs */
			r.w.now = 2000 * LB_SECONDS;
			for (int minute = 0; minute < 5; minute++) {
				for (int i = 0; i < 40; i++)
					rig_pick(&r, LB_SUCCESS);
				r.w.now += 66 * LB_SECONDS;
				lb_pool_tick(r.pool);
			}
			for (int i = 0; i < 3; i++)
				ck_assert_uint_eq(rig_info(&r, i).why, 0);
			for (int i = 0; i < 3; i++)
				ck_assert_uint_eq(rig_info(&r, i).inflight, 0);
			rig_close(&r);
		}
	}
}
END_TEST

Suite *suite_pool(void)
{
	Suite *suite = suite_create("pool");
	TCase *tests = tcase_create("pool");

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, capacity_and_spare_slots);
	tcase_add_test(tests, a_fleet_is_replaced_one_by_one);
	tcase_add_test(tests, find_next_info_update);
	tcase_add_test(tests, sync_adds_removes_updates_and_keeps);
	tcase_add_test(tests, sync_is_all_or_nothing);
	tcase_add_test(tests, inflight_limit_is_exact_and_full_is_told);
	tcase_add_test(tests, admin_drains_and_preference_is_obeyed);
	tcase_add_test(tests, panic_uses_all_when_too_few_are_left);
	tcase_add_test(tests, callers_memory_of_the_told_size);
	tcase_add_test(tests, nothing_is_allocated_after_creation);
	tcase_add_test(tests, busy_while_something_lives);
	tcase_add_test(tests, lanes_run_out_and_come_back);
	tcase_add_test(tests, lanes_see_each_others_load);
	tcase_add_test(tests, events_in_order);
	tcase_add_test(tests, one_call_tells_of_every_slot);
	tcase_add_test(tests, an_overflow_of_events_is_counted_and_seen);
	tcase_add_test(tests, hooks_may_call_back);
	tcase_add_test(tests, clocks_of_all_kinds);
	suite_add_tcase(suite, tests);
	return suite;
}
