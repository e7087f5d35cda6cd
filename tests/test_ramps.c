/* Slow start of a pool's endpoints: when it begins, what weight they have meanwhile, and how it ends. */
#include "fleet.h"
#include "script.h"

#include <math.h>

static const lb_span window = 60 * LB_SECONDS;

/* With slow start over a minute. */
static void draw(fleet_plan *plan, lb_algorithm algorithm)
{
	fleet_draw(plan, algorithm);
	plan->ramp.window = window;
	plan->pool.ramp = &plan->ramp;
}

static uint32_t weight_now(const fleet *f, int number)
{
	return fleet_info(f, number).weight_now;
}

/* The first request ends the first start. */
static void start(fleet *f)
{
	ck_assert_int_ge(fleet_pick(f, NULL, LB_SUCCESS), 0);
}

static const uint32_t thousands[8] = {1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000};

/* So many of weight 1000, and the first start is over. */
static void open_started(fleet *f, const fleet_plan *plan, int n)
{
	fleet_open(f, plan, n, thousands);
	start(f);
}

/* Then s2 comes. */
static void open_with_newcomer(fleet *f, const fleet_plan *plan, uint32_t weight)
{
	open_started(f, plan, 2);
	fleet_add(f, 2, weight);
}

/* ---- what weight ---- */

START_TEST(a_new_ones_weight_grows_as_envoys_does)
{
	static const struct {
		uint32_t curve, min;
	} rows[] = {{100, 10}, {200, 10}, {50, 10}, {100, 1}, {1000, 1}, {33, 5}, {100, 100}};

	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		fleet f;
		fleet_plan plan;
		draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
		plan.ramp.curve_percent = rows[row].curve;
		plan.ramp.min_percent = rows[row].min;
		open_with_newcomer(&f, &plan, 1000000);
		for (int t = 0; t < 60; t++) {
			double part = pow((t > 0 ? t : 0.001) / 60.0, 100.0 / rows[row].curve);
			double factor = fmax(rows[row].min / 100.0, part);
			ck_assert_double_eq_tol(weight_now(&f, 2), 1e6 * factor, 2);
			ck_assert_uint_eq(weight_now(&f, 0), 1000);
			fleet_wait(&f, LB_SECONDS);
		}
		ck_assert_uint_eq(weight_now(&f, 2), 1000000);
		fleet_close(&f);
	}
}
END_TEST

/* Envoy's documentation and its unit test: t = 12, 20, 6 of 60 s with aggression 2, 6 of 10 s. */
START_TEST(published_factors_are_the_shares_of_weighted_round_robin)
{
	static const struct {
		lb_span window, t;
		uint32_t curve, hundredths;
	} rows[] = {
	    {60, 12, 100, 20}, {60, 20, 100, 33}, {60, 6, 200, 32}, {10, 6, 100, 60}, {60, 0, 100, 10}};

	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		fleet f;
		fleet_plan plan;
		uint32_t served[3] = {0}, all = 200 + rows[row].hundredths;
		draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
		plan.ramp.window = rows[row].window * LB_SECONDS;
		plan.ramp.curve_percent = rows[row].curve;
		fleet_open(&f, &plan, 2, NULL);
		start(&f);
		fleet_add(&f, 2, 1);
		fleet_wait(&f, rows[row].t * LB_SECONDS);
		for (uint32_t i = 0; i < all; i++)
			served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
		ck_assert_uint_eq(served[0], 100);
		ck_assert_uint_eq(served[1], 100);
		ck_assert_uint_eq(served[2], rows[row].hundredths);
		/* a weight of 1 is not seen to be less */
		ck_assert_uint_eq(weight_now(&f, 2), 1);
		fleet_close(&f);
	}
}
END_TEST

/* Each of the three places of the alias table, in steps whose middles lie off every border. */
START_TEST(draws_by_weight_reckon_with_it_exactly)
{
	enum { STEPS = 1000 };
	script s;
	lb_env env = script_env(&s);
	fleet f;
	fleet_plan plan;
	int served[3] = {0};

	draw(&plan, LB_RANDOM);
	plan.ramp.min_percent = 25;
	fleet_open_in(&f, &plan, 2, (uint32_t[]){2, 3}, &env);
	start(&f);
	fleet_add(&f, 2, 12);
	for (uint64_t i = 0; i < 3 * STEPS; i++) {
		uint64_t number = script_bits(i % 3, 3) << 32 | script_bits(2 * (i / 3) + 1, 2 * STEPS);
		script_play(&s, &number, 1);
		served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
	}
	/* 2 : 3 : 12 / 4 */
	ck_assert_int_eq(served[0], 2 * 3 * STEPS / 8);
	ck_assert_int_eq(served[1], 3 * 3 * STEPS / 8);
	ck_assert_int_eq(served[2], 3 * 3 * STEPS / 8);
	fleet_close(&f);
}
END_TEST

