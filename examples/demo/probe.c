/*
 * The transport of the health checks: GET /health over nonblocking sockets in a poll loop of our own, in the one thread
 * that also calls the ticks.
 */
#define _GNU_SOURCE
#include "demo.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROBES = 8 };

/* A probe on its way; fd -1 = free. */
typedef struct errand {
	int fd;
	bool asked;
	lb_probe probe;
} errand;

struct checker {
	lb_pool *pool;
	lb_failover *failover;
	lb_health *health;
	errand errands[PROBES];
	atomic_bool stop;
	pthread_t thread;
};

static int start_probe(void *user, const lb_probe_request *request, void **mine)
{
	checker *c = user;
	const char *port = strchr(request->url, ':');

	for (int i = 0; i < PROBES; i++) {
		if (c->errands[i].fd >= 0)
			continue;
		int fd = http_dial((uint16_t)atoi(port + 1), false);
		if (fd < 0) {
			lb_health_done(c->health, request->probe, LB_REFUSED, LB_UNKNOWN, 0);
			return 0;
		}
		c->errands[i] = (errand){.fd = fd, .probe = request->probe};
		*mine = &c->errands[i];
		return 0;
	}
	return -1;
}

static void end_errand(errand *e)
{
	close(e->fd);
	e->fd = -1;
}

static void cancel_probe(void *user, lb_probe probe, void *mine)
{
	errand *e = mine;

	(void)user;
	if (e && e->fd >= 0 && e->probe.id == probe.id)
		end_errand(e);
}

/* The socket is ready: ask, or hear the answer. */
static void go_on(checker *c, errand *e)
{
	static const char request[] = "GET /health HTTP/1.1\r\nHost: demo\r\n\r\n";
	char reply[256];
	lb_result result = LB_REFUSED;

	if (!e->asked) {
		e->asked = true;
		if (send(e->fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1)
			return;
	} else {
		ssize_t n = recv(e->fd, reply, sizeof reply, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		result = n >= 12 && memcmp(reply, "HTTP/1.1 200", 12) == 0 ? LB_SUCCESS : LB_FAILURE;
	}
	lb_probe probe = e->probe;
	end_errand(e);
	lb_health_done(c->health, probe, result, LB_UNKNOWN, 0);
}

static lb_time earlier(lb_time a, lb_time b)
{
	return a < b ? a : b;
}

static void *run_checker(void *arg)
{
	checker *c = arg;
	struct pollfd polls[PROBES];

	while (!atomic_load(&c->stop)) {
		lb_time next = earlier(lb_pool_tick(c->pool), lb_health_tick(c->health));
		next = earlier(next, lb_failover_tick(c->failover));
		lb_time now = clock_now();
		lb_span wait = next > now ? next - now : 0;
		/* a switch of traffic wants its view published soon, so look in every 20 ms at least */
		int ms =
		    wait > 20 * LB_MILLISECONDS ? 20 : (int)((wait + LB_MILLISECONDS - 1) / LB_MILLISECONDS);
		for (int i = 0; i < PROBES; i++)
			polls[i] = (struct pollfd){
			    .fd = c->errands[i].fd,
			    .events = c->errands[i].asked ? POLLIN : POLLOUT,
			};
		if (poll(polls, PROBES, ms) <= 0)
			continue;
		for (int i = 0; i < PROBES; i++)
			if (polls[i].fd >= 0 && polls[i].revents != 0 && polls[i].fd == c->errands[i].fd)
				go_on(c, &c->errands[i]);
	}
	return NULL;
}

checker *checker_start(lb_pool *pool, lb_failover *failover)
{
	checker *c = calloc(1, sizeof *c);
	lb_health_config config;
	lb_transport transport;

	if (!c)
		abort();
	c->pool = pool;
	c->failover = failover;
	for (int i = 0; i < PROBES; i++)
		c->errands[i].fd = -1;
	lb_health_config_init(&config, sizeof config);
	config.interval = 200 * LB_MILLISECONDS;
	config.interval_down = 100 * LB_MILLISECONDS;
	config.timeout = 300 * LB_MILLISECONDS;
	config.fall = 2;
	lb_transport_init(&transport, sizeof transport);
	transport.user = c;
	transport.probe_start = start_probe;
	transport.probe_cancel = cancel_probe;
	if (lb_health_create(&c->health, pool, &config, &transport) != LB_OK)
		abort();
	if (pthread_create(&c->thread, NULL, run_checker, c) != 0)
		abort();
	return c;
}

void checker_stop(checker *c)
{
	atomic_store(&c->stop, true);
	pthread_join(c->thread, NULL);
	lb_health_destroy(c->health);
	free(c);
}
