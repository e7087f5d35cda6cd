/* A random hook that answers from a script, and a clock that stands still: for tests that say what each draw is. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "test.h"

/* The numbers that the hook answers, one after another, round and round; `at` = how many it was asked for. */
typedef struct script {
	const uint64_t *numbers;
	size_t n, at;
} script;

static inline uint64_t script_next(void *user)
{
	script *s = user;

	return s->n == 0 ? 0 : s->numbers[s->at++ % s->n];
}

static inline lb_time script_now(void *user)
{
	(void)user;
	return 1000 * LB_SECONDS;
}

/* The world of an empty script, which answers 0. */
static inline lb_env script_env(script *s)
{
	lb_env env;

	*s = (script){.n = 0};
	lb_env_init(&env, sizeof env);
	env.user = s;
	env.now = script_now;
	env.random = script_next;
	return env;
}

static inline void script_play(script *s, const uint64_t *numbers, size_t n)
{
	s->numbers = numbers;
	s->n = n;
	s->at = 0;
}

/* The least 32 bits that choose `i` of `n`. */
static inline uint64_t script_bits(uint64_t i, uint64_t n)
{
	return ((i << 32) + n - 1) / n;
}

#endif
