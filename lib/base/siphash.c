/* SipHash-2-4. See siphash.h. */
#include "base/siphash.h"

#include "base/bytes.h"

typedef struct lb_sip {
	uint64_t v0, v1, v2, v3;
} lb_sip;

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(lb_sip *sip, unsigned rounds)
{
	lb_sip s = *sip;

	for (unsigned i = 0; i < rounds; i++) {
		s.v0 += s.v1;
		s.v2 += s.v3;
		s.v1 = rotate(s.v1, 13) ^ s.v0;
		s.v3 = rotate(s.v3, 16) ^ s.v2;
		s.v0 = rotate(s.v0, 32) + s.v3;
		s.v2 += s.v1;
		s.v3 = rotate(s.v3, 21) ^ s.v0;
		s.v1 = rotate(s.v1, 17) ^ s.v2;
		s.v2 = rotate(s.v2, 32);
	}
	*sip = s;
}

static void absorb(lb_sip *sip, uint64_t word)
{
	sip->v3 ^= word;
	mix(sip, 2);
	sip->v0 ^= word;
}

lb_sip_key lb_sip_key_from(const unsigned char bytes[LB_SIP_KEY_SIZE])
{
	return (lb_sip_key){.low = lb_bytes_load(bytes, 8), .high = lb_bytes_load(bytes + 8, 8)};
}

uint64_t lb_siphash(lb_sip_key key, const unsigned char *bytes, size_t length)
{
	lb_sip sip = {
	    .v0 = key.low ^ UINT64_C(0x736f6d6570736575),
	    .v1 = key.high ^ UINT64_C(0x646f72616e646f6d),
	    .v2 = key.low ^ UINT64_C(0x6c7967656e657261),
	    .v3 = key.high ^ UINT64_C(0x7465646279746573),
	};

	size_t left = length;
	for (; left >= 8; left -= 8, bytes += 8)
		absorb(&sip, lb_bytes_load(bytes, 8));
	absorb(&sip, (uint64_t)length << 56 | lb_bytes_load(bytes, left));
	sip.v2 ^= 0xff;
	mix(&sip, 4);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