START_TEST(two_choices_reckon_with_it)
{
	fleet f;
	fleet_plan plan;
	long served[3] = {0}, picks = rounds(60000);

	draw(&plan, LB_TWO_CHOICES);
	open_with_newcomer(&f, &plan, 1000);
	fleet_wait(&f, window / 5);
	for (long i = 0; i < picks; i++)
		served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
	/* 1000 : 1000 : 200 with nothing in flight, within six standard deviations */
	double due = (double)picks / 11;
	ck_assert_double_le(fabs((double)served[2] - due), 6 * sqrt(due * 10 / 11));
	fleet_close(&f);
}
END_TEST

START_TEST(least_connections_compare_loads_by_it)
{
	fleet f;
	fleet_plan plan;
	lb_ticket tickets[22] = {{0}};
	int held[3] = {0};

	draw(&plan, LB_LEAST_CONNECTIONS);
	open_with_newcomer(&f, &plan, 1000);
	for (int i = 0; i < 22; i++)
		held[fleet_select(&f, NULL, &tickets[i])]++;
	/* a tenth of the weight: the 21st or 22nd is the first that it may have */
	ck_assert_int_le(held[2], 2);
	ck_assert_int_ge(held[2], 1);
	fleet_close(&f);
}
END_TEST

START_TEST(another_weight_set_meanwhile_grows_likewise)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	open_with_newcomer(&f, &plan, 1000);
	fleet_wait(&f, window / 4);
	ck_assert_uint_eq(weight_now(&f, 2), 250);
	ck_ok(lb_pool_set_weight(f.pool, f.e[2], 4000));
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	ck_ok(lb_pool_set_weight(f.pool, f.e[0], 77));
	ck_assert_uint_eq(weight_now(&f, 0), 77);
	fleet_wait(&f, window / 4);
	ck_assert_uint_eq(weight_now(&f, 2), 2000);
	fleet_close(&f);
}
END_TEST

/* ---- when it begins ---- */

static void away_by_health(fleet *f)
{
	ck_ok(lb_pool_set_health(f->pool, f->e[2], LB_UNHEALTHY));
}

static void back_by_health(fleet *f)
{
	ck_ok(lb_pool_set_health(f->pool, f->e[2], LB_HEALTHY));
}

static void come_back(fleet *f)
{
	away_by_health(f);
	back_by_health(f);
}

static void away_by_drain(fleet *f)
{
	ck_ok(lb_pool_set_admin(f->pool, f->e[2], LB_ADMIN_DRAIN));
}

static void away_by_down(fleet *f)
{
	ck_ok(lb_pool_set_admin(f->pool, f->e[2], LB_ADMIN_DOWN));
}

static void back_by_admin(fleet *f)
{
	ck_ok(lb_pool_set_admin(f->pool, f->e[2], LB_ADMIN_UP));
}

static void away_by_weight(fleet *f)
{
	ck_ok(lb_pool_set_weight(f->pool, f->e[2], 0));
}

static void back_by_weight(fleet *f)
{
	ck_ok(lb_pool_set_weight(f->pool, f->e[2], 1000));
}

static void away_by_breaker(fleet *f)
{
	ck_assert_int_eq(fleet_pick(f, &(lb_request){.prefer = f->e[2]}, LB_FAILURE), 2);
	ck_assert_int_eq(fleet_info(f, 2).why, LB_WHY_BREAKER);
}

static void away_by_breaker_seen(fleet *f)
{
	away_by_breaker(f);
	lb_pool_tick(f->pool);
}

static void back_by_trial(fleet *f)
{
	lb_ticket ticket = {0};

	f->w.now += LB_SECONDS;
	ck_assert_int_eq(fleet_select(f, NULL, &ticket), 2);
	ck_assert_uint_eq(ticket.reason, LB_BY_TRIAL);
	ck_ok(lb_report_result(f->selector, &ticket, LB_SUCCESS));
	lb_pool_tick(f->pool);
}

static void away_by_force(fleet *f)
{
	ck_ok(lb_pool_set_breaker(f->pool, f->e[2], LB_FORCE_OPEN));
}

static void back_by_force(fleet *f)
{
	ck_ok(lb_pool_set_breaker(f->pool, f->e[2], LB_FORCE_NONE));
}

static void away_by_removal(fleet *f)
{
	ck_ok(lb_pool_remove(f->pool, f->e[2]));
}

