/* What the golden program's files share: one run of the script, what it says into the digest, the scenes. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <lbcore/lbcore.h>
#include <stdbool.h>

enum { ENDPOINTS_MAX = 300, OPEN = 24, LANES = 4, RECENT = 64 };

typedef struct run run;

typedef struct scene {
	const char *name;
	uint32_t steps, endpoints;
	bool weights, priorities, limits, lanes;
	bool illness; /* a part of the endpoints fails for a while, then others do */
	uint32_t panic_percent;
	void (*begin)(run *r);                   /* once, before traffic; may be NULL */
	void (*change)(run *r, uint32_t number); /* now and then; may be NULL */
} scene;

struct run {
	const scene *scene;
	lb_time now;
	uint64_t digest, dice;
	uint32_t selects, lanes_n, lanes[LANES];
	lb_pool *pool;
	lb_selector *selector;
	lb_failover *failover; /* NULL in scenes without */
	/* requests under way; a key stays the same over the retries */
	lb_ticket tickets[OPEN];
	uint64_t keys[OPEN];
};

/* The last one has no name. */
extern const scene scenes[];

/* Print all that goes into the digests. */
extern bool shown;

/* Each puts something into the run's digest. */
void say_number(run *r, const char *what, uint64_t value);
void say_answer(run *r, const char *what, int answer);
void say_text(run *r, const char *what, const char *text);
void say_endpoint(run *r, const char *what, lb_endpoint endpoint); /* its name */
void say_statistics(run *r);

/* The hooks of a run: `user` is it. */
lb_time clock_now(void *user);
void on_event(void *user, const lb_event *event);

/* The script's own numbers. */
uint64_t dice(run *r);

/* Makes the pool hold the endpoints from..to-1. */
void sync_members(run *r, uint32_t from, uint32_t to);

/* One of the endpoints that the scene began with; LB_NO_ENDPOINT: it is gone. */
lb_endpoint any_member(run *r);

/* Ends the program unless the answer is LB_OK. */
void must(int answer, const char *what);

#endif
