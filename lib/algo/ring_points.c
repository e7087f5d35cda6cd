/* Labels and their hashes. See ring_points.h. */
#include "algo/ring_points.h"

#include "base/crc32.h"
#include "base/md5.h"
#include "base/random.h"
#include "base/xxh64.h"

#include <string.h>

#define SEED 1u /* names are hashed by another one than keys */

/* The length of the host in "host:port"; the whole length if there is no port. */
static size_t host_length(const char *name, size_t length)
{
	size_t at = length;

	while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	return at > 0 && name[at - 1] == ':' ? at - 1 : length;
}

/* nginx, ngx_http_upstream_hash_module.c: "unix:" in any case. */
static bool is_unix(const char *name, size_t length)
{
	static const char mark[] = "unix:";

	if (length < 5)
		return false;
	for (size_t i = 0; i < 5; i++)
		if ((name[i] | 0x20) != (mark[i] | 0x20))
			return false;
	return true;
}

/* The CRC of HOST \0 PORT. */
static uint32_t base_of_nginx(const char *name, size_t length)
{
	if (is_unix(name, length))
		return lb_crc32(lb_crc32(0, name + 5, length - 5), "", 1);
	size_t host = host_length(name, length);
	size_t port = host < length ? host + 1 : length;
	return lb_crc32(lb_crc32(lb_crc32(0, name, host), "", 1), name + port, length - port);
}

static void append(lb_labels *labels, const char *text, size_t length)
{
	size_t room = sizeof labels->text - labels->length;

	if (length > room)
		length = room;
	memcpy(labels->text + labels->length, text, length);
	labels->length += length;
}

static void append_number(lb_labels *labels, uint32_t number)
{
	char digits[10];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	append(labels, digits + at, sizeof digits - at);
}

static void begin_libmemcached(lb_labels *labels, const char *name, size_t length)
{
	size_t host = host_length(name, length);
	bool usual = length - host == 6 && memcmp(name + host, ":11211", 6) == 0;

	append(labels, name, usual ? host : length);
	if (name[0] == '/')
		append(labels, ":0", 2);
	append(labels, "-", 1);
}

void lb_labels_begin(lb_labels *labels, lb_hash_profile profile, const char *name)
{
	size_t length = strlen(name);

	labels->profile = profile;
	labels->number = labels->last = 0;
	labels->length = 0;
	switch (profile) {
	case LB_HASH_NGINX:
		labels->base = base_of_nginx(name, length);
		return;
	case LB_HASH_LIBMEMCACHED:
		begin_libmemcached(labels, name, length);
		return;
	case LB_HASH_KETAMA:
		append(labels, name, length);
		append(labels, "-", 1);
		return;
	case LB_HASH_ENVOY:
		append(labels, name, length);
		append(labels, "_", 1);
		return;
	default:
		labels->base = lb_hash(name, length, SEED);
		return;
	}
}

/* Each point is the CRC of the name and the point before it, in little-endian order. */
static uint32_t next_of_nginx(lb_labels *labels)
{
	unsigned char last[4];

	for (uint32_t i = 0; i < 4; i++)
		last[i] = (unsigned char)(labels->last >> (8 * i));
	labels->last = lb_crc32((uint32_t)labels->base, last, sizeof last);
	return labels->last;
}

static void next_of_md5(const lb_labels *label, uint64_t points[4])
{
	uint32_t digest[4];

	lb_md5(label->text, label->length, digest);
	for (uint32_t i = 0; i < 4; i++)
		points[i] = digest[i];
}

void lb_labels_next(lb_labels *labels, uint64_t points[4])
{
	uint32_t number = labels->number++;
	size_t length = labels->length;

	if (labels->profile == LB_HASH_NGINX) {
		points[0] = next_of_nginx(labels);
		return;
	}
	if (labels->profile == LB_HASH_LBCORE) {
		points[0] = lb_mix64(labels->base + number * LB_RANDOM_STEP);
		return;
	}
	append_number(labels, number);
	if (labels->profile == LB_HASH_ENVOY)
		points[0] = lb_xxh64(labels->text, labels->length, 0);
	else
		next_of_md5(labels, points);
	labels->length = length;
}

uint64_t lb_ring_hash_key(lb_hash_profile profile, const void *key, size_t length)
{
	uint32_t digest[4];

	switch (profile) {
	case LB_HASH_NGINX:
		return lb_crc32(0, key, length);
	case LB_HASH_KETAMA:
	case LB_HASH_LIBMEMCACHED:
		lb_md5(key, length, digest);
		return digest[0];
	case LB_HASH_ENVOY:
		return lb_xxh64(key, length, 0);
	default:
		return lb_hash(key, length, 0);
	}
}
