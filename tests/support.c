/* The world that the tests play. See test.h. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static lb_time world_now(void *user)
{
	return ((world *)user)->now;
}

static uint64_t world_random(void *user)
{
	return ((world *)user)->random;
}

static void *world_allocate(void *user, void *block, size_t old_size, size_t new_size)
{
	world *w = user;

	if (new_size == 0) {
		w->blocks--;
		w->bytes -= (long)old_size;
		free(block);
		return NULL;
	}
	w->calls++;
	if (w->calls == w->fail_at || (w->fail_at < 0 && w->calls >= -w->fail_at))
		return NULL;
	w->blocks++;
	w->bytes += (long)(new_size - old_size);
	/* realloc may hand out dirty memory; so do we */
	void *fresh = malloc(new_size);
	if (fresh)
		memset(fresh, 0xab, new_size);
	return fresh;
}

static void world_event(void *user, const lb_event *event)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	world *w = user;

	pthread_mutex_lock(&lock);
	if (w->events_n < EVENTS_KEPT) {
		w->events[w->events_n] = *event;
		strncpy(w->names[w->events_n], event->name, 63);
		w->events[w->events_n].name = w->names[w->events_n];
		w->events_n++;
	}
	pthread_mutex_unlock(&lock);
}

lb_env world_env(world *w)
{
	lb_env env;

	lb_env_init(&env, sizeof env);
	env.user = w;
	env.now = world_now;
	env.allocate = world_allocate;
	env.event = world_event;
	return env;
}

lb_env world_env_random(world *w)
{
	lb_env env = world_env(w);

	env.random = world_random;
	return env;
}

int world_count(const world *w, lb_event_kind kind)
{
	int n = 0;

	for (int i = 0; i < w->events_n; i++)
		n += w->events[i].kind == kind;
	return n;
}

const lb_event *world_last(const world *w, lb_event_kind kind)
{
	for (int i = w->events_n; i-- > 0;)
		if (w->events[i].kind == kind)
			return &w->events[i];
	return NULL;
}

void rig_open(rig *r, lb_algorithm algorithm, int n, const uint32_t *weights,
	      const lb_breaker_config *breaker)
{
	lb_pool_config config;
	lb_selector_config selection;

	memset(r, 0, sizeof *r);
	r->w.now = 1000 * LB_SECONDS;
	lb_env env = world_env(&r->w);
	lb_pool_config_init(&config, sizeof config);
	config.endpoints_max = 16;
	config.tickets_max = 64;
	config.lanes_max = 3;
	config.recent_max = 16;
	config.breaker = breaker;
	ck_ok(lb_pool_create(&r->pool, &config, &env));
	lb_selector_config_init(&selection, sizeof selection);
	selection.algorithm = algorithm;
	selection.random_start = 0;
	selection.seed = 42;
	ck_ok(lb_selector_create(&r->selector, r->pool, &selection));
	for (int i = 0; i < n; i++) {
		char name[8] = {'e', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
		ck_ok(lb_pool_add(r->pool, name, "url", weights ? weights[i] : 1, &r->e[i]));
	}
}

void rig_close(rig *r)
{
	lb_selector_destroy(r->selector);
	ck_ok(lb_pool_destroy(r->pool));
	ck_assert_int_eq(r->w.blocks, 0);
	ck_assert_int_eq(r->w.bytes, 0);
}

int rig_number(const rig *r, lb_endpoint endpoint)
{
	for (int i = 0; i < 16; i++)
		if (r->e[i] == endpoint)
			return i;
	return 99;
}

int rig_select(rig *r, lb_ticket *ticket)
{
	int error = lb_select(r->selector, NULL, ticket);

	return error == LB_OK ? rig_number(r, ticket->endpoint) : error;
}

int rig_pick(rig *r, lb_result result)
{
	lb_ticket ticket = {0};
	int number = rig_select(r, &ticket);

	if (number >= 0)
		ck_ok(lb_report_result(r->selector, &ticket, result));
	return number;
}

lb_endpoint_info rig_info(const rig *r, int number)
{
	lb_endpoint_info info;

	ck_ok(lb_pool_info(r->pool, r->e[number], &info, sizeof info));
	return info;
}

void rig_letters(rig *r, int n, char *letters)
{
	for (int i = 0; i < n; i++)
		letters[i] = (char)('a' + rig_pick(r, LB_SUCCESS));
	letters[n] = '\0';
}

long rounds(long normal)
{
	return getenv("LB_TEST_SMALL") ? normal / 20 + 1 : normal;
}
