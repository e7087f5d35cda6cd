/* Failover: traffic moves at once, waits where it must, returns when it may; history and events. */
#include "pool/chain.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
	rig r;
	lb_failover *failover;
} pair;

static void open_pair(pair *p, int n, const lb_failover_config *config, const lb_breaker_config *breaker)
{
	rig_open(&p->r, LB_ROUND_ROBIN, n, NULL, breaker);
	ck_ok(lb_failover_create(&p->failover, p->r.pool, config));
	ck_ok(lb_failover_set_primary(p->failover, p->r.e[0]));
}

static void close_pair(pair *p)
{
	lb_failover_destroy(p->failover);
	rig_close(&p->r);
}

static lb_failover_config config_of(lb_span hold_down, lb_span hold_up, uint32_t successes)
{
	lb_failover_config config;

	lb_failover_config_init(&config, sizeof config);
	config.hold_down = hold_down;
	config.hold_up = hold_up;
	config.successes = successes;
	return config;
}

static int history(const pair *p, lb_failover_event *events, uint32_t n)
{
	return lb_failover_history(p->failover, events, n, sizeof *events);
}

static lb_failover_status status(const pair *p, int primary)
{
	lb_failover_status s;

	ck_ok(lb_failover_get(p->failover, p->r.e[primary], &s, sizeof s));
	return s;
}

static void break_it(pair *p, int way)
{
	lb_pool *pool = p->r.pool;
	lb_endpoint e = p->r.e[0];

	switch (way) {
	case 0:
		ck_ok(lb_pool_set_health(pool, e, LB_UNHEALTHY));
		break;
	case 1:
		ck_ok(lb_pool_set_admin(pool, e, LB_ADMIN_DRAIN));
		break;
	case 2:
		ck_ok(lb_pool_set_admin(pool, e, LB_ADMIN_DOWN));
		break;
	case 3:
		ck_ok(lb_pool_set_weight(pool, e, 0));
		break;
	case 4:
		ck_ok(lb_pool_set_breaker(pool, e, LB_FORCE_OPEN));
		break;
	case 5: /* the breaker opens on the request path: no control call, no tick */
		ck_assert_int_eq(rig_pick(&p->r, LB_FAILURE), 0);
		break;
	default:
		ck_ok(lb_pool_remove(pool, e));
		break;
	}
}

START_TEST(every_way_of_breaking_moves_traffic_at_the_next_select)
{
	for (int way = 0; way < 7; way++) {
		pair p;
		lb_breaker_config breaker;
		lb_failover_event events[4];
		lb_breaker_config_init(&breaker, sizeof breaker);
		breaker.consecutive = 1;
		open_pair(&p, 2, NULL, &breaker);
		ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
		for (int i = 0; i < 10; i++)
			ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 0);
		ck_assert_uint_eq(rig_info(&p.r, 1).why, LB_WHY_STANDBY);
		break_it(&p, way);
		for (int i = 0; i < 10; i++)
			ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
		ck_assert_int_eq(history(&p, events, 4), 1);
		ck_assert_int_eq(events[0].kind, LB_FAILOVER);
		ck_assert(events[0].from == p.r.e[0] && events[0].to == p.r.e[1]);
		ck_assert_uint_ne(events[0].why, 0);
		ck_assert_int_eq(world_count(&p.r.w, LB_EVENT_FAILOVER), 1);
		close_pair(&p);
	}
}
END_TEST

START_TEST(the_backup_takes_the_primarys_turns_among_others)
{
	pair p;
	lb_breaker_config breaker;
	int served[4] = {0};

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 1;
	open_pair(&p, 4, NULL, &breaker);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[3]));
	ck_assert_int_eq(rig_pick(&p.r, LB_FAILURE), 0);
	for (int i = 0; i < 300; i++)
		served[rig_pick(&p.r, LB_SUCCESS)]++;
	ck_assert_int_eq(served[0], 0);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(served[i], 100);
	close_pair(&p);
}
END_TEST