static void back_by_addition(fleet *f)
{
	fleet_add(f, 2, 1000);
}

static const struct {
	void (*away)(fleet *f);
	void (*back)(fleet *f);
} absences[] = {
    {away_by_health, back_by_health}, {away_by_drain, back_by_admin},
    {away_by_down, back_by_admin},    {away_by_weight, back_by_weight},
    {away_by_breaker, back_by_trial}, {away_by_breaker_seen, back_by_trial},
    {away_by_force, back_by_force},   {away_by_removal, back_by_addition},
};

enum { ABSENCES = sizeof absences / sizeof *absences };

START_TEST(it_begins_after_any_absence)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.pool.breaker = &plan.breaker;
	open_started(&f, &plan, 3);
	absences[_i].away(&f);
	fleet_wait(&f, LB_SECONDS / 2);
	absences[_i].back(&f);
	ck_assert_uint_eq(fleet_info(&f, 2).why, 0);
	ck_assert_uint_eq(weight_now(&f, 2), 100);
	ck_assert_uint_eq(weight_now(&f, 0), 1000);
	fleet_wait(&f, window / 2);
	ck_assert_uint_eq(weight_now(&f, 2), 500);
	/* and anew, from the beginning */
	absences[_i].away(&f);
	fleet_wait(&f, LB_SECONDS / 2);
	absences[_i].back(&f);
	ck_assert_uint_eq(weight_now(&f, 2), 100);
	fleet_wait(&f, window);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	fleet_close(&f);
}
END_TEST

/* An absence that lasts less than the time to the next tick, when nobody looked. */
START_TEST(it_begins_when_nobody_saw_the_breaker_open)
{
	fleet f;
	fleet_plan plan;
	uint32_t served[3] = {0};

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.pool.breaker = &plan.breaker;
	open_started(&f, &plan, 3);
	away_by_breaker(&f);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	back_by_trial(&f);
	for (int i = 0; i < 210; i++)
		served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
	ck_assert_uint_eq(served[0], 100);
	ck_assert_uint_eq(served[2], 10);
	/* it was told once: no further ramp begins later */
	fleet_wait(&f, window / 2);
	ck_assert_uint_eq(weight_now(&f, 2), 500);
	fleet_wait(&f, window / 2);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	fleet_wait(&f, LB_SECONDS);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	fleet_close(&f);
}
END_TEST

START_TEST(what_is_no_absence_begins_none)
{
	fleet f;
	fleet_plan plan;
	lb_endpoint_config config;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.pool.breaker = &plan.breaker;
	open_started(&f, &plan, 3);
	ck_ok(lb_pool_set_health(f.pool, f.e[2], LB_DEGRADED));
	ck_ok(lb_pool_set_health(f.pool, f.e[2], LB_UNKNOWN));
	ck_ok(lb_pool_set_health(f.pool, f.e[2], LB_HEALTHY));
	ck_ok(lb_pool_set_admin(f.pool, f.e[2], LB_ADMIN_UP));
	ck_ok(lb_pool_set_breaker(f.pool, f.e[2], LB_FORCE_CLOSED));
	ck_ok(lb_pool_set_breaker(f.pool, f.e[2], LB_FORCE_METRICS_ONLY));
	ck_ok(lb_pool_set_breaker(f.pool, f.e[2], LB_FORCE_NONE));
	ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[2]}, LB_CANCELLED), 2);
	lb_endpoint_info info = fleet_info(&f, 2);
	ck_ok(lb_endpoint_config_from(&config, sizeof config, &info));
	config.priority = 3;
	config.inflight_max = 9;
	ck_ok(lb_pool_update(f.pool, f.e[2], &config));
	config.priority = 0;
	ck_ok(lb_pool_update(f.pool, f.e[2], &config));
	fleet_wait(&f, LB_SECONDS);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(weight_now(&f, i), 1000);
	fleet_close(&f);
}
END_TEST

