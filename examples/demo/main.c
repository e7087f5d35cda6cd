/*
 * make demo: 16 clients against four real HTTP backends and a spare, twice through the same script (all well, one killed,
 * one turned slow, the dead one back): with naive round robin, then with lbcore. Exits 0 if lbcore kept what it promises.
 */
#define _GNU_SOURCE
#include "demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static backend backends[BACKENDS] = {
    {.name = "b1"}, {.name = "b2"}, {.name = "b3"}, {.name = "b4"}, {.name = "spare"}};

static void kill_all(void)
{
	for (int i = 0; i < BACKENDS; i++)
		backend_kill(&backends[i]);
}

static void on_signal(int number)
{
	for (int i = 0; i < BACKENDS; i++)
		if (backends[i].pid > 0)
			kill(backends[i].pid, SIGKILL);
	_exit(128 + number);
}

static void start_all(void)
{
	for (int i = 0; i < BACKENDS; i++) {
		if (backends[i].pid == 0 && !backend_start(&backends[i])) {
			perror("demo: cannot start a backend");
			exit(1);
		}
	}
}

/* Waits, and shows that something goes on. */
static void run_phase(const char *who, int phase, lb_span span)
{
	lb_time end = clock_now() + span;
	bool tty = isatty(STDOUT_FILENO) != 0;

	if (!tty)
		printf("  %-6s  %s\n", who, phase_names[phase]);
	while (clock_now() < end) {
		if (tty) {
			printf("\r  %-6s  %-18s %4.1f s ", who, phase_names[phase],
			       (double)(end - clock_now()) / (double)LB_SECONDS);
			fflush(stdout);
		}
		lb_time next = clock_now() + 100 * LB_MILLISECONDS;
		sleep_until(next < end ? next : end);
	}
}

static void run_script(load *l, const char *who)
{
	atomic_store(&l->phase, 0);
	load_start(l);
	run_phase(who, 0, 2 * LB_SECONDS);
	atomic_store(&l->phase, 1);
	backend_kill(&backends[DEAD]);
	run_phase(who, 1, 2500 * LB_MILLISECONDS);
	backend_turn(&backends[SLOW], true);
	atomic_store(&l->phase, 2);
	l->steady_at = clock_now() + 300 * LB_MILLISECONDS;
	run_phase(who, 2, 2 * LB_SECONDS);
	if (!backend_start(&backends[DEAD]))
		perror("demo: cannot start the dead backend again");
	atomic_store(&l->phase, 3);
	l->last_second = clock_now() + 2 * LB_SECONDS;
	run_phase(who, 3, 3 * LB_SECONDS);
	load_stop(l);
	backend_turn(&backends[SLOW], false);
}

/* Everything of lbcore that this host uses. */
typedef struct balancer {
	lb_pool *pool;
	lb_selector *selector;
	lb_failover *failover;
	lb_endpoint endpoints[BACKENDS];
} balancer;

static void check(int error, const char *what)
{
	if (error == LB_OK)
		return;
	fprintf(stderr, "demo: %s: %s\n", what, lb_strerror(error));
	kill_all();
	exit(1);
}

static void make_pool(balancer *b)
{
	lb_pool_config config;
	lb_breaker_config breaker;
	lb_env env;

	lb_pool_config_init(&config, sizeof config);
	lb_breaker_config_init(&breaker, sizeof breaker);
	config.name = "demo";
	/* the script is short, so an open breaker tries again after 300 ms, not 5 s */
	breaker.open_for = 300 * LB_MILLISECONDS;
	breaker.open_max = LB_SECONDS;
	config.breaker = &breaker;
	lb_env_init(&env, sizeof env);
	env.event = note_event;
	check(lb_pool_create(&b->pool, &config, &env), "pool");
	for (uint64_t i = 0; i < BACKENDS; i++) {
		lb_endpoint_config endpoint;
		lb_endpoint_config_init(&endpoint, sizeof endpoint);
		endpoint.name = backends[i].name;
		endpoint.url = backends[i].url;
		endpoint.tag = i;
		check(lb_pool_add_endpoint(b->pool, &endpoint, &b->endpoints[i]), "endpoint");
	}
}