START_TEST(it_returns_after_the_hold_and_the_successes)
{
	pair p;
	lb_failover_config config = config_of(0, 30 * LB_SECONDS, 3);
	lb_failover_event events[4];

	open_pair(&p, 2, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	for (int i = 0; i < 3; i++)
		ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	lb_time recovered = p.r.w.now;
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	ck_assert_uint_eq(status(&p, 0).next, recovered + 30 * LB_SECONDS);
	p.r.w.now += 30 * LB_SECONDS - 1;
	ck_assert_uint_eq(lb_failover_tick(p.failover), p.r.w.now + 1);
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	p.r.w.now += 1;
	lb_failover_tick(p.failover);
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 0);
	ck_assert_int_eq(history(&p, events, 4), 2);
	ck_assert_int_eq(events[0].kind, LB_FAILBACK);
	ck_assert_int_eq(events[1].kind, LB_FAILOVER);
	ck_assert_uint_eq(status(&p, 0).failovers, 1);
	ck_assert_uint_eq(status(&p, 0).failbacks, 1);
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[0]);
	close_pair(&p);
}
END_TEST

START_TEST(the_hold_alone_is_not_enough)
{
	pair p;
	lb_failover_config config = config_of(0, LB_SECONDS, 3);

	open_pair(&p, 2, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	p.r.w.now += 100 * LB_SECONDS;
	lb_pool_tick(p.r.pool);
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 0);
	close_pair(&p);
}
END_TEST

START_TEST(trials_count_for_the_return)
{
	pair p;
	lb_failover_config config = config_of(0, 0, 3);
	lb_breaker_config breaker;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 1;
	breaker.jitter_percent = 0;
	open_pair(&p, 2, &config, &breaker);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	ck_assert_int_eq(rig_pick(&p.r, LB_FAILURE), 0);
	lb_pool_tick(p.r.pool);
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	p.r.w.now += 5 * LB_SECONDS;
	/* the primary gets trials while it stands by */
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 0);
	ck_assert_int_eq(rig_info(&p.r, 0).breaker, LB_BREAKER_CLOSED);
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[0]);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 0);
	close_pair(&p);
}
END_TEST

START_TEST(a_flapping_primary_moves_traffic_once)
{
	pair p;
	lb_failover_config config = config_of(0, 30 * LB_SECONDS, 1);
	lb_failover_event events[64];

	open_pair(&p, 2, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	for (int i = 0; i < 50; i++) {
		ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], i % 2 ? LB_HEALTHY : LB_UNHEALTHY));
		p.r.w.now += 10 * LB_SECONDS;
		lb_pool_tick(p.r.pool);
	}
	ck_assert_int_eq(history(&p, events, 64), 1);
	close_pair(&p);
}
END_TEST

START_TEST(a_blip_shorter_than_hold_down_moves_nothing)
{
	pair p;
	lb_failover_config config = config_of(5 * LB_SECONDS, 0, 0);
	lb_failover_event events[4];

	open_pair(&p, 2, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	for (int i = 0; i < 5; i++) {
		ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
		ck_assert_uint_eq(status(&p, 0).next, p.r.w.now + 5 * LB_SECONDS);
		p.r.w.now += 4 * LB_SECONDS;
		lb_pool_tick(p.r.pool);
		ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	}
	ck_assert_int_eq(history(&p, events, 4), 0);
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	p.r.w.now += 5 * LB_SECONDS;
	lb_failover_tick(p.failover);
	ck_assert_int_eq(history(&p, events, 4), 1);
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	close_pair(&p);
}
END_TEST

START_TEST(chains_move_on_and_do_not_move_needlessly)
{
	pair p;
	lb_failover_config config = config_of(0, 3600 * LB_SECONDS, 1);
	lb_failover_event events[8];

	open_pair(&p, 4, &config, NULL);
	for (int i = 1; i < 4; i++)
		ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[i]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 2);
	/* an earlier backup that comes back changes nothing */
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_HEALTHY));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 2);
	/* removing the active one moves traffic on */
	ck_ok(lb_pool_remove(p.r.pool, p.r.e[2]));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 1);
	/* the primary recovers; before its hold is over the backups die: better it than none */
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[3], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_UNHEALTHY));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 0);
	ck_assert_int_eq(history(&p, events, 8), 3);
	/* a removed primary dissolves its chain: its backups are ordinary endpoints */
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_HEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[3], LB_HEALTHY));
	ck_ok(lb_pool_remove(p.r.pool, p.r.e[0]));
	ck_assert_uint_eq(rig_info(&p.r, 1).why, 0);
	ck_assert_uint_eq(rig_info(&p.r, 3).why, 0);
	close_pair(&p);
}
END_TEST

START_TEST(a_backup_of_two_primaries)
{
	pair p;
	lb_failover_config config = config_of(0, 0, 1);

	open_pair(&p, 3, &config, NULL);
	ck_ok(lb_failover_set_primary(p.failover, p.r.e[1]));
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[2]));
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[1], p.r.e[2]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_UNHEALTHY));
	ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), 2);
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	/* one primary is back, the other still needs it */
	ck_assert_uint_eq(rig_info(&p.r, 2).why, 0);
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_HEALTHY));
	ck_assert_uint_eq(rig_info(&p.r, 2).why, LB_WHY_STANDBY);
	close_pair(&p);
}
END_TEST

