/* The ring of events from inside: two writers at once, a writer that is lapped in its sleep, how much a request hands out. */
#include "pool/chain.h"
#include "pool/events.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

static void note(rig *r)
{
	lb_events_note(r->pool, LB_EVENT_ADMIN, 0, 0, 1, LB_NO_ENDPOINT, r->w.now);
}

/* A writer that was given a number and goes to sleep in the middle of its cell. */
static lb_event_cell *fall_asleep(rig *r, uint32_t *number)
{
	*number = lb_add(&r->pool->events->written, 1) + 1;
	lb_event_cell *cell = &r->pool->events->cells[*number % LB_EVENTS_MIN];
	ck_assert(lb_mark_begin(&cell->mark, *number));
	return cell;
}

static void open_quiet(rig *r)
{
	rig_open(r, LB_ROUND_ROBIN, 1, NULL, NULL);
	ck_assert(!lb_events_waiting(r->pool));
	r->w.events_n = 0;
}

START_TEST(a_request_hands_out_a_bounded_number)
{
	rig r;

	open_quiet(&r);
	for (int i = 0; i < 40; i++)
		note(&r);
	/* others' events are handed out by selects that look after their lane, once in a microsecond */
	for (int handed = (int)LB_EVENTS_A_REQUEST; handed < 40; handed += (int)LB_EVENTS_A_REQUEST) {
		r.w.now += LB_MICROSECONDS;
		ck_assert_int_eq(rig_pick(&r, LB_SUCCESS), 0);
		ck_assert_int_eq(r.w.events_n, handed);
	}
	ck_assert_int_eq(rig_pick(&r, LB_FAILURE), 0); /* the failure's report */
	ck_assert_int_eq(r.w.events_n, 40);
	for (int i = 0; i < 400; i++)
		note(&r);
	lb_pool_tick(r.pool);
	ck_assert_int_eq(r.w.events_n, 440);
	for (int i = 1; i < 440; i++)
		ck_assert_uint_eq(r.w.events[i].sequence, r.w.events[i - 1].sequence + 1);
	rig_close(&r);
}
END_TEST

/* It looks after its lane, and goes the careful way, too. */
START_TEST(one_with_two_reasons_to_look_hands_out_no_more)
{
	rig r;
	lb_ticket ticket = {0};

	open_quiet(&r);
	for (int i = 0; i < 40; i++)
		note(&r);
	r.w.now += LB_MICROSECONDS;
	ck_ok(lb_select(r.selector, &(lb_request){.prefer = r.e[0]}, &ticket));
	ck_assert_int_eq(r.w.events_n, (int)LB_EVENTS_A_REQUEST);
	ck_ok(lb_report_result(r.selector, &ticket, LB_SUCCESS));
	rig_close(&r);
}
END_TEST

START_TEST(a_writer_that_sleeps_holds_up_what_comes_after_and_hands_it_out)
{
	rig r;
	uint32_t number;

	open_quiet(&r);
	lb_event_cell *cell = fall_asleep(&r, &number);
	note(&r);
	lb_events_deliver_all(r.pool);
	ck_assert_int_eq(r.w.events_n, 0);
	lb_mark_end(&cell->mark, number);
	lb_events_deliver(r.pool);
	ck_assert_int_eq(r.w.events_n, 2);
	ck_assert_uint_eq(r.w.events[0].sequence, number);
	ck_assert_uint_eq(lb_get64(&r.pool->events_lost), 0);
	rig_close(&r);
}
END_TEST

/* Its cell is wanted again before it wakes up: that event is lost, and counted, and nothing waits for it. */
START_TEST(a_writer_that_is_lapped)
{
	for (int wakes = 0; wakes < 3; wakes++) {
		rig r;
		uint32_t number;
		open_quiet(&r);
		lb_event_cell *cell = fall_asleep(&r, &number);
		for (uint32_t i = 1; i <= LB_EVENTS_MIN; i++)
			note(&r);
		/* the last one found the cell taken */
		ck_assert_uint_eq(lb_get(&cell->mark.begun), number);
		if (wakes == 0)
			lb_mark_end(&cell->mark, number);
		lb_events_deliver_all(r.pool);
		if (wakes == 1)
			lb_mark_end(&cell->mark, number);
		ck_assert(!lb_events_waiting(r.pool));
		ck_assert_int_eq(r.w.events_n, (int)LB_EVENTS_MIN - 1);
		ck_assert_uint_eq(r.w.events[0].sequence, number + 1);
		ck_assert_uint_eq(lb_get64(&r.pool->events_lost), 2);
		/* another lap: all of it arrives, but the cell of one who sleeps for ever */
		for (uint32_t i = 1; i <= LB_EVENTS_MIN; i++) {
			note(&r);
			lb_events_deliver(r.pool);
			ck_assert(!lb_events_waiting(r.pool));
		}
		ck_assert_uint_eq(lb_get64(&r.pool->events_lost), wakes == 2 ? 3 : 2);
		rig_close(&r);
	}
}
END_TEST

