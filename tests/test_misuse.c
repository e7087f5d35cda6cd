/* Bad input: NULL, unknown sizes, stale ids, capacities, names, weights; and every allocation failing once. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

START_TEST(null_everywhere)
{
	rig r;
	lb_selector *selector;
	lb_endpoint e;
	lb_ticket ticket = {0};
	lb_endpoint_info info;
	lb_endpoint_config config;
	lb_pool_stats stats;
	lb_endpoint_stats one;
	lb_request_record record;
	lb_failover *failover;
	lb_failover_event event;
	lb_failover_status status;
	lb_health *health;
	lb_health_counts counts;
	lb_transport transport;
	lb_breaker *breaker;
	lb_permit permit;
	lb_algorithm algorithm;
	uint32_t lane;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	lb_transport_init(&transport, sizeof transport);
	ck_assert_int_eq(lb_pool_create(NULL, NULL, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_destroy(NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add(NULL, "a", "", 1, &e), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add(r.pool, NULL, "", 1, &e), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add_endpoint(NULL, &config, &e), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add_endpoint(r.pool, NULL, &e), LB_EINVAL);
	ck_assert_int_eq(lb_pool_remove(NULL, r.e[0]), LB_EINVAL);
	ck_assert_int_eq(lb_pool_update(NULL, r.e[0], &config), LB_EINVAL);
	ck_assert_int_eq(lb_pool_update(r.pool, r.e[0], NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_sync(NULL, NULL, 0), LB_EINVAL);
	ck_assert_int_eq(lb_pool_sync(r.pool, NULL, 1), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_weight(NULL, r.e[0], 1), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_admin(NULL, r.e[0], LB_ADMIN_UP), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_health(NULL, r.e[0], LB_HEALTHY), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_breaker(NULL, r.e[0], LB_FORCE_NONE), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_breaker(r.pool, r.e[0], LB_FORCE_NONE), LB_EINVAL);
	ck_assert_int_eq(lb_pool_find(NULL, "a", &e), LB_EINVAL);
	ck_assert_int_eq(lb_pool_find(r.pool, NULL, &e), LB_EINVAL);
	ck_assert_int_eq(lb_pool_find(r.pool, "a", NULL), LB_EINVAL);
	ck_assert_uint_eq(lb_pool_next(NULL, LB_NO_ENDPOINT), LB_NO_ENDPOINT);
	ck_assert_int_eq(lb_pool_info(NULL, r.e[0], &info, sizeof info), LB_EINVAL);
	ck_assert_int_eq(lb_pool_info(r.pool, r.e[0], NULL, sizeof info), LB_EINVAL);
	ck_assert_int_eq(lb_endpoint_config_from(NULL, sizeof config, &info), LB_EINVAL);
	ck_assert_int_eq(lb_endpoint_config_from(&config, sizeof config, NULL), LB_EINVAL);
	ck_assert_uint_eq(lb_pool_now(NULL), 0);
	ck_assert_uint_eq(lb_pool_tick(NULL), LB_NEVER);
	ck_assert_int_eq(lb_pool_join(NULL, 1, &lane), LB_EINVAL);
	ck_assert_int_eq(lb_pool_join(r.pool, 1, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_join(r.pool, 0, &lane), LB_EINVAL);
	ck_assert_int_eq(lb_pool_leave(NULL, 1), LB_EINVAL);
	ck_assert_int_eq(lb_pool_leave(r.pool, 99), LB_EINVAL);
	ck_assert_int_eq(lb_selector_create(NULL, r.pool, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_selector_create(&selector, NULL, NULL), LB_EINVAL);
	lb_selector_destroy(NULL);
	ck_assert_int_eq(lb_select(NULL, NULL, &ticket), LB_EINVAL);
	ck_assert_int_eq(lb_select(r.selector, NULL, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_report(NULL, &ticket, &(lb_outcome){0}), LB_EINVAL);
	ck_assert_int_eq(lb_report(r.selector, NULL, &(lb_outcome){0}), LB_EINVAL);
	ck_assert_int_eq(lb_report_result(r.selector, NULL, LB_SUCCESS), LB_EINVAL);
	ck_assert_int_eq(lb_algorithm_find(NULL, &algorithm), LB_EINVAL);
	ck_assert_int_eq(lb_algorithm_find("random", NULL), LB_EINVAL);
	ck_assert_int_eq(lb_stats_pool(NULL, &stats, sizeof stats), LB_EINVAL);
	ck_assert_int_eq(lb_stats_pool(r.pool, NULL, sizeof stats), LB_EINVAL);
	ck_assert_int_eq(lb_stats_endpoint(NULL, r.e[0], &one, sizeof one), LB_EINVAL);
	ck_assert_int_eq(lb_stats_endpoint(r.pool, r.e[0], NULL, sizeof one), LB_EINVAL);
	ck_assert_int_eq(lb_stats_recent(NULL, &record, 1, sizeof record), LB_EINVAL);
	ck_assert_int_eq(lb_stats_recent(r.pool, NULL, 1, sizeof record), LB_EINVAL);
	ck_assert_int_eq(lb_stats_reset(NULL), LB_EINVAL);
	ck_assert_int_eq(lb_stats_text(NULL, NULL, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_stats_text(r.pool, NULL, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_stats_json(r.pool, NULL, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_failover_create(NULL, r.pool, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_failover_create(&failover, NULL, NULL), LB_EINVAL);
	lb_failover_destroy(NULL);
	ck_assert_int_eq(lb_failover_set_primary(NULL, r.e[0]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_set_backup(NULL, r.e[0], r.e[0]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_force(NULL, r.e[0], r.e[0]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_get(NULL, r.e[0], &status, sizeof status), LB_EINVAL);
	ck_assert_int_eq(lb_failover_history(NULL, &event, 1, sizeof event), LB_EINVAL);
	ck_assert_uint_eq(lb_failover_tick(NULL), LB_NEVER);
	ck_assert_int_eq(lb_health_create(NULL, r.pool, NULL, &transport), LB_EINVAL);
	ck_assert_int_eq(lb_health_create(&health, NULL, NULL, &transport), LB_EINVAL);
	ck_assert_int_eq(lb_health_create(&health, r.pool, NULL, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_health_destroy(NULL), LB_EINVAL);
	ck_assert_int_eq(lb_health_done(NULL, (lb_probe){1}, LB_SUCCESS, LB_UNKNOWN, 0), LB_EINVAL);
	ck_assert_uint_eq(lb_health_tick(NULL), LB_NEVER);
	ck_assert_int_eq(lb_health_summary(NULL, &counts, sizeof counts), LB_EINVAL);
	ck_assert_int_eq(lb_breaker_create(NULL, NULL, NULL), LB_EINVAL);
	lb_breaker_destroy(NULL);
	ck_assert_int_eq(lb_breaker_enter(NULL, &permit), LB_EINVAL);
	ck_assert_int_eq(lb_breaker_leave(NULL, (lb_permit){1}, LB_SUCCESS, 0), LB_EINVAL);
	ck_assert_int_eq(lb_breaker_set(NULL, LB_FORCE_NONE), LB_EINVAL);
	ck_assert_int_eq(lb_breaker_get(NULL, NULL), LB_BREAKER_CLOSED);
	ck_ok(lb_breaker_create(&breaker, NULL, NULL));
	lb_breaker_destroy(breaker);
	/* inits survive NULL and sizes of another version */
	lb_env_init(NULL, 8);
	lb_pool_config_init(NULL, 8);
	lb_endpoint_config_init(NULL, 8);
	lb_selector_config_init(NULL, 8);
	lb_health_config_init(NULL, 8);
	lb_failover_config_init(NULL, 8);
	lb_breaker_config_init(NULL, 8);
	lb_transport_init(NULL, 8);
	ck_assert_uint_eq(lb_hash(NULL, 99, 1), lb_hash("", 0, 1));
	rig_close(&r);
}
END_TEST

