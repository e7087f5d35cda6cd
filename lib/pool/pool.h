/*
 * The pool inside: what lies in the block, and the handle that finds it.
 *
 * In the block there are numbers only: slots name endpoints, offsets are worked out from capacities. The handle (struct
 * lb_pool) is this process's: hooks, and the addresses of the arrays.
 *
 * Who writes what
 *   slots, names, views    control, under header->lease; others only look
 *   gates                  control and, for the breaker's and the standby's bit, whoever makes a transition
 *   circuits               anybody, by compare-and-swap (core/circuit.h), if the pool has breakers
 *   a lane's arrays        its owner; lane 0: anybody, with locked instructions
 */
#ifndef LB_POOL_POOL_H
#define LB_POOL_POOL_H

#include "algo/algo.h"
#include "base/env.h"
#include "base/lease.h"
#include "core/circuit.h"
#include "core/figures.h"
#include "core/gates.h"
#include "core/ledger.h"
#include "core/mark.h"
#include "core/ramp.h"
#include "core/recent.h"
#include "core/shares.h"
#include "core/zones.h"

#include <lbcore/failover.h>
#include <lbcore/health.h>
#include <lbcore/pool.h>

/* An endpoint leaves its slot when this long nothing could be sent to it and its counts are 0. */
#define LB_GRACE (100 * LB_MILLISECONDS)

enum { LB_SLOT_FREE, LB_SLOT_LIVE, LB_SLOT_LEAVING };

/* One endpoint. The first line is what a select and a report read of it. */
typedef struct lb_slot {
	_Alignas(LB_LINE) lb_atomic32 gates; /* core/gates.h: 0 reasons = it may get requests */
	lb_atomic32 generation;              /* rises each time the slot is given to an endpoint; never 0 */
	lb_atomic64 tag;
	lb_atomic32 inflight_max;
	lb_atomic32 stand_in; /* slot + 1 of the endpoint that takes its turns while it stands by; 0 = none */
	lb_atomic32 life;     /* LB_SLOT_* */
	lb_atomic32 admin;
	lb_circuit circuit; /* all zero, which is closed, in a pool without breakers */
	lb_atomic32 health, priority, zone;
	lb_atomic32 checks_failed, checks_passed; /* in a row */
	lb_atomic64 checked;                      /* when; 0 = never */
} lb_slot;

/* What control and looks read of an endpoint besides; apart, so that the slots that requests touch lie close together. */
typedef struct lb_about {
	_Alignas(LB_LINE) lb_atomic64 removed; /* when */
	lb_atomic32 order;                     /* of addition */
	lb_atomic32 serving;                   /* it was usable when the last view was made */
	lb_atomic32 returned;                  /* its breaker closed since then */
	lb_atomic32 good; /* the last view that had it among the usable; see header->good */
	lb_ramp ramp;
	lb_atomic64 ramp_base; /* how many of its requests had succeeded when the ramp began */
	lb_atomic32 earlier,
	    later; /* neighbours in order of addition; `later` also links free slots; LB_NO_SLOT = none */
	lb_atomic32 namesake;       /* next slot of the same bucket of the name index; LB_NO_SLOT = none */
	char name[LB_NAME_MAX + 1]; /* read with base/text.h, but by the holder of an open ticket */
	char url[LB_URL_MAX + 1];
} lb_about;

typedef struct lb_view_tier {
	lb_atomic32 number, first, n;
	lb_atomic32 until;  /* per cent of the requests that go to this tier or to one before it */
	lb_atomic32 panic;  /* LB_PANIC_* */
	lb_atomic32 reason; /* LB_BY_*, of whom the algorithm chooses here */
	/* how it is divided between its zones: LB_DIVIDED_*, and which of the view's groups they are */
	lb_atomic32 divided, groups, groups_n;
	lb_atomic32 own;   /* the group of our zone, from `groups` on; groups_n = it has no endpoints */
	lb_atomic32 local; /* what stays there, in parts of LB_ZONE_ROUTES */
} lb_view_tier;

/* Health and breakers are not asked in a tier that panics: all its priority's endpoints are in it; or nobody is, if panic fails. */
enum { LB_PANIC_NONE, LB_PANIC_ALL, LB_PANIC_FAILS };

