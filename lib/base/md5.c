/* MD5. Source: RFC 1321. See md5.h. */
#include "base/md5.h"

#include <string.h>

/* clang-format off */
/* sin(1) to sin(64), absolute, times 2^32 */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
/* clang-format on */

static const unsigned char turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t read32(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t mixed(uint32_t round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round) {
	case 0:
		return (b & c) | (~b & d);
	case 1:
		return (b & d) | (c & ~d);
	case 2:
		return b ^ c ^ d;
	default:
		return c ^ (b | ~d);
	}
}

static void add_block(uint32_t state[4], const unsigned char *block)
{
	static const uint32_t steps[4] = {1, 5, 3, 7}, starts[4] = {0, 1, 5, 0};
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], words[16];

	for (uint32_t i = 0; i < 16; i++)
		words[i] = read32(block + 4 * (size_t)i);
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t round = i / 16;
		uint32_t word = words[(starts[round] + steps[round] * i) % 16];
		uint32_t sum = a + mixed(round, b, c, d) + sines[i] + word;
		uint32_t bits = turns[round][i % 4];
		a = d;
		d = c;
		c = b;
		b += sum << bits | sum >> (32 - bits);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void lb_md5(const void *data, size_t length, uint32_t digest[4])
{
	static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	const unsigned char *at = data;
	unsigned char tail[128] = {0};
	size_t left = length % 64, tail_length = left < 56 ? 64 : 128;

	memcpy(digest, start, sizeof start);
	for (size_t whole = length / 64; whole > 0; whole--, at += 64)
		add_block(digest, at);
	if (left > 0)
		memcpy(tail, at, left);
	tail[left] = 0x80;
	for (size_t i = 0; i < 8; i++)
		tail[tail_length - 8 + i] = (unsigned char)((uint64_t)length << 3 >> (8 * i));
	for (size_t i = 0; i < tail_length; i += 64)
		add_block(digest, tail + i);
}