START_TEST(unknown_sizes)
{
	rig r;
	lb_endpoint_info info;
	lb_pool_stats stats;
	lb_endpoint_stats one;
	lb_request_record record;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	static const size_t offs[] = {0, 1, SIZE_MAX};
	for (size_t i = 0; i < 3; i++) {
		lb_pool *pool;
		lb_selector *selector;
		lb_pool_config pool_config;
		lb_selector_config selection;
		lb_endpoint_config endpoint;
		lb_env env;
		lb_pool_config_init(&pool_config, sizeof pool_config);
		lb_selector_config_init(&selection, sizeof selection);
		lb_endpoint_config_init(&endpoint, sizeof endpoint);
		lb_env_init(&env, sizeof env);
		pool_config.size = selection.size = endpoint.size = env.size = offs[i];
		endpoint.name = "x";
		ck_assert_int_eq(lb_pool_create(&pool, &pool_config, NULL), LB_EVERSION);
		ck_assert_uint_eq(lb_pool_size(&pool_config), 0);
		ck_assert_int_eq(lb_pool_create(&pool, NULL, &env), LB_EVERSION);
		ck_assert_int_eq(lb_selector_create(&selector, r.pool, &selection), LB_EVERSION);
		ck_assert_int_eq(lb_pool_add_endpoint(r.pool, &endpoint, NULL), LB_EVERSION);
		ck_assert_int_eq(lb_pool_update(r.pool, r.e[0], &endpoint), LB_EVERSION);
		ck_assert_int_eq(lb_pool_sync(r.pool, &endpoint, 1), LB_EVERSION);
		ck_assert_int_eq(lb_pool_info(r.pool, r.e[0], &info, offs[i]), LB_EVERSION);
		ck_assert_int_eq(lb_stats_pool(r.pool, &stats, offs[i]), LB_EVERSION);
		ck_assert_int_eq(lb_stats_endpoint(r.pool, r.e[0], &one, offs[i]), LB_EVERSION);
		ck_assert_int_eq(lb_stats_recent(r.pool, &record, 1, offs[i]), LB_EVERSION);
	}
	rig_close(&r);
}
END_TEST

