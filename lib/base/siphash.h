/*
 * SipHash-2-4 with 64 bits of result: a hash that nobody can foretell or forge without the key.
 * Source: J.-P. Aumasson, D. J. Bernstein, SipHash: a fast short-input PRF, INDOCRYPT 2012.
 */
#ifndef LB_BASE_SIPHASH_H
#define LB_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define LB_SIP_KEY_SIZE 16u

typedef struct lb_sip_key {
	uint64_t low, high;
} lb_sip_key;

lb_sip_key lb_sip_key_from(const unsigned char bytes[LB_SIP_KEY_SIZE]);

/* Takes the same time for all keys and all bytes of one length. The same result on every machine. */
uint64_t lb_siphash(lb_sip_key key, const unsigned char *bytes, size_t length);

#endif
