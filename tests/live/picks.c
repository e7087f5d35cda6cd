/*
 * What lbcore picks, for live comparisons: `picks METHOD NAME=WEIGHT[=down]...` reads a key on each line and writes the name of the
 * endpoint. Exits 3 when this lbcore lacks the method.
 */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	lb_algorithm algorithm;
	lb_hash_profile profile;
} methods[] = {
    {"hash", LB_MAP_HASH, LB_HASH_NGINX},
    {"consistent", LB_RING_HASH, LB_HASH_NGINX},
    {"ip_hash", LB_MAP_HASH, LB_HASH_NGINX_IP},
    {"round_robin", LB_WEIGHTED_ROUND_ROBIN, LB_HASH_LBCORE},
};

static int add(lb_pool *pool, char *described)
{
	char *weight = strchr(described, '=');
	char *down = weight ? strchr(weight + 1, '=') : NULL;
	lb_endpoint endpoint;

	if (!weight)
		return LB_EINVAL;
	*weight++ = '\0';
	int error = lb_pool_add(pool, described, "", (uint32_t)strtoul(weight, NULL, 10), &endpoint);
	return error == LB_OK && down ? lb_pool_set_admin(pool, endpoint, LB_ADMIN_DOWN) : error;
}

/* An address's key is its four octets, any other key its text. */
static uint64_t key_of(const lb_selector *selector, bool address, const char *text)
{
	unsigned int octets[4] = {0};
	unsigned char bytes[4];

	if (!address)
		return lb_selector_hash(selector, text, strlen(text));
	if (sscanf(text, "%u.%u.%u.%u", &octets[0], &octets[1], &octets[2], &octets[3]) != 4)
		live_fail("no address");
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)octets[i];
	return lb_selector_hash(selector, bytes, sizeof bytes);
}

int main(int argc, char **argv)
{
	live_pair made;
	char line[256];
	size_t m = 0;

	while (argc > 1 && m < 4 && strcmp(argv[1], methods[m].name) != 0)
		m++;
	if (argc < 3 || m == 4)
		return 2;
	live_make(&made, methods[m].algorithm, methods[m].profile);
	for (int i = 2; i < argc; i++)
		if (add(made.pool, argv[i]) != LB_OK)
			live_fail(argv[i]);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		puts(live_pick(&made, key_of(made.selector, methods[m].profile == LB_HASH_NGINX_IP, line)));
	}
	live_free(&made);
	return 0;
}