START_TEST(names_urls_and_weights)
{
	rig r;
	char name[65], url[257];

	rig_open(&r, LB_ROUND_ROBIN, 0, NULL, NULL);
	memset(name, 'n', 64);
	name[64] = '\0';
	memset(url, 'u', 256);
	url[256] = '\0';
	ck_assert_int_eq(lb_pool_add(r.pool, name, "", 1, NULL), LB_EINVAL);
	ck_ok(lb_pool_add(r.pool, name + 1, "", 1, NULL));
	ck_assert_int_eq(lb_pool_add(r.pool, "", "", 1, NULL), LB_EINVAL);
	for (char c = 1; c < 32; c++)
		ck_assert_int_eq(lb_pool_add(r.pool, (char[]){'a', c, 0}, "", 1, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add(r.pool, "a\x7f", "", 1, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add(r.pool, "a", url, 1, NULL), LB_EINVAL);
	ck_ok(lb_pool_add(r.pool, "a", url + 1, 0, NULL));
	ck_ok(lb_pool_add(r.pool, "b", NULL, LB_WEIGHT_MAX, NULL));
	ck_assert_int_eq(lb_pool_add(r.pool, "c", NULL, LB_WEIGHT_MAX + 1, NULL), LB_EINVAL);
	ck_assert_int_eq(lb_pool_add(r.pool, "c", NULL, UINT32_MAX, NULL), LB_EINVAL);
	lb_endpoint_config config;
	lb_endpoint_config_init(&config, sizeof config);
	config.name = "d";
	config.priority = LB_PRIORITY_MAX + 1;
	ck_assert_int_eq(lb_pool_add_endpoint(r.pool, &config, NULL), LB_EINVAL);
	lb_pool_stats stats;
	ck_ok(lb_stats_pool(r.pool, &stats, sizeof stats));
	ck_assert_uint_eq(stats.endpoints, 3);
	rig_close(&r);
}
END_TEST

START_TEST(pool_configs)
{
	lb_pool *pool = NULL;
	lb_pool_config bad[24];
	lb_breaker_config breaker;
	int n = 0;
	char longname[65];

	memset(longname, 'x', 64);
	longname[64] = '\0';
	for (int i = 0; i < 24; i++)
		lb_pool_config_init(&bad[i], sizeof bad[i]);
	bad[n++].endpoints_max = 0;
	bad[n++].endpoints_max = LB_ENDPOINTS_MAX + 1;
	bad[n++].tickets_max = 0;
	bad[n++].tickets_max = LB_TICKETS_MAX + 1;
	bad[n++].lanes_max = LB_LANES_MAX + 1;
	bad[n++].selectors_max = 0;
	bad[n++].selectors_max = LB_SELECTORS_MAX + 1;
	bad[n++].recent_max = LB_RECENT_MAX + 1;
	bad[n++].ticket_timeout = 0;
	bad[n++].decay = 0;
	bad[n++].decay = LB_NEVER;
	bad[n++].failure_latency = 0;
	bad[n++].failure_latency = 10 * LB_SECONDS + 1;
	bad[n++].initial_health = (lb_health_status)4;
	bad[n++].panic_percent = 101;
	bad[n++].overprovision_percent = 99;
	bad[n++].name = NULL;
	bad[n++].name = "";
	bad[n++].name = "a\nb";
	bad[n++].name = longname;
	bad[n++].memory.size = 8;
	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.failure_percent = 101;
	bad[n++].breaker = &breaker;
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(lb_pool_create(&pool, &bad[i], NULL), LB_EINVAL);
		ck_assert_uint_eq(lb_pool_size(&bad[i]), 0);
		ck_assert_ptr_null(pool);
	}
}
END_TEST

START_TEST(capacities_at_their_ends)
{
	lb_pool_config config;
	lb_pool *pool;
	lb_selector *selector;
	lb_ticket ticket = {0};

	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = config.tickets_max = config.selectors_max = 1;
	config.lanes_max = config.recent_max = 0;
	config.breaker = NULL;
	ck_ok(lb_pool_create(&pool, &config, NULL));
	ck_ok(lb_selector_create(&selector, pool, NULL));
	lb_selector *second;
	ck_assert_int_eq(lb_selector_create(&second, pool, NULL), LB_ELIMIT);
	ck_ok(lb_pool_add(pool, "a", "", 1, NULL));
	ck_ok(lb_select(selector, NULL, &ticket));
	lb_ticket other = {0};
	ck_assert_int_eq(lb_select(selector, NULL, &other), LB_ELIMIT);
	ck_ok(lb_report_result(selector, &ticket, LB_SUCCESS));
	uint32_t lane;
	ck_assert_int_eq(lb_pool_join(pool, 1, &lane), LB_ELIMIT);
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = LB_ENDPOINTS_MAX;
	config.tickets_max = LB_TICKETS_MAX;
	config.lanes_max = 0;
	config.recent_max = LB_RECENT_MAX;
	ck_ok(lb_pool_create(&pool, &config, NULL));
	ck_ok(lb_selector_create(&selector, pool, NULL));
	ck_ok(lb_pool_add(pool, "a", "", 1, NULL));
	ck_ok(lb_select(selector, NULL, &ticket));
	ck_ok(lb_report_result(selector, &ticket, LB_SUCCESS));
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
	config.tickets_max = LB_TICKETS_MAX;
	config.lanes_max = LB_LANES_MAX;
	config.selectors_max = LB_SELECTORS_MAX;
	ck_assert_uint_gt(lb_pool_size(&config), 0);
}
END_TEST

START_TEST(requests_and_selectors)
{
	rig r;
	lb_ticket ticket = {0};
	lb_selector *selector;
	lb_selector_config config;
	lb_algorithm algorithm;

	rig_open(&r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_assert_int_eq(lb_select(r.selector, &(lb_request){.lane = 1}, &ticket), LB_EINVAL);
	ck_assert_int_eq(lb_select(r.selector, &(lb_request){.lane = 99}, &ticket), LB_EINVAL);
	ck_assert_int_eq(lb_select(r.selector, &(lb_request){.flags = 8}, &ticket), LB_EINVAL);
	ticket.attempts = 9;
	ck_assert_int_eq(lb_select(r.selector, NULL, &ticket), LB_EINVAL);
	ticket.attempts = 0;
	/* a preference for what is not there is no error */
	ck_ok(lb_select(r.selector, &(lb_request){.prefer = 12345}, &ticket));
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = (lb_algorithm)99;
	ck_assert_int_eq(lb_selector_create(&selector, r.pool, &config), LB_EINVAL);
	lb_selector_config_init(&config, sizeof config);
	config.random_start = 2;
	ck_assert_int_eq(lb_selector_create(&selector, r.pool, &config), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_admin(r.pool, r.e[0], (lb_admin)3), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_health(r.pool, r.e[0], (lb_health_status)4), LB_EINVAL);
	ck_assert_int_eq(lb_pool_set_weight(r.pool, r.e[0], LB_WEIGHT_MAX + 1), LB_EINVAL);
	ck_ok(lb_algorithm_find("least_connections", &algorithm));
	ck_assert_int_eq(algorithm, LB_LEAST_CONNECTIONS);
	ck_assert_int_eq(lb_algorithm_find("best", &algorithm), LB_ENOENT);
	ck_assert_ptr_null(lb_algorithm_name((lb_algorithm)-1));
	ck_assert_uint_eq(lb_version(), LB_VERSION);
	for (int e = 0; e >= LB_EHOOK; e--)
		ck_assert_str_ne(lb_strerror(e), "unknown error");
	ck_assert_str_eq(lb_strerror(1), "unknown error");
	ck_assert_str_eq(lb_strerror(-99), "unknown error");
	ck_assert_str_eq(lb_result_name(LB_REFUSED), "refused");
	ck_assert_str_eq(lb_result_name((lb_result)-1), "unknown");
	rig_close(&r);
}
END_TEST

START_TEST(no_id_is_ever_another_endpoints)
{
	rig r;
	lb_endpoint_info info;

	rig_open(&r, LB_ROUND_ROBIN, 3, NULL, NULL);
	for (int bit = 0; bit < 64; bit++)
		for (int i = 0; i < 3; i++) {
			lb_endpoint wrong = r.e[i] ^ UINT64_C(1) << bit;
			int error = lb_pool_info(r.pool, wrong, &info, sizeof info);
			/* the slot's bits lead from one living endpoint to another */
			if (rig_number(&r, wrong) == 99)
				ck_assert_int_eq(error, LB_ENOENT);
		}
	ck_assert_int_eq(lb_pool_info(r.pool, LB_NO_ENDPOINT, &info, sizeof info), LB_ENOENT);
	rig_close(&r);
}
END_TEST

static int no_probe(void *user, const lb_probe_request *request, void **mine)
{
	(void)user;
	(void)request;
	(void)mine;
	return -1;
}

/* One of every handle is made; returns the first error, with all that was made taken down again. */
static int make_all(const lb_env *env)
{
	lb_pool *pool;
	lb_selector *selector = NULL;
	lb_health *health = NULL;
	lb_failover *failover = NULL;
	lb_breaker *breaker = NULL;
	lb_transport transport;

	lb_transport_init(&transport, sizeof transport);
	transport.probe_start = no_probe;
	int error = lb_pool_create(&pool, NULL, env);
	if (error != LB_OK)
		return error;
	error = lb_selector_create(&selector, pool, NULL);
	if (error == LB_OK)
		error = lb_health_create(&health, pool, NULL, &transport);
	if (error == LB_OK)
		error = lb_failover_create(&failover, pool, NULL);
	if (error == LB_OK)
		error = lb_breaker_create(&breaker, NULL, env);
	/* whatever failed, the rest works */
	ck_ok(lb_pool_add(pool, "a", "", 1, NULL));
	if (selector) {
		lb_ticket ticket = {0};
		ck_ok(lb_select(selector, NULL, &ticket));
		ck_ok(lb_report_result(selector, &ticket, LB_SUCCESS));
	}
	lb_breaker_destroy(breaker);
	lb_failover_destroy(failover);
	if (health)
		ck_ok(lb_health_destroy(health));
	lb_selector_destroy(selector);
	ck_ok(lb_pool_destroy(pool));
	return error;
}

START_TEST(the_nth_allocation_fails)
{
	for (int forever = 0; forever < 2; forever++) {
		int error = LB_ENOMEM;
		for (long nth = 1; error != LB_OK; nth++) {
			world w = {.now = 1, .fail_at = forever ? -nth : nth};
			lb_env env = world_env(&w);
			ck_assert_int_lt(nth, 20);
			error = make_all(&env);
			ck_assert(error == LB_OK || error == LB_ENOMEM);
			ck_assert_int_eq(w.blocks, 0);
			ck_assert_int_eq(w.bytes, 0);
		}
	}
}
END_TEST

Suite *suite_misuse(void)
{
	Suite *suite = suite_create("misuse");
	TCase *tests = tcase_create("misuse");

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, null_everywhere);
	tcase_add_test(tests, unknown_sizes);
	tcase_add_test(tests, names_urls_and_weights);
	tcase_add_test(tests, pool_configs);
	tcase_add_test(tests, capacities_at_their_ends);
	tcase_add_test(tests, requests_and_selectors);
	tcase_add_test(tests, no_id_is_ever_another_endpoints);
	tcase_add_test(tests, the_nth_allocation_fails);
	suite_add_tcase(suite, tests);
	return suite;
}
