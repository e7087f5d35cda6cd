/*
 * A backend: a small HTTP/1.1 server in a process of its own. It answers GET /api/data after its service time (2 ms, or 40 ms
 * when it was turned slow by SIGUSR1; SIGUSR2 turns it back) and GET /health at once. Waiting costs no processor time, so
 * five of them and sixteen clients fit on a small machine.
 */
#define _GNU_SOURCE
#include "demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VISITORS = 128, REQUEST_BYTES = 1024 };

static volatile sig_atomic_t slow;

static void on_signal(int number)
{
	slow = number == SIGUSR1;
}

/* A connection: what was read of its request, and when the answer is due (0 = no request yet). */
typedef struct visitor {
	int fd;
	size_t length;
	char request[REQUEST_BYTES];
	lb_time due;
} visitor;

static void leave(visitor *v)
{
	close(v->fd);
	v->fd = -1;
}

static void answer(visitor *v)
{
	static const char reply[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n";

	if (send(v->fd, reply, sizeof reply - 1, MSG_NOSIGNAL) != (ssize_t)sizeof reply - 1)
		leave(v);
	v->length = 0;
	v->due = 0;
}

static void hear(visitor *v, lb_time now)
{
	ssize_t n = recv(v->fd, v->request + v->length, REQUEST_BYTES - 1 - v->length, 0);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			leave(v);
		return;
	}
	v->length += (size_t)n;
	v->request[v->length] = '\0';
	if (!strstr(v->request, "\r\n\r\n")) {
		if (v->length == REQUEST_BYTES - 1)
			leave(v);
		return;
	}
	bool health = strncmp(v->request, "GET /health ", 12) == 0;
	v->due = health ? now : now + (slow ? 40 : 2) * LB_MILLISECONDS;
	if (health)
		answer(v);
}

static void welcome(visitor *visitors, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int on = 1;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	for (int i = 0; i < VISITORS; i++) {
		if (visitors[i].fd >= 0)
			continue;
		visitors[i] = (visitor){.fd = fd};
		return;
	}
	close(fd);
}

/* Fills the poll set; returns how long nothing is due. */
static struct timespec prepare(const visitor *visitors, struct pollfd *polls, lb_time now)
{
	lb_span wait = LB_SECONDS;

	for (int i = 0; i < VISITORS; i++) {
		polls[i] = (struct pollfd){.fd = visitors[i].fd, .events = visitors[i].due ? 0 : POLLIN};
		if (visitors[i].fd >= 0 && visitors[i].due != 0) {
			lb_span left = visitors[i].due > now ? visitors[i].due - now : 0;
			wait = left < wait ? left : wait;
		}
	}
	return (struct timespec){.tv_sec = (time_t)(wait / LB_SECONDS), .tv_nsec = (long)(wait % LB_SECONDS)};
}

static _Noreturn void serve(int listener)
{
	static visitor visitors[VISITORS];
	struct pollfd polls[VISITORS + 1];

	for (int i = 0; i < VISITORS; i++)
		visitors[i].fd = -1;
	for (;;) {
		struct timespec wait = prepare(visitors, polls, clock_now());
		polls[VISITORS] = (struct pollfd){.fd = listener, .events = POLLIN};
		if (ppoll(polls, VISITORS + 1, &wait, NULL) < 0 && errno != EINTR)
			_exit(1);
		lb_time now = clock_now();
		for (int i = 0; i < VISITORS; i++) {
			if (visitors[i].fd < 0)
				continue;
			if (visitors[i].due != 0 && visitors[i].due <= now)
				answer(&visitors[i]);
			else if (visitors[i].due == 0 && polls[i].fd == visitors[i].fd &&
				 polls[i].revents != 0)
				hear(&visitors[i], now);
		}
		if ((polls[VISITORS].revents & POLLIN) != 0)
			welcome(visitors, listener);
	}
}

static int listen_on(uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t length = sizeof address;
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 256) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

bool backend_start(backend *b)
{
	int listener = listen_on(&b->port);

	if (listener < 0)
		return false;
	snprintf(b->url, sizeof b->url, "127.0.0.1:%u", (unsigned)b->port);
	fflush(NULL);
	b->pid = fork();
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_DFL);
		signal(SIGUSR1, on_signal);
		signal(SIGUSR2, on_signal);
		serve(listener);
	}
	/* ours must not stay open: a connection to a dead backend has to be refused */
	close(listener);
	if (b->pid < 0)
		b->pid = 0;
	return b->pid > 0;
}

void backend_kill(backend *b)
{
	if (b->pid <= 0)
		return;
	kill(b->pid, SIGKILL);
	while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
		;
	b->pid = 0;
}

void backend_turn(backend *b, bool to_slow)
{
	if (b->pid > 0)
		kill(b->pid, to_slow ? SIGUSR1 : SIGUSR2);
}
