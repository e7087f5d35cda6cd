/*
 * Runs all suites, or those that are named as arguments (as in suites.inc). CK_FORK=no, CK_RUN_SUITE and so on work as in every
 * program of Check's.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int added;

static void add(SRunner *runner, const char *name, Suite *(*make)(void), int wanted_n, char **wanted)
{
	int at = 0;

	while (at < wanted_n && strcmp(wanted[at], name) != 0)
		at++;
	if (wanted_n > 0 && at == wanted_n)
		return;
	srunner_add_suite(runner, make());
	added++;
}

int main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);

#define SUITE(name) add(runner, #name, suite_##name, argc - 1, argv + 1);
#include "suites.inc"
#undef SUITE
	if (added == 0) {
		fprintf(stderr, "run-tests: no such suite\n");
		return EXIT_FAILURE;
	}
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
