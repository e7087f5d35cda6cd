/* What nginx 1.22.1 answered, recorded: tests/vectors/nginx.json. */
#ifndef RECORDED_H
#define RECORDED_H

#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The recordings by name; `file` = __FILE__ of a test that stands beside them. The caller gives them back: json_decref. */
static inline json_t *recorded_load(const char *file)
{
	char path[512];
	const char *slash = strrchr(file, '/');

	snprintf(path, sizeof path, "%.*s/nginx.json", (int)(slash - file), file);
	json_t *root = json_load_file(path, 0, NULL);
	ck_assert_ptr_nonnull(root);
	return root;
}

#endif
