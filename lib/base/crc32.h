/* CRC-32 (ISO 3309, polynomial 0x04c11db7, reflected), as nginx, zlib and PNG compute it. */
#ifndef LB_BASE_CRC32_H
#define LB_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, the CRC of what came before; 0 = nothing did. */
uint32_t lb_crc32(uint32_t crc, const void *data, size_t length);

/* The CRC of two texts one behind the other, from their CRCs and the second one's length. */
uint32_t lb_crc32_joined(uint32_t first, uint32_t second, uint64_t length_of_second);

#endif
