/* The writers' lock. See lease.h. */
#include "base/lease.h"

#include "base/span.h"

#define PAUSE_MAX 1024u

static void pause_for(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#else
		atomic_signal_fence(memory_order_seq_cst); /* keeps the empty loop */
#endif
	}
}

static uint32_t next_holding(lb_lease *lease)
{
	uint32_t holding;

	do {
		holding = lb_add(&lease->last, 1) + 1;
	} while (holding == 0);
	return holding;
}

uint32_t lb_lease_begin(lb_lease *lease, const lb_env *env, lb_time *now)
{
	uint32_t mine = next_holding(lease);
	uint32_t waited_for = 0;
	lb_time since = 0;

	for (uint32_t pause = 1;; pause = pause < PAUSE_MAX ? pause * 2 : PAUSE_MAX) {
		uint32_t seen = 0;
		/* the clock is the host's hook: it is asked before the lock is held, each time anew */
		*now = lb_env_now(env);
		/* acquire: what the last holder wrote; release: the next one sees what we write */
		if (lb_cas(&lease->holder, &seen, mine))
			return mine;
		if (seen != waited_for) {
			/* the patience counts from when *this* holder was first seen: a busy lock is not a dead one */
			waited_for = seen;
			since = *now;
		} else if (lb_time_since(*now, since) > LB_LEASE && lb_cas(&lease->holder, &seen, mine)) {
			return mine;
		}
		pause_for(pause);
	}
}

void lb_lease_end(lb_lease *lease, uint32_t holding)
{
	lb_cas(&lease->holder, &holding, 0);
}