/* Given its number, it sleeps before it comes to the cell; a lap later the cell has a newer one, which stays. */
START_TEST(an_old_number_does_not_overwrite_a_newer_one)
{
	rig r;

	open_quiet(&r);
	uint32_t number = lb_add(&r.pool->events->written, 1) + 1;
	lb_event_cell *cell = &r.pool->events->cells[number % LB_EVENTS_MIN];
	for (uint32_t i = 1; i <= LB_EVENTS_MIN; i++)
		note(&r);
	ck_assert(!lb_mark_begin(&cell->mark, number));
	ck_assert_int_eq(lb_mark_look(&cell->mark, number), LB_MARK_GONE);
	ck_assert_int_eq(lb_mark_look(&cell->mark, number + LB_EVENTS_MIN), LB_MARK_WHOLE);
	lb_events_deliver_all(r.pool);
	ck_assert_int_eq(r.w.events_n, (int)LB_EVENTS_MIN);
	ck_assert_uint_eq(lb_get64(&r.pool->events_lost), 1);
	rig_close(&r);
}
END_TEST

/* Numbers are counted modulo 2^32: nothing special happens there. */
START_TEST(numbers_wrap)
{
	rig r;

	open_quiet(&r);
	uint32_t before = UINT32_MAX - 5;
	lb_put(&r.pool->events->written, before);
	lb_put(&r.pool->delivered, before);
	for (uint32_t i = 0; i < LB_EVENTS_MIN; i++) {
		lb_mark *mark = &r.pool->events->cells[i].mark;
		uint32_t last = before - (before - i) % LB_EVENTS_MIN;
		lb_put(&mark->begun, last);
		lb_put(&mark->done, last);
	}
	for (int i = 0; i < 20; i++)
		note(&r);
	lb_events_deliver_all(r.pool);
	ck_assert_int_eq(r.w.events_n, 20);
	ck_assert_uint_eq(lb_get64(&r.pool->events_lost), 0);
	rig_close(&r);
}
END_TEST

/* The history of failovers is such a ring, too. */
START_TEST(a_switcher_that_is_lapped)
{
	rig r;
	lb_failover *failover;
	lb_failover_config config;
	static lb_failover_event events[LB_HISTORY_MAX];

	rig_open(&r, LB_ROUND_ROBIN, 2, NULL, NULL);
	lb_failover_config_init(&config, sizeof config);
	config.hold_up = 0;
	config.successes = 0;
	config.history_max = LB_HISTORY_MAX;
	ck_ok(lb_failover_create(&failover, r.pool, &config));
	ck_ok(lb_failover_set_primary(failover, r.e[0]));
	ck_ok(lb_failover_set_backup(failover, r.e[0], r.e[1]));
	uint32_t number = lb_add(&r.pool->chains->switches, 1) + 1;
	lb_switch_cell *cell = &r.pool->chains->history[number % LB_HISTORY_MAX];
	ck_assert(lb_mark_begin(&cell->mark, number));
	for (uint32_t i = 0; i < LB_HISTORY_MAX; i++)
		ck_ok(lb_pool_set_health(r.pool, r.e[0], i % 2 ? LB_HEALTHY : LB_UNHEALTHY));
	lb_mark_end(&cell->mark, number);
	int n = lb_failover_history(failover, events, LB_HISTORY_MAX, sizeof events[0]);
	ck_assert_int_eq(n, (int)LB_HISTORY_MAX - 1);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(events[i].kind, i % 2 ? LB_FAILBACK : LB_FAILOVER);
	lb_failover_destroy(failover);
	rig_close(&r);
}
END_TEST

/* Two threads note and deliver in the same moment: nothing may be left behind by both. */
typedef struct pen {
	rig r;
	atomic_uint arrived; /* at the barrier, of two */
	long rounds;
} pen;

static void meet(pen *s)
{
	unsigned both = (atomic_fetch_add(&s->arrived, 1) / 2 + 1) * 2;

	for (unsigned spins = 1; atomic_load(&s->arrived) < both; spins++)
		if (spins % 4096 == 0)
			sched_yield();
}

static void write_one(pen *s, long delay)
{
	meet(s);
	for (volatile long i = 0; i < delay; i = i + 1)
		;
	note(&s->r);
	lb_events_deliver(s->r.pool);
	meet(s);
}

static void *write_along(void *arg)
{
	pen *s = arg;

	for (long round = 0; round < s->rounds; round++)
		write_one(s, round % 13);
	return NULL;
}

START_TEST(two_writers_leave_nothing_behind)
{
	static pen s;
	pthread_t thread;

	open_quiet(&s.r);
	s.rounds = rounds(200000);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_along, &s), 0);
	for (long round = 0; round < s.rounds; round++) {
		write_one(&s, round % 7);
		/* the other one waits at the barrier of the next round */
		ck_assert(!lb_events_waiting(s.r.pool));
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(lb_get64(&s.r.pool->events_lost), 0);
	rig_close(&s.r);
}
END_TEST

Suite *suite_events(void)
{
	Suite *suite = suite_create("events");
	TCase *tests = tcase_create("events");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_request_hands_out_a_bounded_number);
	tcase_add_test(tests, one_with_two_reasons_to_look_hands_out_no_more);
	tcase_add_test(tests, a_writer_that_sleeps_holds_up_what_comes_after_and_hands_it_out);
	tcase_add_test(tests, a_writer_that_is_lapped);
	tcase_add_test(tests, an_old_number_does_not_overwrite_a_newer_one);
	tcase_add_test(tests, numbers_wrap);
	tcase_add_test(tests, a_switcher_that_is_lapped);
	tcase_add_test(tests, two_writers_leave_nothing_behind);
	suite_add_tcase(suite, tests);
	return suite;
}