START_TEST(a_backup_that_takes_over_and_a_primary_that_returns)
{
	fleet f;
	fleet_plan plan;
	lb_failover *failover;
	lb_failover_config config;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	fleet_open(&f, &plan, 3, thousands);
	lb_failover_config_init(&config, sizeof config);
	config.hold_down = 0;
	config.hold_up = 0;
	config.successes = 0;
	ck_ok(lb_failover_create(&failover, f.pool, &config));
	ck_ok(lb_failover_set_primary(failover, f.e[1]));
	ck_ok(lb_failover_set_backup(failover, f.e[1], f.e[2]));
	start(&f);
	ck_assert_uint_eq(fleet_info(&f, 2).why, LB_WHY_STANDBY);
	ck_ok(lb_pool_set_health(f.pool, f.e[1], LB_UNHEALTHY));
	ck_assert_uint_eq(fleet_info(&f, 2).why, 0);
	ck_assert_uint_eq(weight_now(&f, 2), 100);
	fleet_wait(&f, window);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	ck_ok(lb_pool_set_health(f.pool, f.e[1], LB_HEALTHY));
	lb_failover_tick(failover);
	ck_assert_uint_eq(fleet_info(&f, 1).why, 0);
	ck_assert_uint_eq(weight_now(&f, 1), 100);
	ck_assert_uint_eq(weight_now(&f, 0), 1000);
	lb_failover_destroy(failover);
	fleet_close(&f);
}
END_TEST

/* ---- never at a pool's first start ---- */

START_TEST(a_pool_that_fills_up_starts_whole)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	fleet_open(&f, &plan, 0, NULL);
	fleet_wait(&f, 100 * LB_SECONDS);
	for (int i = 0; i < 5; i++) {
		fleet_add(&f, i, 1000);
		fleet_wait(&f, i < 4 ? LB_SECONDS / 5 : LB_SECONDS / 5 - 1);
	}
	/* 1 s - 1 ns after the first */
	fleet_add(&f, 5, 1000);
	for (int i = 0; i < 6; i++)
		ck_assert_uint_eq(weight_now(&f, i), 1000);
	/* an absence before the start is over is none either */
	ck_ok(lb_pool_set_health(f.pool, f.e[0], LB_UNHEALTHY));
	ck_ok(lb_pool_set_health(f.pool, f.e[0], LB_HEALTHY));
	ck_assert_uint_eq(weight_now(&f, 0), 1000);
	f.w.now += 1;
	fleet_add(&f, 6, 1000);
	ck_assert_uint_eq(weight_now(&f, 6), 100);
	fleet_close(&f);
}
END_TEST

START_TEST(the_first_request_ends_the_start)
{
	fleet f;
	fleet_plan plan;
	uint32_t lane;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	fleet_open(&f, &plan, 2, thousands);
	fleet_add(&f, 2, 1000);
	ck_ok(lb_pool_join(f.pool, 7, &lane));
	ck_assert_int_ge(fleet_pick(&f, &(lb_request){.lane = lane}, LB_SUCCESS), 0);
	fleet_add(&f, 3, 1000);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(weight_now(&f, i), i < 3 ? 1000 : 100);
	fleet_close(&f);
}
END_TEST

/* Checks are what finds a fleet: those who pass the first check within a second start whole. */
START_TEST(checked_endpoints_start_whole_too)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.pool.initial_health = LB_UNHEALTHY;
	fleet_open(&f, &plan, 3, thousands);
	fleet_wait(&f, 5 * LB_SECONDS);
	ck_ok(lb_pool_set_health(f.pool, f.e[0], LB_HEALTHY));
	fleet_wait(&f, LB_SECONDS / 2);
	ck_ok(lb_pool_set_health(f.pool, f.e[1], LB_HEALTHY));
	ck_assert_uint_eq(weight_now(&f, 0), 1000);
	ck_assert_uint_eq(weight_now(&f, 1), 1000);
	fleet_wait(&f, LB_SECONDS / 2);
	ck_ok(lb_pool_set_health(f.pool, f.e[2], LB_HEALTHY));
	ck_assert_uint_eq(weight_now(&f, 2), 100);
	fleet_close(&f);
}
END_TEST

/* ---- how it ends ---- */

START_TEST(successes_end_it_sooner_and_failures_do_not)
{
	fleet f;
	fleet_plan plan;
	uint32_t lane;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.ramp.successes = 10;
	fleet_open(&f, &plan, 3, thousands);
	ck_ok(lb_pool_join(f.pool, 7, &lane));
	for (int i = 0; i < 50; i++)
		fleet_pick(&f, &(lb_request){.prefer = f.e[2]}, LB_SUCCESS);
	come_back(&f);
	lb_request own = {.prefer = f.e[2]}, other = {.prefer = f.e[2], .lane = lane};
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(fleet_pick(&f, &own, LB_SUCCESS), 2);
		ck_assert_int_eq(fleet_pick(&f, &other, LB_SUCCESS), 2);
		ck_assert_int_eq(fleet_pick(&f, &own, LB_FAILURE), 2);
		ck_assert_int_eq(fleet_pick(&f, &other, LB_CANCELLED), 2);
	}
	lb_pool_tick(f.pool);
	ck_assert_uint_eq(weight_now(&f, 2), 600);
	/* time counts, too, if it is further on */
	fleet_wait(&f, window * 7 / 10);
	ck_assert_uint_eq(weight_now(&f, 2), 700);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(fleet_pick(&f, &own, LB_SUCCESS), 2);
	lb_pool_tick(f.pool);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	/* the next absence: nothing is proven */
	come_back(&f);
	ck_assert_uint_eq(weight_now(&f, 2), 100);
	fleet_close(&f);
}
END_TEST

