/* An endpoint's points on the ring: what a profile makes of its name. */
#ifndef LB_ALGO_RING_POINTS_H
#define LB_ALGO_RING_POINTS_H

#include <lbcore/selector.h>

#define LB_LABEL_BYTES 96u /* a name of 63, marks, a port and a number */

typedef struct lb_labels {
	lb_hash_profile profile;
	uint32_t number; /* of the next label */
	uint64_t base;   /* the name's hash */
	uint32_t last;   /* nginx: the last point */
	size_t length;   /* of the text before the number */
	char text[LB_LABEL_BYTES];
} lb_labels;

/*
 * Begins with an endpoint's first label.
 *
 * nginx: "host:port" is split at the colon before digits at the end; "unix:" in front is no part of a path. libmemcached: port
 * 11211, or none, is not written; a name that begins with a slash is a socket's path, port 0.
 */
void lb_labels_begin(lb_labels *labels, lb_hash_profile profile, const char *name);

/* Writes the next label's points, one or four (lb_ring_points_of_label). */
void lb_labels_next(lb_labels *labels, uint64_t points[4]);

/* A key's place among the points. */
uint64_t lb_ring_hash_key(lb_hash_profile profile, const void *key, size_t length);

#endif
