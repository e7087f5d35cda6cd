/* Runs all suites. CK_FORK=no, CK_RUN_SUITE and so on work as in every program of Check's. */
#include "test.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(NULL);

#define SUITE(name) srunner_add_suite(runner, suite_##name());
#include "suites.inc"
#undef SUITE
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