START_TEST(reset_statistics_take_no_successes_away)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.ramp.successes = 10;
	open_with_newcomer(&f, &plan, 1000);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[2]}, LB_SUCCESS), 2);
	ck_ok(lb_stats_reset(f.pool));
	lb_pool_tick(f.pool);
	ck_assert_uint_eq(weight_now(&f, 2), 500);
	fleet_close(&f);
}
END_TEST

/* Whole again means: the very sequence of a pool without slow start, from some turn on. */
START_TEST(when_it_is_over_the_sequence_is_nginxs_again)
{
	static const uint32_t weights[3] = {5, 1, 3};
	char expected[32] = "", got[16] = "";
	fleet f, plain;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	fleet_open(&f, &plan, 3, weights);
	plan.pool.ramp = NULL;
	fleet_open(&plain, &plan, 3, weights);
	start(&f);
	come_back(&f);
	for (int i = 0; i < 137; i++) {
		start(&f);
		fleet_wait(&f, window / 137);
	}
	fleet_wait(&f, 1000);
	for (int i = 0; i < 18; i++)
		expected[i] = (char)('a' + fleet_pick(&plain, NULL, LB_SUCCESS));
	for (int i = 0; i < 9; i++)
		got[i] = (char)('a' + fleet_pick(&f, NULL, LB_SUCCESS));
	if (!strstr(expected, got))
		ck_abort_msg("%s is no part of %s", got, expected);
	fleet_close(&f);
	fleet_close(&plain);
}
END_TEST

START_TEST(ticks_come_often_enough_while_it_runs)
{
	static const lb_span windows[] = {50 * LB_MILLISECONDS, LB_SECONDS, 30 * LB_SECONDS,
					  UINT64_C(7200) * LB_SECONDS};

	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
		fleet f;
		fleet_plan plan;
		int ticks = 0;
		draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
		plan.ramp.window = windows[i];
		open_started(&f, &plan, 2);
		ck_assert_uint_eq(lb_pool_tick(f.pool), f.w.now + LB_SECONDS);
		fleet_add(&f, 2, 1000000);
		lb_time begun = f.w.now;
		lb_span step = windows[i] / 100 > LB_SECONDS ? LB_SECONDS : windows[i] / 100;
		if (step < 10 * LB_MILLISECONDS)
			step = 10 * LB_MILLISECONDS;
		for (uint32_t last = 0; weight_now(&f, 2) < 1000000; ticks++) {
			uint32_t weight = weight_now(&f, 2);
			lb_time next = lb_pool_tick(f.pool);
			if (next <= f.w.now || next > f.w.now + step || weight < last)
				ck_abort_msg("tick %d of window %zu", ticks, i);
			last = weight;
			f.w.now = next;
			lb_pool_tick(f.pool);
		}
		ck_assert(f.w.now >= begun + windows[i] && f.w.now <= begun + windows[i] + step);
		ck_assert_int_ge(ticks, 5);
		ck_assert_uint_eq(lb_pool_tick(f.pool), f.w.now + LB_SECONDS);
		fleet_close(&f);
	}
}
END_TEST

/* A window of a millisecond or less is none: so long has always passed, as in Envoy. */
START_TEST(the_shortest_windows_and_the_longest)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.ramp.window = LB_MICROSECONDS;
	open_with_newcomer(&f, &plan, 1000);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	fleet_close(&f);
	plan.ramp.window = UINT64_C(86400) * LB_SECONDS;
	open_with_newcomer(&f, &plan, 1000);
	fleet_wait(&f, plan.ramp.window / 2);
	ck_assert_uint_eq(weight_now(&f, 2), 500);
	fleet_close(&f);
}
END_TEST

