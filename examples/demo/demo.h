/* The demo's parts: backends, a client, the load, the probes, the tables. */
#ifndef DEMO_H
#define DEMO_H

#include <lbcore/lbcore.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum { REGULAR = 4, STANDBY = 4, BACKENDS = 5, CLIENTS = 16, PHASES = 4 };
enum { DEAD = 0, SLOW = 1 }; /* which backend dies, which one turns slow */

lb_time clock_now(void);
void sleep_until(lb_time then);

/* backend.c: HTTP servers, each a process of its own on a port of loopback that the kernel chose. */
typedef struct backend {
	char name[16], url[32];
	pid_t pid; /* 0 = not running */
	uint16_t port;
} backend;

bool backend_start(backend *b); /* on its port, or a new one if that is 0 */
void backend_kill(backend *b);
void backend_turn(backend *b, bool slow);

/* http.c: a blocking client; keeps one connection for each backend. */
typedef struct connection {
	int fd; /* -1 = none */
} connection;

lb_result http_get(connection *c, uint16_t port, const char *path);
void http_close(connection *c);
int http_dial(uint16_t port, bool blocking); /* -1: errno */

/* load.c: 16 clients, one request after the other. */
typedef struct tally {
	uint64_t requests, errors, served[BACKENDS];
	uint32_t *latencies; /* us, of the successful ones, sorted by load_stop */
	size_t latencies_n, latencies_max;
} tally;

typedef struct load {
	backend *backends;
	lb_selector *selector; /* NULL = naive round robin */
	lb_endpoint endpoints[BACKENDS];
	atomic_int phase; /* -1 = stop */
	atomic_uint turn; /* of the naive rotation */
	lb_time steady_at,
	    last_second; /* the slow phase's and the last phase's part that promises are held to */
	struct client {
		pthread_t thread;
		struct load *load;
		tally phases[PHASES], steady_slow, last_second;
	} clients[CLIENTS];
} load;

void load_start(load *l);
void load_stop(load *l);
tally load_sum(const load *l, int phase);
uint64_t load_served(const load *l, bool last_second, int which, uint64_t *all);
void load_free(load *l);

/* probe.c: health checks of GET /health over nonblocking sockets, and the thread that ticks. */
typedef struct checker checker;

checker *checker_start(lb_pool *pool, lb_failover *failover);
void checker_stop(checker *c);

/* algorithms.c */
void show_algorithms(void);

/* report.c */
extern const char *const phase_names[PHASES];

void print_number(uint64_t value, int width); /* 12,345 */
void show_phases(const load *naive, const load *with);
void note_event(void *user, const lb_event *event);
void show_history(const lb_failover *failover, lb_pool *pool, lb_time from);
bool promise(bool kept, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
