/*
 * Chains: a primary and its backups, and where their traffic goes now. They lie in the pool's block, with their rules and
 * their history, because a transition on the request path of any thread (or process) has to move traffic at once. The
 * failover handle makes and dissolves them; nothing of them lies in its memory, so nothing is freed under a request.
 *
 * A chain is a row of slots, the primary first. What is active is one word, {16 bits epoch, 8 bits flags, 8 bits place}: a
 * switch is one compare-and-swap, so however many threads see the primary break, one of them moves the traffic,
 * writes the history and tells. Gates follow: a member that is not active anywhere has LB_WHY_STANDBY shut. Whoever switches
 * mends the gates of the whole chain, and lb_chains_poll does: a switcher that sleeps or died before it came to the gates
 * harms until the next of either only.
 */
#ifndef LB_POOL_CHAIN_H
#define LB_POOL_CHAIN_H

#include "core/standby.h"
#include "pool/pool.h"

#define LB_CHAIN_MEMBERS 8u  /* the primary included */
#define LB_CHAINS_MAX 1024u  /* or as many as endpoints, if those are fewer */
#define LB_HISTORY_MAX 1024u /* a power of two */

typedef struct lb_chain {
	lb_atomic32 length;                    /* 0 = free; members below it are valid; in order */
	lb_atomic32 members[LB_CHAIN_MEMBERS]; /* slots */
	lb_standby standby;
	lb_atomic64 failovers, failbacks;
	lb_atomic64 since; /* of the last switch */
} lb_chain;

/* One switch, as history keeps it. */
typedef struct lb_switch_cell {
	lb_mark mark; /* of the number, counted from 1 */
	lb_atomic32 kind, why;
	lb_atomic64 at, from, to;
} lb_switch_cell;

struct lb_chains {
	lb_atomic32 n; /* chains below this were in use since the manager was made */
	/* rules: see core/standby.h */
	lb_atomic32 successes, manual_return;
	lb_atomic64 hold_down, hold_up;
	lb_atomic32 moves_begun, moves_ended; /* of STANDBY gates: see lb_chains_mark */
	lb_atomic32 switches;    /* how many were ever begun: it runs on when another manager is made */
	lb_atomic32 before_mine; /* and of those, how many before this manager was made */
	lb_switch_cell history[LB_HISTORY_MAX];
	lb_chain chains[]; /* lb_chains_max */
};

static inline uint32_t lb_chains_max(uint32_t endpoints_max)
{
	return endpoints_max < LB_CHAINS_MAX ? endpoints_max : LB_CHAINS_MAX;
}

static inline size_t lb_chains_size(uint32_t endpoints_max)
{
	return sizeof(lb_chains) + lb_chains_max(endpoints_max) * sizeof(lb_chain);
}

/* Under control: a manager comes. No chains yet, no history, and these rules. */
void lb_chains_open(lb_pool *pool, const lb_standby_rules *rules);

/* Under control: it goes. All its chains dissolve; their members are ordinary endpoints from now on. */
void lb_chains_close(lb_pool *pool);

/* The rules in force. */
lb_standby_rules lb_chains_rules(const lb_pool *pool);

/* The chain of a primary, or NULL. */
lb_chain *lb_chain_of(const lb_pool *pool, uint32_t primary);

/* Which members may be used: bit i = place i. */
uint32_t lb_chain_usable(const lb_pool *pool, const lb_chain *chain);

/* Is the slot a backup in any chain? */
bool lb_chains_backup(const lb_pool *pool, uint32_t slot);

/* Under control: sets a slot's STANDBY gate by what the chains say of it. */
void lb_chains_set_gate(lb_pool *pool, uint32_t slot);

/* Makes `place` of the chain active, if nobody changed it since `word`. Any thread. False: somebody did. */
bool lb_chain_switch(lb_pool *pool, lb_chain *chain, uint32_t word, uint32_t place, lb_failover_kind kind,
		     lb_time now);

/*
 * The usability of `slot` may have changed: moves the traffic of the chains it is in, as far as it is due at `now`. Any
 * thread, any time, also on the request path: no lock, bounded steps. Does nothing without chains.
 */
void lb_chains_follow(lb_pool *pool, uint32_t slot, lb_time now);

/* The same for all chains, under control: at the end of each control call and at ticks. Returns when to come back. */
lb_time lb_chains_poll(lb_pool *pool, lb_time now);

/*
 * For a select that looks at one gate after the other while they move: a mark to be taken before it looks.
 * lb_chains_moved says afterwards whether a gate moved since, or was being moved then: so it may have looked at each just when
 * the other was open.
 */
static inline uint32_t lb_chains_mark(const lb_pool *pool)
{
	uint32_t ended = lb_get_in_order(&pool->chains->moves_ended);
	uint32_t begun = lb_get_in_order(&pool->chains->moves_begun);

	return begun == ended ? begun : begun - 1;
}

static inline bool lb_chains_moved(const lb_pool *pool, uint32_t mark)
{
	return lb_get_in_order(&pool->chains->moves_begun) != mark;
}

/*
 * A select found nobody: does what the poll does, from any thread. Whoever shut a primary's gate may have been stopped
 * before the backup's was opened.
 */
void lb_chains_help(lb_pool *pool, lb_time now);

/*
 * Does a primary that stands by need more successes before traffic may return to it, and is nobody checking it? Then
 * requests must prove it, also when its breaker has closed after fewer.
 */
bool lb_chain_wants_trial(const lb_pool *pool, uint32_t slot);

/* Under control: `slot` leaves the pool. A removed primary dissolves its chain, a removed backup leaves its chains. */
void lb_chains_remove(lb_pool *pool, uint32_t slot, lb_time now);

/* A check or a trial of `slot` passed or failed: counts for the return of traffic. Any thread. */
void lb_chains_checked(lb_pool *pool, uint32_t slot, bool passed, lb_time now);

#endif