enum { LB_DIVIDED_NOT, LB_DIVIDED_BY_WEIGHT, LB_DIVIDED_NEARBY };

/* One zone of a tier that is divided. */
typedef struct lb_view_group {
	lb_atomic32 first, n;
	lb_atomic32 until; /* cumulative: of LB_ZONE_PARTS by weight, nearby of the capacity that is left */
} lb_view_group;

#define LB_ZONE_GROUPS_MAX (LB_GROUPS_MAX - LB_TIERS_MAX)

/* What a view stands for: those who are usable, or what fail_mode says of a pool without any. */
enum { LB_VIEW_USABLE, LB_VIEW_OPEN, LB_VIEW_LAST_GOOD };

/* A view but for its members. Nothing but 32-bit words, so that two views can be compared word by word. */
typedef struct lb_view {
	_Alignas(LB_LINE) lb_atomic32 tiers_n;
	lb_atomic32
	    only; /* the place of a tier that gets all requests, whole and without panic, or LB_TIERS_MAX */
	/* that tier for the ordinary way: the first so many members (0: not the first, or there is none), number, reason */
	lb_atomic32 only_n, only_number, only_reason;
	lb_atomic32 mode;                 /* LB_VIEW_* */
	lb_atomic32 eligible_n;           /* the first so many members are in tiers */
	lb_atomic32 members_n;            /* then all other living ones */
	lb_view_tier tiers[LB_TIERS_MAX]; /* in the order in which they serve */
	lb_view_group groups[LB_ZONE_GROUPS_MAX];
} lb_view;

/* One of the two places for a view. */
typedef struct lb_half {
	lb_view *view;
	lb_member *members; /* slots */
} lb_half;

/* What is told about a zone: lb_pool_set_zone. */
typedef struct lb_zone {
	lb_atomic32 number; /* 0 = free */
	lb_atomic32 weight, callers;
} lb_zone;

typedef struct lb_pool_header {
	/* read by every select, written when something changes */
	_Alignas(LB_LINE) lb_atomic32 view; /* the published sequence; its lowest bit is the half */
	lb_atomic32 era;                    /* of the statistics */
	lb_atomic64 trial_at;               /* when a select shall look for a circuit that wants a trial */
	lb_atomic32 trial_slot;             /* where it goes on looking */
	lb_atomic32 lanes_joined;           /* how often a lane was joined: 0 = there is lane 0 only */
	lb_atomic32 slots_used;             /* slots below this were in use at some time */
	lb_atomic32 dirty;                  /* the view should be published anew */
	lb_atomic32 peaks;                  /* how many selectors go by peak averages */
	/* control */
	_Alignas(LB_LINE) lb_lease lease;
	lb_atomic32 live, leaving;  /* endpoints */
	lb_atomic32 oldest, newest; /* ends of the list in order of addition */
	lb_atomic32 free;           /* head of the list of free slots */
	lb_atomic32 orders;         /* the last `order` given */
	lb_atomic32 index_version;  /* of the name index: odd while it is being changed */
	lb_atomic32 good;           /* the last view that had somebody usable; counts up, 0 = none yet */
	lb_atomic32 started; /* the pool's first start is over: from now on new endpoints start slowly */
	lb_atomic64 first_serving; /* when somebody was usable for the first time; 0 = not yet */
	lb_zone zones[LB_ZONES];
	lb_atomic64 since; /* the statistics' era began; the sums over the lanes then: */
	lb_atomic64 none_base, full_base, limit_base, retries_base;
	lb_atomic32 selectors[LB_SELECTORS_MAX]; /* algorithm + 1; 0 = free */
} lb_pool_header;

/* A lane's own words. */
typedef struct lb_lane_head {
	_Alignas(LB_LINE) lb_atomic64 stream; /* of random numbers */
	lb_atomic64 worker;                   /* its owner; 0 = nobody */
	lb_atomic64 attend_at;                /* when a select shall look after the lane again */
	lb_atomic32 refresh_slot;             /* from which slot on it looks at the other lanes' counts */
	lb_atomic32 swept;                    /* the row that the sweep for forgotten tickets looks at next */
	lb_atomic32 overdue;       /* a tick saw a forgotten ticket that only the owner may settle */
	lb_atomic32 ledger_cursor; /* 0 = no request yet */
	lb_atomic32 recent_written;
	_Alignas(LB_LINE) lb_atomic64 none; /* answers, see stats.h */
	lb_atomic64 full, limit, retries;
} lb_lane_head;