static void make_balancer(balancer *b)
{
	lb_failover_config config;

	make_pool(b);
	check(lb_selector_create(&b->selector, b->pool, NULL), "selector");
	lb_failover_config_init(&config, sizeof config);
	config.hold_up = 500 * LB_MILLISECONDS;
	config.successes = 3;
	check(lb_failover_create(&b->failover, b->pool, &config), "failover");
	check(lb_failover_set_primary(b->failover, b->endpoints[DEAD]), "primary");
	check(lb_failover_set_backup(b->failover, b->endpoints[DEAD], b->endpoints[STANDBY]), "backup");
}

static double share(const load *l, bool last_second, int which)
{
	uint64_t all, one = load_served(l, last_second, which, &all);

	return all > 0 ? (double)one * 100 / (double)all : 0;
}

/* Compares what was promised with what was seen. Fair = one of four. */
static bool judge(const load *naive, const load *with)
{
	uint64_t requests = 0, errors = 0, before = 0, meanwhile = 0;
	tally dead = load_sum(naive, 1);
	double lost = dead.requests > 0 ? (double)dead.errors * 100 / (double)dead.requests : 0;
	double slow = share(with, false, SLOW), back = share(with, true, DEAD);

	free(dead.latencies);
	for (int phase = 0; phase < PHASES; phase++) {
		tally t = load_sum(with, phase);
		requests += t.requests;
		errors += t.errors;
		before += phase == 0 ? t.served[STANDBY] : 0;
		meanwhile += phase == 1 ? t.served[STANDBY] : 0;
		free(t.latencies);
	}
	printf("\nPromises\n\n");
	bool kept = promise(errors == 0 && requests > 1000, "lbcore lost %llu of %llu user requests",
			    (unsigned long long)errors, (unsigned long long)requests);
	kept &= promise(lost > 5,
			"naive round robin lost %.1f %% while one of four was dead (more than 5 %%)", lost);
	kept &=
	    promise(slow <= 25.0 / 3, "the slow one's share fell to %.1f %% (a third of fair: 8.3 %%)", slow);
	kept &= promise(before == 0 && meanwhile > 0,
			"the spare served %llu requests while its primary was dead, %llu before",
			(unsigned long long)meanwhile, (unsigned long long)before);
	kept &= promise(back >= 25.0 * 0.7,
			"the returned one had %.1f %% in the last second (70 %% of fair: 17.5 %%)", back);
	return kept;
}

static int print_text(void *user, const char *text, size_t length)
{
	(void)user;
	return fwrite(text, 1, length, stdout) == length ? 0 : -1;
}

int main(void)
{
	static load naive, with;
	balancer b;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	atexit(kill_all);
	printf("lbcore demo: 4 HTTP backends and a spare on loopback, 16 clients, twice 9.5 s\n\n");
	start_all();
	naive.backends = with.backends = backends;
	run_script(&naive, "naive");
	start_all();
	make_balancer(&b);
	with.selector = b.selector;
	lb_time from = lb_pool_now(b.pool);
	checker *probes = checker_start(b.pool, b.failover);
	run_script(&with, "lbcore");
	checker_stop(probes);
	printf("%s", isatty(STDOUT_FILENO) ? "\r                                        \r" : "");
	show_phases(&naive, &with);
	show_history(b.failover, b.pool, from);
	printf("\nlb_stats_text\n\n");
	lb_stats_text(b.pool, print_text, NULL);
	show_algorithms();
	bool kept = judge(&naive, &with);
	lb_failover_destroy(b.failover);
	lb_selector_destroy(b.selector);
	lb_pool_destroy(b.pool);
	load_free(&naive);
	load_free(&with);
	return kept ? 0 : 1;
}
