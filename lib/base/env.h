/* The host's hooks with their defaults filled in: the one place where lbcore meets clock and memory. */
#ifndef LB_BASE_ENV_H
#define LB_BASE_ENV_H

#include <lbcore/base.h>

/* Copies `env` (may be NULL) and fills in the defaults of now and allocate. LB_OK, LB_EVERSION. */
int lb_env_take(lb_env *out, const lb_env *env);

static inline lb_time lb_env_now(const lb_env *env)
{
	return env->now(env->user);
}

/* Zeroed memory, or NULL. */
void *lb_env_alloc(const lb_env *env, size_t size);
void lb_env_free(const lb_env *env, void *block, size_t size);

/* 64 bits mixed from the hook's random number, the clock and `salt` (an address, say): for seeds. */
uint64_t lb_env_seed(const lb_env *env, uint64_t salt);

#endif