START_TEST(by_hand)
{
	pair p;
	lb_failover_config config = config_of(0, 0, 0);
	lb_failover_event events[8];

	config.manual_return = 1;
	open_pair(&p, 3, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	ck_ok(lb_failover_force(p.failover, p.r.e[0], p.r.e[1]));
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[1]);
	ck_assert_int_eq(history(&p, events, 8), 1);
	ck_assert_int_eq(events[0].kind, LB_FORCED);
	/* it stays, whatever happens */
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_UNHEALTHY));
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[1]);
	ck_ok(lb_failover_force(p.failover, p.r.e[0], LB_NO_ENDPOINT));
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[0]);
	/* manual_return: a backup keeps the traffic of a well primary */
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_HEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	p.r.w.now += 3600 * LB_SECONDS;
	lb_pool_tick(p.r.pool);
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[1]);
	ck_ok(lb_failover_force(p.failover, p.r.e[0], p.r.e[0]));
	ck_ok(lb_failover_force(p.failover, p.r.e[0], LB_NO_ENDPOINT));
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[0]);
	close_pair(&p);
}
END_TEST

START_TEST(what_is_refused)
{
	pair p;
	lb_failover *second;
	lb_failover_status s;

	open_pair(&p, 4, NULL, NULL);
	lb_failover *f = p.failover;
	lb_endpoint *e = p.r.e;
	ck_assert_int_eq(lb_failover_create(&second, p.r.pool, NULL), LB_EEXIST);
	ck_assert_int_eq(lb_pool_destroy(p.r.pool), LB_EBUSY);
	ck_ok(lb_failover_set_primary(f, e[0]));
	ck_ok(lb_failover_set_backup(f, e[0], e[1]));
	ck_assert_int_eq(lb_failover_set_backup(f, e[0], e[1]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_set_backup(f, e[0], e[0]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_set_backup(f, e[2], e[3]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_set_primary(f, e[1]), LB_EINVAL);
	ck_ok(lb_failover_set_primary(f, e[2]));
	ck_assert_int_eq(lb_failover_set_backup(f, e[0], e[2]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_set_backup(f, e[0], e[3] ^ 1), LB_ENOENT);
	ck_assert_int_eq(lb_failover_force(f, e[0], e[3]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_force(f, e[3], e[1]), LB_EINVAL);
	ck_assert_int_eq(lb_failover_get(f, e[3], &s, sizeof s), LB_ENOENT);
	ck_assert_int_eq(lb_failover_get(f, e[0], &s, 1), LB_EVERSION);
	close_pair(&p);
}
END_TEST

START_TEST(history_keeps_the_newest)
{
	pair p;
	lb_failover_config config = config_of(0, 0, 0);
	lb_failover_event events[8];

	config.history_max = 3;
	open_pair(&p, 2, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	for (int i = 0; i < 10; i++) {
		p.r.w.now += LB_SECONDS;
		ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], i % 2 ? LB_HEALTHY : LB_UNHEALTHY));
	}
	ck_assert_int_eq(history(&p, events, 8), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(events[i].at, p.r.w.now - (lb_time)i * LB_SECONDS);
	ck_assert_int_eq(events[0].kind, LB_FAILBACK);
	close_pair(&p);
}
END_TEST

START_TEST(limits_of_the_history)
{
	static const uint32_t good[] = {1, 1024}, bad[] = {0, 1025, UINT32_MAX};
	lb_failover_event events[4];
	lb_failover *none;
	pair p;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		lb_failover_config config = config_of(0, 0, 0);
		config.history_max = good[i];
		open_pair(&p, 2, &config, NULL);
		ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
		for (int flip = 0; flip < 1030; flip++)
			ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], flip % 2 ? LB_HEALTHY : LB_UNHEALTHY));
		lb_failover_event *all = calloc(2000, sizeof *all);
		ck_assert_int_eq(history(&p, all, 2000), (int)good[i]);
		free(all);
		close_pair(&p);
	}
	rig_open(&p.r, LB_ROUND_ROBIN, 1, NULL, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		lb_failover_config config = config_of(0, 0, 0);
		config.history_max = bad[i];
		ck_assert_int_eq(lb_failover_create(&none, p.r.pool, &config), LB_EINVAL);
	}
	ck_ok(lb_failover_create(&p.failover, p.r.pool, NULL));
	ck_assert_int_eq(history(&p, events, 4), 0);
	close_pair(&p);
}
END_TEST