START_TEST(a_clock_that_steps_or_jumps_neither_stops_nor_revives_it)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	open_with_newcomer(&f, &plan, 1000);
	fleet_wait(&f, window / 2);
	ck_assert_uint_eq(weight_now(&f, 2), 500);
	/* back behind the beginning: its time begins anew */
	f.w.now -= 900 * LB_SECONDS;
	lb_pool_tick(f.pool);
	ck_assert_uint_eq(weight_now(&f, 2), 100);
	fleet_wait(&f, window / 2);
	ck_assert_uint_eq(weight_now(&f, 2), 500);
	/* far ahead: it is over, and stays over when the clock is put right */
	f.w.now += UINT64_C(1000000) * LB_SECONDS;
	lb_pool_tick(f.pool);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	f.w.now -= UINT64_C(1000000) * LB_SECONDS;
	lb_pool_tick(f.pool);
	ck_assert_uint_eq(weight_now(&f, 2), 1000);
	/* the pool's start is over, whatever the clock says */
	f.w.now = 5;
	fleet_add(&f, 3, 1000);
	ck_assert_uint_eq(weight_now(&f, 3), 100);
	fleet_close(&f);
}
END_TEST

/* The next owner of a slot begins with nothing of the last one's. */
START_TEST(a_slot_that_changes_hands_begins_anew)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	plan.pool.endpoints_max = 8; /* one slot to spare */
	plan.ramp.successes = 10;
	open_started(&f, &plan, 7);
	for (int round = 0; round < 5; round++) {
		fleet_add(&f, 7, 1000);
		ck_assert_uint_eq(weight_now(&f, 7), 100);
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[7]}, LB_SUCCESS), 7);
		lb_pool_tick(f.pool);
		ck_assert_uint_eq(weight_now(&f, 7), 400);
		ck_ok(lb_pool_remove(f.pool, f.e[7]));
		fleet_wait(&f, 200 * LB_MILLISECONDS);
		/* added unfit for service: no ramp runs, and none that was left */
		ck_ok(lb_pool_add(f.pool, "sick", NULL, 1000, &f.e[8]));
		ck_ok(lb_pool_set_health(f.pool, f.e[8], LB_UNHEALTHY));
		ck_ok(lb_pool_remove(f.pool, f.e[8]));
		fleet_wait(&f, 200 * LB_MILLISECONDS);
	}
	fleet_close(&f);
}
END_TEST

START_TEST(all_who_ramp_together_share_as_ever)
{
	fleet f;
	fleet_plan plan;
	char got[16] = "";

	draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
	fleet_open(&f, &plan, 1, NULL);
	start(&f);
	ck_ok(lb_pool_sync(f.pool, NULL, 0));
	fleet_wait(&f, LB_SECONDS);
	for (int i = 1; i <= 3; i++)
		fleet_add(&f, i, i == 1 ? 5 : 1);
	for (int i = 0; i < 7; i++)
		got[i] = (char)('a' + fleet_pick(&f, NULL, LB_SUCCESS) - 1);
	/* nginx's sequence for 5, 1, 1, from some turn on */
	if (!strstr("aabacaaaabacaa", got))
		ck_abort_msg("%s", got);
	fleet_close(&f);
}
END_TEST

/* ---- keys ---- */

enum { KEYS = 2000, KEYED = 4 };

static const lb_algorithm keyed[KEYED] = {LB_RING_HASH, LB_MAGLEV, LB_MAP_HASH, LB_RENDEZVOUS};

static uint64_t key_of(const fleet *f, int i)
{
	return lb_selector_hash(f->selector, &i, sizeof i);
}

/* The first three choices of each key, as a request's retries find them. */
static void choices_of(fleet *f, int choices[KEYS][3])
{
	for (int i = 0; i < KEYS; i++) {
		lb_ticket ticket = {0};
		/* a ticket that is selected with again was a failure; it must not look like one to the next key */
		for (int n = 0; n < 3; n++)
			choices[i][n] = fleet_select_key(f, key_of(f, i), &ticket);
		if (lb_report_result(f->selector, &ticket, LB_SUCCESS) != LB_OK)
			ck_abort_msg("no report");
	}
}

/* Endpoint 2's keys: those that it has are served by it, the others by their next choice. Returns how many it has. */
static int look_at_keys(fleet *f, int choices[KEYS][3], bool has[KEYS])
{
	int own = 0;

	for (int i = 0; i < KEYS; i++) {
		int got = fleet_pick_key(f, key_of(f, i));
		if (choices[i][0] != 2 && got != choices[i][0])
			ck_abort_msg("key %d moved from %d to %d", i, choices[i][0], got);
		if (choices[i][0] != 2)
			continue;
		if (got != 2 && (has[i] || got != choices[i][1]))
			ck_abort_msg("key %d went to %d, not to %d", i, got, has[i] ? 2 : choices[i][1]);
		has[i] = got == 2;
		own += has[i];
	}
	return own;
}

