/* XXH64, Y. Collet's 64-bit hash, as Envoy uses it. Reads bytes in little-endian order on every machine. */
#ifndef LB_BASE_XXH64_H
#define LB_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

uint64_t lb_xxh64(const void *data, size_t length, uint64_t seed);

#endif