START_TEST(a_second_manager_starts_afresh)
{
	pair p;
	lb_failover_config quick = config_of(0, 0, 0), slow = config_of(5 * LB_SECONDS, 0, 0);
	lb_failover_event events[4];
	lb_failover_status s;

	open_pair(&p, 3, &quick, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	ck_assert_int_eq(history(&p, events, 4), 1);
	lb_failover_destroy(p.failover);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(rig_info(&p.r, i).why, i == 0 ? LB_WHY_HEALTH : 0);
	ck_ok(lb_failover_create(&p.failover, p.r.pool, &slow));
	ck_assert_int_eq(history(&p, events, 4), 0);
	ck_assert_int_eq(lb_failover_get(p.failover, p.r.e[0], &s, sizeof s), LB_ENOENT);
	/* other roles than before: nothing is left of the old chain, nor of the old rules */
	ck_ok(lb_failover_set_primary(p.failover, p.r.e[1]));
	ck_assert_uint_eq(status(&p, 1).failovers, 0);
	ck_assert_uint_eq(status(&p, 1).active, p.r.e[1]);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[1], p.r.e[2]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[1], LB_UNHEALTHY));
	ck_assert_uint_eq(status(&p, 1).active, p.r.e[1]);
	p.r.w.now += 5 * LB_SECONDS;
	lb_pool_tick(p.r.pool);
	ck_assert_uint_eq(status(&p, 1).active, p.r.e[2]);
	ck_assert_int_eq(history(&p, events, 4), 1);
	ck_assert(events[0].from == p.r.e[1] && events[0].to == p.r.e[2]);
	close_pair(&p);
}
END_TEST

START_TEST(as_many_chains_as_endpoints_and_1024_at_most)
{
	enum { N = 1030 };
	static const uint32_t most[] = {4, 1024};
	static lb_endpoint e[N];

	for (int i = 0; i < 2; i++) {
		world w = {.now = LB_SECONDS};
		lb_env env = world_env(&w);
		lb_pool_config config;
		lb_pool *pool;
		lb_failover *failover;
		lb_pool_config_init(&config, sizeof config);
		config.endpoints_max = i == 0 ? 4 : N;
		config.tickets_max = 1;
		ck_ok(lb_pool_create(&pool, &config, &env));
		ck_ok(lb_failover_create(&failover, pool, NULL));
		for (uint32_t n = 0; n < config.endpoints_max; n++) {
			char name[16];
			snprintf(name, sizeof name, "%u", (unsigned)n);
			ck_ok(lb_pool_add(pool, name, "", 1, &e[n]));
		}
		for (uint32_t n = 0; n < config.endpoints_max; n++)
			ck_assert_int_eq(lb_failover_set_primary(failover, e[n]),
					 n < most[i] ? LB_OK : LB_ELIMIT);
		/* a dissolved chain makes room */
		ck_ok(lb_pool_remove(pool, e[0]));
		if (i == 1)
			ck_ok(lb_failover_set_primary(failover, e[N - 1]));
		lb_failover_destroy(failover);
		ck_ok(lb_pool_destroy(pool));
		ck_assert_int_eq(w.blocks, 0);
	}
}
END_TEST

START_TEST(clocks)
{
	pair p;
	lb_failover_config config = config_of(5 * LB_SECONDS, 5 * LB_SECONDS, 1);

	open_pair(&p, 2, &config, NULL);
	ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_UNHEALTHY));
	p.r.w.now = 2;
	lb_failover_tick(p.failover);
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[0]);
	p.r.w.now += 5 * LB_SECONDS;
	lb_failover_tick(p.failover);
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[1]);
	ck_ok(lb_pool_set_health(p.r.pool, p.r.e[0], LB_HEALTHY));
	p.r.w.now = UINT64_MAX - 1;
	lb_failover_tick(p.failover);
	ck_assert_uint_eq(status(&p, 0).active, p.r.e[0]);
	close_pair(&p);
}
END_TEST

/* Many threads see the primary break: one of them moves the traffic. */
enum { THREADS = 8 };

