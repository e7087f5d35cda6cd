/* What all tests share: the suites, and a world with its own clock, allocator and event log. */
#ifndef TEST_H
#define TEST_H

#include <check.h>
#include <lbcore/lbcore.h>
#include <stdbool.h>

#define SUITE(name) Suite *suite_##name(void);
#include "suites.inc"
#undef SUITE

enum { EVENTS_KEPT = 512 };

/* The host, as the tests play it. Zero it, set `now`, hand world_env to a create. */
typedef struct world {
	lb_time now;
	/* the allocator */
	long blocks, bytes; /* not given back yet */
	long calls,
	    fail_at; /* the fail_at-th allocation fails; 0 = none; negative: that one and all after it */
	/* events */
	int events_n;
	lb_event events[EVENTS_KEPT];
	char names[EVENTS_KEPT][64];
	/* the random hook, if world_env_random was used */
	uint64_t random;
} world;

lb_env world_env(world *w);
lb_env world_env_random(world *w); /* also answers w->random to each call for random numbers */

/* How many events of a kind; the last one of a kind or NULL. */
int world_count(const world *w, lb_event_kind kind);
const lb_event *world_last(const world *w, lb_event_kind kind);

/* A pool with n endpoints "e0", "e1", ... of weight 1, or of the given weights. */
typedef struct rig {
	world w;
	lb_pool *pool;
	lb_selector *selector;
	lb_endpoint e[16];
} rig;

/* `breaker` NULL = none. */
void rig_open(rig *r, lb_algorithm algorithm, int n, const uint32_t *weights,
	      const lb_breaker_config *breaker);
void rig_close(rig *r); /* also checks that all memory came back */

/* Selects (from the first on, random_start off) and answers the endpoint's number, or the error. The ticket stays open. */
int rig_select(rig *r, lb_ticket *ticket);
/* The same, reported at once. */
int rig_pick(rig *r, lb_result result);
int rig_number(const rig *r, lb_endpoint endpoint);
lb_endpoint_info rig_info(const rig *r, int number);
/* Makes the letters of `n` picks: 'a' = endpoint 0. */
void rig_letters(rig *r, int n, char *letters);

#define ck_ok(call) ck_assert_int_eq((call), LB_OK)

/* Fewer rounds under valgrind and other slow company. */
long rounds(long normal);

#endif