START_TEST(its_keys_come_back_one_by_one_and_stay)
{
	static int choices[KEYS][3];
	bool has[KEYS] = {false};
	fleet f;
	fleet_plan plan;
	int all = 0;

	draw(&plan, keyed[_i]);
	fleet_open(&f, &plan, 6, NULL);
	choices_of(&f, choices);
	for (int i = 0; i < KEYS; i++)
		all += choices[i][0] == 2;
	ck_assert_int_gt(all, KEYS / 10);
	away_by_health(&f);
	fleet_wait(&f, LB_SECONDS);
	back_by_health(&f);
	for (int t = 0; t <= 60; t += 3) {
		double share = t < 6 ? 0.1 : t / 60.0;
		int own = look_at_keys(&f, choices, has);
		/* six standard deviations */
		ck_assert_double_le(fabs(own - all * share), 6 * sqrt(all * share * (1 - share)));
		fleet_wait(&f, 3 * LB_SECONDS);
	}
	ck_assert_int_eq(look_at_keys(&f, choices, has), all);
	fleet_close(&f);
}
END_TEST

START_TEST(a_retry_does_not_come_back_to_a_key_it_lacks)
{
	static int choices[KEYS][3];
	fleet f;
	fleet_plan plan;
	int lacked = 0;

	draw(&plan, keyed[_i]);
	fleet_open(&f, &plan, 6, NULL);
	choices_of(&f, choices);
	come_back(&f);
	for (int i = 0; i < KEYS; i++) {
		lb_ticket ticket = {0};
		int first = fleet_select_key(&f, key_of(&f, i), &ticket);
		if (choices[i][0] == 2 && first != 2) {
			lacked++;
			int second = fleet_select_key(&f, key_of(&f, i), &ticket);
			if (first != choices[i][1] || second != choices[i][2])
				ck_abort_msg("key %d: %d, %d, not %d, %d", i, first, second, choices[i][1],
					     choices[i][2]);
		}
		if (lb_report_result(f.selector, &ticket, LB_SUCCESS) != LB_OK)
			ck_abort_msg("no report");
	}
	ck_assert_int_gt(lacked, KEYS / 20);
	fleet_close(&f);
}
END_TEST

/* Nobody is there for the keys that it lacks, so it has them. */
START_TEST(the_last_one_left_has_all_keys)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, keyed[_i]);
	fleet_open(&f, &plan, 3, NULL);
	start(&f);
	come_back(&f);
	ck_ok(lb_pool_set_health(f.pool, f.e[0], LB_UNHEALTHY));
	ck_ok(lb_pool_set_admin(f.pool, f.e[1], LB_ADMIN_DRAIN));
	for (int i = 0; i < 200; i++) {
		int got = fleet_pick_key(&f, key_of(&f, i));
		if (got != 2)
			ck_abort_msg("key %d: %d", i, got);
	}
	fleet_close(&f);
}
END_TEST

/* And their retries may come back to it when all others were tried. */
START_TEST(a_retry_that_tried_all_others_reaches_it)
{
	fleet f;
	fleet_plan plan;

	draw(&plan, keyed[_i]);
	fleet_open(&f, &plan, 3, NULL);
	start(&f);
	come_back(&f);
	for (int i = 0; i < 200; i++) {
		lb_ticket ticket = {0};
		int seen = 0;
		for (int n = 0; n < 3; n++)
			seen |= 1 << fleet_select_key(&f, key_of(&f, i), &ticket);
		ck_assert_int_eq(seen, 7);
		ck_ok(lb_report_result(f.selector, &ticket, LB_SUCCESS));
	}
	fleet_close(&f);
}
END_TEST

/*
 * All of a priority came at the same time, as after a deployment: to have slow start would help nobody. The keys are where
 * they belong, and none of them leaves for a backup priority.
 */
START_TEST(all_who_come_at_once_have_their_keys)
{
	static int choices[KEYS][3];
	fleet f;
	fleet_plan plan;

	draw(&plan, keyed[_i]);
	fleet_open(&f, &plan, 4, NULL);
	choices_of(&f, choices);
	fleet_add_in(&f, 4, 1, 0);
	fleet_wait(&f, window);
	for (int i = 0; i < 4; i++)
		ck_ok(lb_pool_set_health(f.pool, f.e[i], LB_UNHEALTHY));
	for (int i = 0; i < 4; i++)
		ck_ok(lb_pool_set_health(f.pool, f.e[i], LB_HEALTHY));
	ck_assert_uint_eq(lb_pool_tick(f.pool), f.w.now + window / 100);
	for (int i = 0; i < KEYS; i++) {
		int got = fleet_pick_key(&f, key_of(&f, i));
		if (got != choices[i][0])
			ck_abort_msg("key %d: %d, not %d", i, got, choices[i][0]);
	}
	fleet_close(&f);
}
END_TEST