static void *fail_it(void *arg)
{
	pair *p = arg;

	for (int i = 0; i < 20; i++) {
		lb_ticket ticket = {0};
		if (lb_select(p->r.selector, NULL, &ticket) == LB_OK)
			lb_report_result(p->r.selector, &ticket,
					 ticket.endpoint == p->r.e[0] ? LB_FAILURE : LB_SUCCESS);
	}
	return NULL;
}

START_TEST(one_switch_and_one_event_under_threads)
{
	for (long round = 0; round < rounds(50); round++) {
		pair p;
		pthread_t threads[THREADS];
		lb_breaker_config breaker;
		lb_failover_event events[8];
		lb_breaker_config_init(&breaker, sizeof breaker);
		breaker.consecutive = 3;
		open_pair(&p, 2, NULL, &breaker);
		ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[1]));
		int before = p.r.w.events_n;
		for (int i = 0; i < THREADS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, fail_it, &p), 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_eq(history(&p, events, 8), 1);
		ck_assert_int_eq(p.r.w.events_n - before, 2);
		ck_assert_uint_eq(rig_info(&p.r, 0).inflight + rig_info(&p.r, 1).inflight, 0);
		close_pair(&p);
	}
}
END_TEST

/* Managers come and go while threads make the breakers trip: what a request finds of a chain is never freed. */
typedef struct street {
	pair p;
	atomic_bool over;
} street;

static void *drive(void *arg)
{
	street *s = arg;

	while (!atomic_load(&s->over)) {
		lb_ticket ticket = {0};
		if (lb_select(s->p.r.selector, NULL, &ticket) == LB_OK)
			lb_report_result(s->p.r.selector, &ticket, LB_FAILURE);
	}
	return NULL;
}

START_TEST(managers_come_and_go_under_traffic)
{
	static street s;
	pthread_t threads[2];
	lb_breaker_config breaker;
	lb_failover_event event;

	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.consecutive = 1;
	breaker.open_for = breaker.open_max = LB_MILLISECONDS;
	rig_open(&s.p.r, LB_ROUND_ROBIN, 3, NULL, &breaker);
	atomic_store(&s.over, false);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, drive, &s), 0);
	for (long round = 0; round < rounds(2000); round++) {
		ck_ok(lb_failover_create(&s.p.failover, s.p.r.pool, NULL));
		ck_ok(lb_failover_set_primary(s.p.failover, s.p.r.e[round % 3]));
		for (int i = 1; i < 3; i++)
			ck_ok(lb_failover_set_backup(s.p.failover, s.p.r.e[round % 3],
						     s.p.r.e[(round + i) % 3]));
		for (int i = 0; i < 3; i++)
			for (int closed = 1; closed >= 0; closed--)
				ck_ok(lb_pool_set_breaker(s.p.r.pool, s.p.r.e[i],
							  closed ? LB_FORCE_CLOSED : LB_FORCE_NONE));
		history(&s.p, &event, 1);
		lb_failover_destroy(s.p.failover);
	}
	atomic_store(&s.over, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(rig_info(&s.p.r, i).why & LB_WHY_STANDBY, 0);
	rig_close(&s.p.r);
}
END_TEST

/*
 * The primary and the first backup break in the same moment, each seen by a thread of its own, on the request path: no call
 * comes after them that could mend it. Traffic must end at the second backup.
 */
typedef struct race {
	pair p;
	atomic_uint arrived; /* at the barrier, of two */
	long rounds;
} race;

/* Both leave it in the same moment, as far as there are two processors: that is what the race needs. */
static void meet(race *s)
{
	unsigned both = (atomic_fetch_add(&s->arrived, 1) / 2 + 1) * 2;

	for (unsigned spins = 1; atomic_load(&s->arrived) < both; spins++)
		if (spins % 4096 == 0)
			sched_yield();
}

/* What lb_pool_turned does for a circuit that opened. */
static void break_member(race *s, int number, long delay)
{
	lb_pool *pool = s->p.r.pool;
	uint32_t slot = lb_endpoint_slot(s->p.r.e[number]);

	for (volatile long i = 0; i < delay; i = i + 1)
		;
	lb_gates_set(&pool->slots[slot], LB_WHY_BREAKER, true);
	lb_chains_follow(pool, slot, 1000 * LB_SECONDS);
}

static void *break_the_backup(void *arg)
{
	race *s = arg;

	for (long round = 0; round < s->rounds; round++) {
		meet(s);
		break_member(s, 1, round % 29);
		meet(s);
	}
	return NULL;
}

