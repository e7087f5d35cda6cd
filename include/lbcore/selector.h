/*
 * Selector: chooses the endpoint of each request by one algorithm.
 *
 * The loop that every host writes:
 *
 *	lb_ticket ticket = { 0 };
 *	while (lb_select(selector, NULL, &ticket) == LB_OK) {
 *		lb_result result = call(ticket.url);
 *		lb_report_result(selector, &ticket, result);
 *		if (result == LB_SUCCESS)
 *			break;
 *	}
 *
 * The ticket remembers where the request has been: a retry goes elsewhere, and the loop ends by itself.
 */
#ifndef LBCORE_SELECTOR_H
#define LBCORE_SELECTOR_H

#include <lbcore/base.h>
#include <lbcore/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_selector lb_selector;

typedef enum lb_algorithm {
	LB_ROUND_ROBIN,          /* exact rotation per lane, in order of addition; ignores weight */
	LB_WEIGHTED_ROUND_ROBIN, /* nginx's smooth sequence, per lane */
	LB_RANDOM,               /* by weight */
	LB_LEAST_CONNECTIONS,    /* the minimum of (in-flight + 1) / weight */
	LB_LEAST_RESPONSE_TIME,  /* the minimum of decayed latency x (in-flight + 1) / weight */
	LB_TWO_CHOICES,          /* two (or `choices`) drawn by weight, the least loaded wins */
	LB_PEAK_EWMA,       /* the same by latency x (in-flight + 1), which a slow answer raises at once */
	LB_RING_HASH,       /* the key's place on a ring of points */
	LB_MAGLEV,          /* the key's place in an even table */
	LB_MAP_HASH,        /* the key modulo the sum of the weights */
	LB_RENDEZVOUS,      /* the endpoint whose score with the key is highest */
	LB_FIRST_AVAILABLE, /* the first up to its in-flight limit, then the next */
	LB_LEAST_REQUEST /* Envoy's: `choices` drawn; of unequal weights, turns by weight / (in-flight + 1)^bias */
} lb_algorithm;

/* Whose labels, hash and rule: what others compute from the same names and weights. */
typedef enum lb_hash_profile {
	LB_HASH_LBCORE,       /* our own; by names and weights only, whatever the order of addition */
	LB_HASH_NGINX,        /* CRC-32: ring: `hash ... consistent`, map: `hash` */
	LB_HASH_NGINX_IP,     /* map: `ip_hash`; the key's bytes are the four octets of an IPv4 address */
	LB_HASH_KETAMA,       /* ring: MD5, libketama */
	LB_HASH_LIBMEMCACHED, /* ring: MD5, libmemcached's weighted ketama */
	LB_HASH_ENVOY         /* ring, Maglev: XXH64 */
} lb_hash_profile;

typedef struct lb_selector_config {
	size_t size;
	lb_algorithm algorithm; /* LB_TWO_CHOICES */
	uint32_t
	    random_start; /* 1: start at a random turn, so that a fleet does not hit the same endpoint first; 0 */
	uint32_t choices; /* how many are drawn, where an algorithm draws and compares: 2; 2 to 10 */
	lb_hash_profile hash_profile; /* LB_HASH_LBCORE */
	/*
	 * Maglev: entries, a prime up to 5,000,011; 0 = 65,537. Envoy's ring: the least number of points; 0 = 1,024. Other rings:
	 * points that fit, up to 8 Mi: with more, all endpoints get fewer in proportion; 0 = 160 for each of endpoints_max (ours 640,
	 * up to 1 Mi). Our own rings are the same in two pools with the same table_size and endpoints_max.
	 */
	uint32_t table_size;
	uint32_t
	    bound_percent; /* hashing: none takes more than this of its fair share of requests in flight; 0 = off; 100 to 1000 */
	uint32_t
	    bias_percent; /* LB_LEAST_REQUEST: the exponent, 100 = 1.0; 0 = in-flight does not count; at most 1000 */
	lb_span
	    first_latency; /* LB_PEAK_EWMA: what one that was never measured is taken for: 10 ms; 1 ns to 10 s */
	uint64_t seed;     /* of the random numbers; 0 = from the environment */
} lb_selector_config;

#define LB_TRIED_MAX 8
#define LB_CHOICES_MAX 10
#define LB_BIAS_MAX 1000 /* per cent */

/* How the endpoint came to be chosen. */
enum {
	LB_BY_ALGORITHM,
	LB_BY_PREFERENCE, /* the host asked for it */
	LB_BY_TRIAL,      /* its breaker is half open and wanted a trial */
	LB_BY_SPILL, /* another priority, degraded ones, or another zone than ours: the nearer cannot take it all */
	LB_BY_PANIC,       /* too few are usable, so all are used */
	LB_BY_LAST_RESORT, /* the algorithm's choices were all refused */
	LB_BY_FAIL_OPEN,   /* nobody is usable, and the pool fails open */
	LB_BY_LAST_GOOD    /* nobody is usable: one of those who were last */
};

/* One per request, in the caller's memory. Zero it before its first use; it may then be used again as it is. */
typedef struct lb_ticket {
	uint64_t id; /* 0 = not open */
	lb_endpoint endpoint;
	uint64_t tag;           /* the endpoint's */
	const char *name, *url; /* readable until the ticket is settled */
	lb_time started;
	uint32_t reason;   /* LB_BY_* */
	uint32_t attempts; /* how many of `tried` are set */
	lb_endpoint tried[LB_TRIED_MAX];
} lb_ticket;

