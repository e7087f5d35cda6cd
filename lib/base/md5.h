/* MD5, as ketama's rings use it: to spread labels, not to keep secrets. */
#ifndef LB_BASE_MD5_H
#define LB_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

/* The digest as four words; each stands for four of its bytes, the first one lowest. */
void lb_md5(const void *data, size_t length, uint32_t digest[4]);

#endif
