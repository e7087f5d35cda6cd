/*
 * Token: a short text, made for a cookie, that brings a client back to the endpoint that served it.
 *
 *	char text[LB_TOKEN_MAX];
 *	lb_request request = { 0 };
 *	if (cookie && lb_token_read(pool, keys, 2, cookie, length, today(), &request.prefer) == LB_OK)
 *		request.flags = LB_REQUEST_TOKEN;
 *	if (lb_select(selector, &request, &ticket) == LB_OK && ticket.endpoint != request.prefer &&
 *	    lb_token_make(pool, &keys[0], ticket.endpoint, today() + 3600 * LB_SECONDS, text, sizeof text) == LB_OK)
 *		set_cookie(text);
 *
 * Nothing is remembered: the token says all. It names the endpoint by a hash of its name, so it is good after a restart,
 * in another process and in another pool that knows the name; a pool that must not take another's tokens gets keys of its
 * own. It is a preference, never an order: one that was forged, has expired, or names an endpoint that is gone counts as
 * none, and lb_select asks of the endpoint what it asks of every other. But with LB_REQUEST_TOKEN a drained endpoint still
 * serves who has a token of it; that is why no new ones are made for it.
 *
 * What a client can do with it: send it back. It can neither change it, nor make one for another endpoint, nor see in it
 * a name, an address or an order. It sees when it expires, and whether two tokens are the same, which means the same
 * endpoint and the same expiry. It can give it to others: a token proves nothing about who sends it. Forging succeeds with
 * one try in 2^64.
 *
 * The text: a version, then in base64url the expiry, the name's hash, encrypted, and a tag. SipHash-2-4 in the order of
 * a synthetic initialisation vector: the tag over version, expiry and hash, then the hash encrypted under tag and expiry.
 * Sources: J.-P. Aumasson, D. J. Bernstein, SipHash: a fast short-input PRF (2012); P. Rogaway, T. Shrimpton, A
 * provable-security treatment of the key-wrap problem (2006); RFC 4648, section 5.
 *
 * Times here are not those of the pool: the host passes nanoseconds since 1970, for a monotonic clock starts anew with
 * the machine. lbcore itself reads no such clock.
 */
#ifndef LBCORE_TOKEN_H
#define LBCORE_TOKEN_H

#include <lbcore/base.h>
#include <lbcore/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a token's text, the terminator included. Each is exactly as long: letters, digits, '-' and '_'. */
#define LB_TOKEN_MAX 34

/* 16 bytes from a source that nobody can guess (getrandom, a secret's file), the same wherever tokens shall be good. */
typedef struct lb_token_key {
	unsigned char bytes[16];
} lb_token_key;

/*
 * Makes a token for a living endpoint, good as long as `now` is less than `expires`. The key is not kept.
 * Returns LB_OK; LB_EINVAL: also for a key of nothing but zeros (one that was never set) and for `expires` 0; LB_ELIMIT:
 * `size` is less than LB_TOKEN_MAX; LB_ENOENT: no such endpoint, or it was removed; LB_EBUSY: it is drained or down,
 * so it gets no new clients. Threads: look.
 */
int lb_token_make(const lb_pool *pool, const lb_token_key *key, lb_endpoint endpoint, lb_time expires,
		  char *text, size_t size);

/*
 * Finds the endpoint of a token, drained or not. `text` is what the client sent: any `length` bytes, no terminator needed.
 * `keys` are all that are good: to rotate, put the new one first and make tokens with it, and take the old one away when
 * its last token has expired. All `n` are tried, and in the same time whatever the text is.
 * Returns LB_OK; LB_EINVAL: NULL, `n` or `now` is 0, or a key of nothing but zeros; LB_ESTALE: it was a token, and has
 * expired; LB_ENOENT: forged, damaged, made with another key, or its endpoint is gone (one code, since the host does the
 * same: go on without a preference). Should two living endpoints have names of one hash, neither is found.
 * Threads: look.
 */
int lb_token_read(const lb_pool *pool, const lb_token_key *keys, uint32_t n, const char *text, size_t length,
		  lb_time now, lb_endpoint *endpoint);

#ifdef __cplusplus
}
#endif

#endif