START_TEST(two_members_break_at_once)
{
	static race s;
	pthread_t thread;

	s.rounds = rounds(20000);
	open_pair(&s.p, 3, NULL, NULL);
	lb_pool *pool = s.p.r.pool;
	for (int i = 1; i < 3; i++)
		ck_ok(lb_failover_set_backup(s.p.failover, s.p.r.e[0], s.p.r.e[i]));
	lb_chain *chain = lb_chain_of(pool, lb_endpoint_slot(s.p.r.e[0]));
	ck_assert_int_eq(pthread_create(&thread, NULL, break_the_backup, &s), 0);
	for (long round = 0; round < s.rounds; round++) {
		meet(&s);
		break_member(&s, 0, round % 17);
		meet(&s);
		ck_assert_uint_eq(lb_standby_place(lb_standby_word(&chain->standby)), 2);
		for (int i = 0; i < 3; i++)
			ck_assert_uint_eq(rig_info(&s.p.r, i).why,
					  i == 2 ? 0 : LB_WHY_BREAKER | LB_WHY_STANDBY);
		for (int i = 0; i < 2; i++)
			lb_gates_set(&pool->slots[lb_endpoint_slot(s.p.r.e[i])], LB_WHY_BREAKER, false);
		ck_assert(lb_chain_switch(pool, chain, lb_standby_word(&chain->standby), 0, LB_FAILBACK, 1));
	}
	pthread_join(thread, NULL);
	close_pair(&s.p);
}
END_TEST

/* Who switched and then sleeps, or died, before it came to the gates: the next tick, or the next switch, makes up for it. */
START_TEST(a_switcher_that_sleeps_before_the_gates)
{
	for (int way = 0; way < 2; way++) {
		pair p;
		lb_breaker_config breaker;
		lb_breaker_config_init(&breaker, sizeof breaker);
		breaker.consecutive = 1;
		open_pair(&p, 3, NULL, &breaker);
		for (int i = 1; i < 3; i++)
			ck_ok(lb_failover_set_backup(p.failover, p.r.e[0], p.r.e[i]));
		lb_chain *chain = lb_chain_of(p.r.pool, lb_endpoint_slot(p.r.e[0]));
		ck_assert(lb_standby_switch(&chain->standby, lb_standby_word(&chain->standby), 1, false));
		ck_assert_uint_eq(rig_info(&p.r, 0).why, 0);
		ck_assert_uint_eq(rig_info(&p.r, 1).why, LB_WHY_STANDBY);
		if (way == 0)
			lb_failover_tick(p.failover);
		else /* on the request path */
			ck_assert(lb_chain_switch(p.r.pool, chain, lb_standby_word(&chain->standby), 2,
						  LB_FAILOVER, p.r.w.now));
		int active = way == 0 ? 1 : 2;
		for (int i = 0; i < 3; i++)
			ck_assert_uint_eq(rig_info(&p.r, i).why, i == active ? 0 : LB_WHY_STANDBY);
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(rig_pick(&p.r, LB_SUCCESS), active);
		close_pair(&p);
	}
}
END_TEST

Suite *suite_failover(void)
{
	Suite *suite = suite_create("failover");
	TCase *tests = tcase_create("failover");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, every_way_of_breaking_moves_traffic_at_the_next_select);
	tcase_add_test(tests, the_backup_takes_the_primarys_turns_among_others);
	tcase_add_test(tests, it_returns_after_the_hold_and_the_successes);
	tcase_add_test(tests, the_hold_alone_is_not_enough);
	tcase_add_test(tests, trials_count_for_the_return);
	tcase_add_test(tests, a_flapping_primary_moves_traffic_once);
	tcase_add_test(tests, a_blip_shorter_than_hold_down_moves_nothing);
	tcase_add_test(tests, chains_move_on_and_do_not_move_needlessly);
	tcase_add_test(tests, a_backup_of_two_primaries);
	tcase_add_test(tests, by_hand);
	tcase_add_test(tests, what_is_refused);
	tcase_add_test(tests, history_keeps_the_newest);
	tcase_add_test(tests, limits_of_the_history);
	tcase_add_test(tests, a_second_manager_starts_afresh);
	tcase_add_test(tests, as_many_chains_as_endpoints_and_1024_at_most);
	tcase_add_test(tests, clocks);
	tcase_add_test(tests, one_switch_and_one_event_under_threads);
	tcase_add_test(tests, managers_come_and_go_under_traffic);
	tcase_add_test(tests, two_members_break_at_once);
	tcase_add_test(tests, a_switcher_that_sleeps_before_the_gates);
	suite_add_tcase(suite, tests);
	return suite;
}