enum {
	LB_REQUEST_KEY = 1 << 0,   /* the key is set, even if it is 0 */
	LB_REQUEST_HEDGE = 1 << 1, /* a second ticket for the same request: not counted as a retry */
	LB_REQUEST_TOKEN = 1 << 2  /* `prefer` comes of a token: a drained endpoint serves it, too */
};

/* What a request wants; all zero is the ordinary case. */
typedef struct lb_request {
	uint64_t key;       /* for algorithms that hash; the others ignore it */
	lb_endpoint prefer; /* this one, if it may be used */
	lb_time now;        /* 0 = ask the clock */
	lb_span timeout;    /* of the ticket: 0 = the pool's, LB_NEVER = none */
	uint32_t lane;      /* 0, or one that this thread joined */
	uint32_t flags;     /* LB_REQUEST_* */
} lb_request;

typedef struct lb_outcome {
	lb_result result;
	uint32_t status; /* the protocol's own, 0 = none; kept for later detectors */
	lb_span latency; /* 0 = measured by lbcore, from the select to now */
	lb_time now;     /* 0 = ask the clock */
} lb_outcome;

/* Finds an algorithm by its name, "two_choices". Returns LB_OK, LB_EINVAL, LB_ENOENT. Threads: look. */
int lb_algorithm_find(const char *name, lb_algorithm *algorithm);

/* Returns "round_robin" and so on, NULL for a value that is none. Threads: look. */
const char *lb_algorithm_name(lb_algorithm algorithm);

/* Writes the size and the defaults above; does nothing for NULL or an unknown size. Threads: look. */
void lb_selector_config_init(lb_selector_config *config, size_t size);

/*
 * Creates a selector over a pool; several may share one. `config` may be NULL.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION, LB_ENOMEM, LB_ELIMIT (selectors_max live). Threads: control.
 */
int lb_selector_create(lb_selector **selector, lb_pool *pool, const lb_selector_config *config);

/*
 * The bits of a key for lb_request.key, by the selector's hash profile. Profiles that hash to 32 bits use the low 32 of
 * a key; what else they need of its bytes is in the high ones. Returns 0 for a NULL selector. Threads: look.
 */
uint64_t lb_selector_hash(const lb_selector *selector, const void *key, size_t length);

/* Frees the selector; NULL is fine. Its open tickets may be reported through another one. Threads: owner. */
void lb_selector_destroy(lb_selector *selector);

/*
 * Chooses an endpoint and opens the ticket; each LB_OK is settled by one lb_report. Healthy endpoints of the first
 * usable priority come first, degraded ones when no healthy one may be used, unknown ones count as healthy. A ticket
 * that is still open is settled first as LB_FAILURE: the host came back for another endpoint. `request` may be NULL.
 * Returns LB_OK; LB_ENONE: empty, all down, open or tried, or eight tries made; LB_EFULL; LB_ELIMIT: the lane's ledger
 * is full (only this); LB_EINVAL, also for a lane that nobody joined. Threads: request.
 */
int lb_select(lb_selector *selector, const lb_request *request, lb_ticket *ticket);

/*
 * Looks into the table of the group of endpoints that serves first: returns its size, and fills in entry `i` if there is
 * one: of a ring (in the order of its points), of Maglev's table, of a turn sequence (`point` 0 for these two). Both
 * pointers may be NULL. Returns 0 for an algorithm that has no table. Threads: look.
 */
uint32_t lb_selector_table(const lb_selector *selector, uint32_t i, lb_endpoint *endpoint, uint64_t *point);

#define LB_REFUSALS_MAX 256

typedef struct lb_refusal {
	lb_endpoint endpoint;
	uint32_t why; /* LB_WHY_*, all that hold */
} lb_refusal;

/* What would become of a request. */
typedef struct lb_explanation {
	int result;            /* what lb_select would return */
	uint32_t reason;       /* LB_BY_* */
	lb_endpoint choice;    /* LB_NO_ENDPOINT if there is none */
	lb_endpoint runner_up; /* if the choice could not be used */
	uint32_t refused_n;    /* endpoints that could not have it; the first of them, in slot order: */
	lb_refusal refused[LB_REFUSALS_MAX];
} lb_explanation;

/*
 * Tells whom lb_select would choose for a new request now and why, and takes nothing: no turn, no ticket, no count, no trial. Random
 * numbers are those that the lane would draw next (a random hook is called, though). `request` may be NULL.
 * Returns LB_OK, LB_EINVAL, LB_EVERSION. Threads: request.
 */
int lb_explain(lb_selector *selector, const lb_request *request, lb_explanation *explanation, size_t size);

/*
 * Settles the ticket, once, whatever became of the request, through any selector of the pool. LB_SUCCESS and
 * LB_CANCELLED also make it ready for the next request.
 * Returns LB_OK; LB_ESTALE when it is settled already (by a report, its timeout, its lane's leave), zeroed, damaged or
 * of another pool: nothing is counted; LB_EINVAL: NULL or no such result, the ticket stays open. Threads: request.
 */
int lb_report(lb_selector *selector, lb_ticket *ticket, const lb_outcome *outcome);

/* The same with the latency measured by lbcore. Threads: request. */
int lb_report_result(lb_selector *selector, lb_ticket *ticket, lb_result result);

#ifdef __cplusplus
}
#endif

#endif
