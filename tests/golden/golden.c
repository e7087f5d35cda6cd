/*
 * Golden picks: plays a fixed script with every algorithm and prints a line for each scene: algorithm, scene, selects, and a
 * 64-bit digest of all that the library said meanwhile (picks, answers, events, statistics). The same seed gives the same lines
 * with every compiler and on every machine; golden.txt holds them. `golden ALGORITHM SCENE` shows what went into one digest.
 */
#include "golden.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CHANGE_STEPS = 97, TICK_STEPS = 61 };

/* The script's own numbers: SplitMix64. */
uint64_t dice(run *r)
{
	uint64_t x = r->dice += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

lb_time clock_now(void *user)
{
	return ((run *)user)->now;
}

static lb_result result_of(run *r, uint64_t tag)
{
	static const lb_result bad[] = {LB_FAILURE, LB_TIMEOUT, LB_REFUSED, LB_OVERLOAD};
	bool ill = r->scene->illness && (tag + r->now / (2 * LB_SECONDS)) % 4 == 0;
	uint64_t drawn = dice(r) % 1000;

	if (drawn < (ill ? 900 : 20))
		return bad[drawn % 4];
	return drawn < 960 ? LB_SUCCESS : drawn < 980 ? LB_CANCELLED : LB_LOCAL;
}

/* Each endpoint has a latency of its own, which goes up and down over four seconds; now and then one is slow. */
static lb_span latency_of(run *r, uint64_t tag)
{
	uint64_t own = (1 + tag * 7 % 13) * LB_MILLISECONDS;
	uint64_t wave = (tag + r->now / (500 * LB_MILLISECONDS)) % 8;
	uint64_t drawn = dice(r);

	return own + own * wave / 4 + drawn % own + (drawn % 101 == 0 ? 400 * LB_MILLISECONDS : 0);
}

/* Returns whether the request is done, or wants to go to another endpoint. */
static bool report(run *r, lb_ticket *ticket)
{
	lb_outcome outcome = {.result = result_of(r, ticket->tag), .status = 200};

	/* some by the clock and a latency that lbcore measures, most as told */
	if (dice(r) % 8 != 0) {
		outcome.latency = latency_of(r, ticket->tag);
		outcome.now = r->now;
	}
	say_text(r, "result", lb_result_name(outcome.result));
	say_answer(r, "report", lb_report(r->selector, ticket, &outcome));
	return outcome.result == LB_SUCCESS || outcome.result >= LB_CANCELLED || ticket->attempts >= 3;
}

static void select_one(run *r, uint32_t place)
{
	lb_ticket *ticket = &r->tickets[place];
	lb_request request = {.key = r->keys[place], .flags = LB_REQUEST_KEY};

	request.lane = r->lanes[place % r->lanes_n];
	request.now = dice(r) % 4 == 0 ? 0 : r->now;
	if (dice(r) % 32 == 0)
		request.prefer = any_member(r);
	int answer = lb_select(r->selector, &request, ticket);
	r->selects++;
	say_answer(r, "select", answer);
	if (answer != LB_OK)
		return;
	say_text(r, "picked", ticket->name);
	say_number(r, "reason", ticket->reason);
	say_number(r, "attempts", ticket->attempts);
	say_number(r, "started", ticket->started);
}

static void step(run *r)
{
	uint32_t place = (uint32_t)(dice(r) % OPEN);
	lb_ticket *ticket = &r->tickets[place];

	r->now += 1 + dice(r) % (10 * LB_MILLISECONDS);
	if (ticket->id == 0 || report(r, ticket)) {
		memset(ticket, 0, sizeof *ticket);
		r->keys[place] = dice(r);
		/* some are over before the next one comes */
		if (dice(r) % 4 == 0)
			return;
	}
	select_one(r, place);
}

static void make_pool(run *r)
{
	lb_env env;
	lb_pool_config config;
	lb_breaker_config breaker;

	lb_env_init(&env, sizeof env);
	env.user = r;
	env.now = clock_now;
	env.event = on_event;
	lb_breaker_config_init(&breaker, sizeof breaker);
	breaker.open_for = 500 * LB_MILLISECONDS;
	breaker.open_max = 4 * LB_SECONDS;
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = ENDPOINTS_MAX;
	config.tickets_max = 2 * OPEN;
	config.lanes_max = LANES - 1;
	config.recent_max = RECENT;
	/* shorter than some requests take: those are forgotten */
	config.ticket_timeout = LB_SECONDS;
	config.panic_percent = r->scene->panic_percent;
	config.breaker = &breaker;
	must(lb_pool_create(&r->pool, &config, &env), "pool");
}

static void begin(run *r, lb_algorithm algorithm)
{
	lb_selector_config config;

	make_pool(r);
	sync_members(r, 0, r->scene->endpoints);
	lb_selector_config_init(&config, sizeof config);
	config.algorithm = algorithm;
	config.seed = 20;
	must(lb_selector_create(&r->selector, r->pool, &config), "selector");
	r->lanes_n = r->scene->lanes ? LANES : 1;
	for (uint32_t i = 1; i < r->lanes_n; i++)
		must(lb_pool_join(r->pool, i, &r->lanes[i]), "join");
	if (r->scene->begin)
		r->scene->begin(r);
}

static void play(lb_algorithm algorithm, const scene *played)
{
	run r = {
	    .scene = played, .now = 1000 * LB_SECONDS, .digest = UINT64_C(0xcbf29ce484222325), .dice = 1};

	begin(&r, algorithm);
	for (uint32_t i = 0; i < played->steps; i++) {
		step(&r);
		if (played->change && i % CHANGE_STEPS == CHANGE_STEPS - 1)
			played->change(&r, i / CHANGE_STEPS);
		if (i % TICK_STEPS != TICK_STEPS - 1)
			continue;
		say_number(&r, "tick", lb_pool_tick(r.pool));
		if (r.failover)
			say_number(&r, "failover tick", lb_failover_tick(r.failover));
	}
	say_statistics(&r);
	if (!shown)
		printf("%-22s %-11s %5" PRIu32 " %016" PRIx64 "\n", lb_algorithm_name(algorithm),
		       played->name, r.selects, r.digest);
	lb_failover_destroy(r.failover);
	lb_selector_destroy(r.selector);
	must(lb_pool_destroy(r.pool), "destroy");
}

static int show(const char *algorithm_name, const char *scene_name)
{
	lb_algorithm algorithm;

	shown = true;
	for (int s = 0; lb_algorithm_find(algorithm_name, &algorithm) == LB_OK && scenes[s].name; s++)
		if (strcmp(scene_name, scenes[s].name) == 0) {
			play(algorithm, &scenes[s]);
			return 0;
		}
	fprintf(stderr, "golden: no such algorithm or scene\n");
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return show(argv[1], argv[2]);
	for (int a = 0; lb_algorithm_name((lb_algorithm)a); a++)
		for (int s = 0; scenes[s].name; s++)
			play((lb_algorithm)a, &scenes[s]);
	return 0;
}
