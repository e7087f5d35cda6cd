/* base64url. See base64.h. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void lb_base64_write(char *text, const unsigned char *bytes, size_t groups)
{
	for (; groups > 0; groups--, bytes += 3, text += 4) {
		uint32_t word = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
		for (unsigned i = 0; i < 4; i++)
			text[i] = alphabet[word >> (18 - 6 * i) & 63];
	}
}

bool lb_base64_read(unsigned char *bytes, const char *text, size_t groups)
{
	for (; groups > 0; groups--, bytes += 3, text += 4) {
		uint32_t word = 0;
		for (unsigned i = 0; i < 4; i++) {
			/* the terminator is not one of them */
			const char *found = memchr(alphabet, text[i], sizeof alphabet - 1);
			if (!found)
				return false;
			word = word << 6 | (uint32_t)(found - alphabet);
		}
		for (unsigned i = 0; i < 3; i++)
			bytes[i] = (unsigned char)(word >> (16 - 8 * i));
	}
	return true;
}
