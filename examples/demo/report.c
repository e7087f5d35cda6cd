/* What the demo shows: the table of phases, the history, the promises. */
#include "demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const phase_names[PHASES] = {"all well", "one dead", "one slow, too", "the dead one back"};

void print_number(uint64_t value, int width)
{
	char digits[32], grouped[48];
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), at = 0;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			grouped[at++] = ',';
		grouped[at++] = digits[i];
	}
	grouped[at] = '\0';
	printf("%*s", width, grouped);
}

static double percentile_ms(const tally *t, unsigned percent)
{
	if (t->latencies_n == 0)
		return 0;
	return t->latencies[(t->latencies_n - 1) * percent / 100] / 1000.0;
}

static void show_row(const char *phase, const char *who, const load *l, int number)
{
	tally t = load_sum(l, number);
	uint64_t served = t.requests - t.errors;

	printf("  %-18s %-7s", phase, who);
	print_number(t.requests, 9);
	print_number(t.errors, 8);
	printf("  %5.1f ms %5.1f ms ", percentile_ms(&t, 50), percentile_ms(&t, 99));
	for (int b = 0; b < BACKENDS; b++) {
		if (t.served[b] == 0)
			printf("      -");
		else
			printf("  %3.0f %%", (double)t.served[b] * 100 / (double)(served ? served : 1));
	}
	printf("\n");
	free(t.latencies);
}

void show_phases(const load *naive, const load *with)
{
	printf("\nThe same script, 16 clients, without and with lbcore\n\n");
	printf("  %-18s %-7s%9s%8s  %8s %8s  %6s %6s %6s %6s %6s\n", "phase", "", "requests", "errors", "p50",
	       "p99", "b1", "b2", "b3", "b4", "spare");
	for (int phase = 0; phase < PHASES; phase++) {
		show_row(phase_names[phase], "naive", naive, phase);
		show_row("", "lbcore", with, phase);
	}
	printf("\n  b1 is killed and comes back, b2 turns slow (40 ms), spare is b1's backup. Shares of "
	       "answered requests.\n");
}

enum { EVENTS = 256 };

static struct noted {
	lb_event event;
	char name[64];
} noted[EVENTS];
static int noted_n;
static pthread_mutex_t noted_lock = PTHREAD_MUTEX_INITIALIZER;

void note_event(void *user, const lb_event *event)
{
	(void)user;
	if (event->kind != LB_EVENT_BREAKER && event->kind != LB_EVENT_HEALTH)
		return;
	pthread_mutex_lock(&noted_lock);
	if (noted_n < EVENTS) {
		noted[noted_n].event = *event;
		snprintf(noted[noted_n].name, sizeof noted[noted_n].name, "%s", event->name);
		noted_n++;
	}
	pthread_mutex_unlock(&noted_lock);
}

static double seconds(lb_time at, lb_time from)
{
	return at > from ? (double)(at - from) / (double)LB_SECONDS : 0;
}

static const char *name_of(lb_pool *pool, lb_endpoint endpoint)
{
	static lb_endpoint_info info[2];
	static int turn;

	turn = !turn;
	return lb_pool_info(pool, endpoint, &info[turn], sizeof *info) == LB_OK ? info[turn].name : "?";
}

static void show_noted(const struct noted *n, lb_time from)
{
	static const char *const breaker[] = {"closed", "open", "half open"};
	static const char *const health[] = {"unknown", "healthy", "degraded", "unhealthy"};
	const char *const *states = n->event.kind == LB_EVENT_BREAKER ? breaker : health;

	printf("  %7.3f s  %-9s %-6s %s -> %s\n", seconds(n->event.at, from),
	       n->event.kind == LB_EVENT_BREAKER ? "breaker" : "health", n->name, states[n->event.from],
	       states[n->event.to]);
}

void show_history(const lb_failover *failover, lb_pool *pool, lb_time from)
{
	static const char *const kinds[] = {"failover", "failback", "forced"};
	lb_failover_event events[16];
	int n = lb_failover_history(failover, events, 16, sizeof *events);
	int next = 0;

	printf("\nWhat lbcore did, seconds from the start of its run\n\n");
	while (n-- > 0) {
		for (; next < noted_n && noted[next].event.at < events[n].at; next++)
			show_noted(&noted[next], from);
		printf("  %7.3f s  %-9s %s -> %s\n", seconds(events[n].at, from), kinds[events[n].kind],
		       name_of(pool, events[n].from), name_of(pool, events[n].to));
	}
	for (; next < noted_n; next++)
		show_noted(&noted[next], from);
}

bool promise(bool kept, const char *format, ...)
{
	va_list arguments;

	printf("  %-6s ", kept ? "ok" : "BROKEN");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	return kept;
}
