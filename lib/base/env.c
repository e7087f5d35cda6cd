/* Defaults of the host's hooks: the monotonic clock and libc's allocator. */
#define _POSIX_C_SOURCE 200809L

#include "base/env.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static lb_time default_now(void *user)
{
	struct timespec now;

	(void)user;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	return (lb_time)now.tv_sec * LB_SECONDS + (lb_time)now.tv_nsec;
}

static void *default_allocate(void *user, void *block, size_t old_size, size_t new_size)
{
	(void)user;
	(void)old_size;
	if (new_size == 0) {
		free(block);
		return NULL;
	}
	return realloc(block, new_size);
}

void lb_env_init(lb_env *env, size_t size)
{
	if (!env || size != sizeof *env)
		return;
	*env = (lb_env){.size = sizeof *env};
}

int lb_env_take(lb_env *out, const lb_env *env)
{
	if (env && env->size != sizeof *env)
		return LB_EVERSION;
	if (env)
		*out = *env;
	else
		lb_env_init(out, sizeof *out);
	if (!out->now)
		out->now = default_now;
	if (!out->allocate)
		out->allocate = default_allocate;
	return LB_OK;
}

void *lb_env_alloc(const lb_env *env, size_t size)
{
	void *block = env->allocate(env->user, NULL, 0, size);

	if (block)
		memset(block, 0, size);
	return block;
}

void lb_env_free(const lb_env *env, void *block, size_t size)
{
	if (block)
		env->allocate(env->user, block, size, 0);
}

uint64_t lb_env_seed(const lb_env *env, uint64_t salt)
{
	uint64_t random = env->random ? env->random(env->user) : 0;

	/* a host's hook may answer the same to everybody: the salt still tells two pools apart */
	return random ^ lb_mix64(lb_env_now(env) + lb_mix64(salt));
}