/* A lane as this process sees it. */
typedef struct lb_lane {
	lb_lane_head *head;
	lb_load *loads;     /* by slot */
	lb_record *records; /* by slot */
	lb_ledger ledger;
	lb_recent recent;
	lb_algo_lane algo; /* the same for algorithms, to read */
	uint32_t number;
	bool shared;   /* lane 0 */
	uint32_t mark; /* the upper bits of its tickets' ids */
} lb_lane;

/* An entry of the ring of events; see pool/events.h. */
typedef struct lb_event_cell {
	lb_mark mark; /* of the low half of the sequence that it holds */
	lb_atomic32 kind, from, to;
	lb_atomic64 at, endpoint, other, tag;
	char name[LB_NAME_MAX + 1];
} lb_event_cell;

/* The ring holds as many events as one call can make that adds, changes or frees every slot: a power of two, at least. */
#define LB_EVENTS_MIN 512u
#define LB_EVENTS_SPARE 128u

typedef struct lb_events {
	_Alignas(LB_LINE) lb_atomic32 written; /* low half of the last sequence given */
	lb_event_cell cells[];                 /* events_n */
} lb_events;

/* A selector of this process, as far as publishing needs it: the algorithm whose tables are built with each view. */
typedef struct lb_tables {
	const lb_algo *algo; /* NULL = no selector here */
	const lb_algo_rules *rules;
	void *state;
} lb_tables;

/* Called by the pool after a change, to move traffic between primaries and backups; see pool/chain.h. */
typedef struct lb_chains lb_chains;

struct lb_pool {
	lb_env env;
	char name[LB_NAME_MAX + 1];
	/* rules, fixed at creation */
	lb_decay decay;
	lb_span ticket_timeout, failure_latency;
	lb_circuit_rules breaker;
	bool has_breaker;
	lb_health_status initial_health;
	lb_shares_rules shares;
	bool panic_fails;
	lb_fail_mode fail_mode;
	uint32_t zone, zone_endpoints_min;
	lb_ramp_rules ramp;
	bool has_ramp;
	uint32_t endpoints_max, selectors_max, recent_max, lanes_n; /* lanes_n: lane 0 included */
	uint32_t index_mask;                                        /* buckets of the name index - 1 */
	uint32_t events_n;   /* cells of the ring of events, a power of two */
	uint32_t nonce;      /* 16 bits that tell this pool's ids from another's */
	lb_algo_shape shape; /* slots, lanes */
	/* the block */
	lb_memory memory; /* what was allocated for it, {NULL, 0} if it is the caller's */
	lb_pool_header *header;
	lb_slot *slots;
	lb_about *about;            /* by slot */
	lb_atomic32 *weights;       /* by slot: as configured */
	lb_atomic32 *weights_now;   /* by slot: x LB_WEIGHT_UNIT x what its slow start leaves of it */
	lb_atomic32 *weights_keyed; /* by slot: as hashing sees them, the zones' weights included */
	lb_atomic32 *ramps;   /* by slot: the part of its weight in slow start, of 2^32; 0 = all of it */
	lb_trial *cells;      /* by slot x breaker.trials */
	lb_atomic32 *index;   /* buckets of the name index: slot, or LB_NO_SLOT */
	lb_atomic32 *scratch; /* as many as buckets: a table for lb_pool_sync */
	lb_half halves[2];
	lb_member *levels; /* slots: control's, while tables are built */
	lb_events *events;
	lb_chains *chains;      /* of primaries and backups: none without a failover manager */
	lb_baseline *baselines; /* by slot: where the figures stood at the last reset of the statistics */
	lb_baseline *retired;   /* the figures of endpoints that are gone */
	lb_lane *lanes;         /* lanes_n */
	/* this process's */
	lb_atomic32 delivered; /* low half of the last sequence handed to the event hook */
	lb_atomic64 events_lost;
	lb_health *health;     /* the one checker, or NULL */
	lb_failover *failover; /* the one failover manager, or NULL */
	lb_tables *tables;     /* by selector; under control */
};