/* Which of its keys an endpoint has does not hang together with where they stand in a table, be it small. */
START_TEST(its_share_is_right_in_a_small_table_too)
{
	fleet f;
	fleet_plan plan;
	long before = 0, after = 0, keys = rounds(40000);

	draw(&plan, LB_MAGLEV);
	plan.selector.table_size = 7;
	fleet_open(&f, &plan, 3, NULL);
	for (long i = 0; i < keys; i++)
		before += fleet_pick_key(&f, (uint64_t)i) == 2;
	come_back(&f);
	fleet_wait(&f, window / 4);
	for (long i = 0; i < keys; i++)
		after += fleet_pick_key(&f, (uint64_t)i) == 2;
	double due = (double)before / 4;
	ck_assert_double_le(fabs((double)after - due), 6 * sqrt(due));
	fleet_close(&f);
}
END_TEST

/* Small numbers are keys, too; and a request without a key has one of its own. */
START_TEST(requests_without_a_key_are_shared_by_weight)
{
	fleet f;
	fleet_plan plan;
	long served = 0, picks = rounds(30000);

	draw(&plan, keyed[_i]);
	fleet_open(&f, &plan, 4, NULL);
	long before = 0;
	for (long i = 0; i < picks; i++)
		before += fleet_pick(&f, NULL, LB_SUCCESS) == 2;
	come_back(&f);
	fleet_wait(&f, window / 2);
	for (long i = 0; i < picks; i++)
		served += fleet_pick(&f, NULL, LB_SUCCESS) == 2;
	double due = (double)before / 2;
	ck_assert_double_le(fabs((double)served - due), 8 * sqrt(due));
	fleet_close(&f);
}
END_TEST

Suite *suite_ramps(void)
{
	Suite *suite = suite_create("ramps");
	TCase *tc = tcase_create("weight");

	tcase_add_test(tc, a_new_ones_weight_grows_as_envoys_does);
	tcase_add_test(tc, published_factors_are_the_shares_of_weighted_round_robin);
	tcase_add_test(tc, draws_by_weight_reckon_with_it_exactly);
	tcase_add_test(tc, two_choices_reckon_with_it);
	tcase_add_test(tc, least_connections_compare_loads_by_it);
	tcase_add_test(tc, another_weight_set_meanwhile_grows_likewise);
	suite_add_tcase(suite, tc);
	tc = tcase_create("beginning");
	tcase_add_loop_test(tc, it_begins_after_any_absence, 0, ABSENCES);
	tcase_add_test(tc, it_begins_when_nobody_saw_the_breaker_open);
	tcase_add_test(tc, what_is_no_absence_begins_none);
	tcase_add_test(tc, a_backup_that_takes_over_and_a_primary_that_returns);
	tcase_add_test(tc, a_pool_that_fills_up_starts_whole);
	tcase_add_test(tc, the_first_request_ends_the_start);
	tcase_add_test(tc, checked_endpoints_start_whole_too);
	suite_add_tcase(suite, tc);
	tc = tcase_create("end");
	tcase_add_test(tc, successes_end_it_sooner_and_failures_do_not);
	tcase_add_test(tc, reset_statistics_take_no_successes_away);
	tcase_add_test(tc, when_it_is_over_the_sequence_is_nginxs_again);
	tcase_add_test(tc, ticks_come_often_enough_while_it_runs);
	tcase_add_test(tc, the_shortest_windows_and_the_longest);
	tcase_add_test(tc, a_clock_that_steps_or_jumps_neither_stops_nor_revives_it);
	tcase_add_test(tc, a_slot_that_changes_hands_begins_anew);
	tcase_add_test(tc, all_who_ramp_together_share_as_ever);
	suite_add_tcase(suite, tc);
	tc = tcase_create("keys");
	tcase_add_loop_test(tc, its_keys_come_back_one_by_one_and_stay, 0, KEYED);
	tcase_add_loop_test(tc, a_retry_does_not_come_back_to_a_key_it_lacks, 0, KEYED);
	tcase_add_loop_test(tc, the_last_one_left_has_all_keys, 0, KEYED);
	tcase_add_loop_test(tc, a_retry_that_tried_all_others_reaches_it, 0, KEYED);
	tcase_add_loop_test(tc, all_who_come_at_once_have_their_keys, 0, KEYED);
	tcase_add_test(tc, its_share_is_right_in_a_small_table_too);
	tcase_add_loop_test(tc, requests_without_a_key_are_shared_by_weight, 0, KEYED);
	suite_add_tcase(suite, tc);
	return suite;
}
