/* A blocking HTTP client on keep-alive connections, with time limits. */
#define _GNU_SOURCE
#include "demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int http_dial(uint16_t port, bool blocking)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval limit = {.tv_sec = 1};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

void http_close(connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* How an exchange ended: `silent` = not a byte of an answer came. */
typedef struct exchange {
	lb_result result;
	bool silent;
} exchange;

static exchange talk(int fd, const char *path)
{
	char request[128], reply[512];
	int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: demo\r\n\r\n", path);
	size_t got = 0;

	if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
		return (exchange){LB_FAILURE, true};
	for (;;) {
		ssize_t n = recv(fd, reply + got, sizeof reply - 1 - got, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return (exchange){LB_TIMEOUT, false};
		if (n <= 0)
			return (exchange){LB_FAILURE, got == 0};
		got += (size_t)n;
		reply[got] = '\0';
		if (strstr(reply, "\r\n\r\nok\n"))
			return (exchange){strncmp(reply, "HTTP/1.1 200", 12) ? LB_FAILURE : LB_SUCCESS,
					  false};
		if (got == sizeof reply - 1)
			return (exchange){LB_FAILURE, false};
	}
}

/*
 * A kept connection that the server closed before it answered says nothing about the server now (RFC 9110, 9.2.2): the
 * request is sent once more on a new one.
 */
lb_result http_get(connection *c, uint16_t port, const char *path)
{
	for (;;) {
		bool kept = c->fd >= 0;
		if (!kept)
			c->fd = http_dial(port, true);
		if (c->fd < 0)
			return errno == ECONNREFUSED || errno == ECONNRESET ? LB_REFUSED : LB_LOCAL;
		exchange done = talk(c->fd, path);
		if (done.result != LB_SUCCESS)
			http_close(c);
		if (!done.silent || !kept)
			return done.result;
	}
}