/* Ids: {32 generation, 16 slot, 16 nonce}. */
static inline lb_endpoint lb_pool_id(const lb_pool *pool, uint32_t slot, uint32_t generation)
{
	return (lb_endpoint)generation << 32 | slot << 16 | pool->nonce;
}

/* The slot that an id names; whether it still holds that endpoint is another question. */
static inline uint32_t lb_endpoint_slot(lb_endpoint endpoint)
{
	return (uint32_t)(endpoint >> 16) & 0xffff;
}

static inline lb_endpoint lb_pool_id_of(const lb_pool *pool, uint32_t slot)
{
	return lb_pool_id(pool, slot, lb_get(&pool->slots[slot].generation));
}

/* Ids of tickets: {6 of the nonce, 6 lane, 20 row, 32 the row's word}; the first two are the lane's mark. */
static inline uint32_t lb_lane_mark(const lb_pool *pool, uint32_t lane)
{
	return (pool->nonce & 63) << 6 | lane;
}

static inline uint64_t lb_ticket_id(const lb_lane *lane, uint32_t row, uint32_t word)
{
	return ((uint64_t)lane->mark << 20 | row) << 32 | word;
}

/* The lane that the id's row lies in; NULL for an id that is none of this pool's. */
static inline const lb_lane *lb_ticket_lane(const lb_pool *pool, uint64_t id)
{
	uint32_t number = (uint32_t)(id >> 52) & 63;

	if (number >= pool->lanes_n)
		return NULL;
	const lb_lane *lane = &pool->lanes[number];
	return id >> 52 == lane->mark ? lane : NULL;
}

static inline bool lb_pool_has_selectors(const lb_pool *pool)
{
	for (uint32_t i = 0; i < pool->selectors_max; i++)
		if (lb_get(&pool->header->selectors[i]) != 0)
			return true;
	return false;
}

/* The slot of an endpoint that lives, or (if `leaving`) waits for its last ticket; else LB_NO_SLOT. */
uint32_t lb_pool_slot(const lb_pool *pool, lb_endpoint endpoint, bool leaving);

/* Requests open at a slot, over all lanes. */
uint32_t lb_pool_inflight(const lb_pool *pool, uint32_t slot);

/* The cells of a slot's circuit. */
static inline lb_trial *lb_pool_cells(const lb_pool *pool, uint32_t slot)
{
	return &pool->cells[(size_t)slot * pool->breaker.trials];
}

/* Reasons (LB_WHY_*) that shut a slot now, its in-flight limit included. */
uint32_t lb_pool_why(const lb_pool *pool, uint32_t slot);

/* Sets or clears one reason in a slot's gates. Any thread. */
static inline void lb_gates_set(lb_slot *slot, uint32_t why, bool shut)
{
	if (shut)
		lb_or(&slot->gates, why);
	else
		lb_and(&slot->gates, ~why);
}

/*
 * Control calls stand between these two: begin takes the lease; end moves failovers that wait for nothing, publishes
 * the view (if `changed`), gives the lease back and hands out events.
 */
typedef struct lb_control {
	lb_pool *pool;
	uint32_t holding;
	lb_time now;
} lb_control;

lb_control lb_control_begin(lb_pool *pool);
void lb_control_end(lb_control *control, bool changed);

/* Under control: sets health, its gate, and tells. Checks in a row are the caller's to write (slot->checks_*). */
void lb_pool_put_health(lb_control *control, uint32_t slot, lb_health_status health);

/* Under control: sets the weight, its gate, and tells. */
void lb_pool_put_weight(lb_control *control, uint32_t slot, uint32_t weight);

/*
 * A circuit of `slot` made a transition: sets the gate, lets failovers follow, tells. Any thread, any time: called by
 * whoever won the transition, with the turn that core/circuit.h filled in; does nothing if from == to.
 */
void lb_pool_turned(lb_pool *pool, uint32_t slot, const lb_turn *turn, lb_time now);

#endif
