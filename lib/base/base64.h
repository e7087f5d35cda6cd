/*
 * base64url (RFC 4648, section 5) of whole groups: 3 bytes are 4 characters. So there is no padding, and there is one
 * text only for the same bytes. The text has no terminator.
 */
#ifndef LB_BASE_BASE64_H
#define LB_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

void lb_base64_write(char *text, const unsigned char *bytes, size_t groups);

/* Whether all characters belong to the alphabet; what was written is good only then. */
bool lb_base64_read(unsigned char *bytes, const char *text, size_t groups);

#endif
