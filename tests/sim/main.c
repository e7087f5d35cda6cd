/* make sim: compares all algorithms in virtual time; prints tables, and draws a chart if a path is given. */
#define _POSIX_C_SOURCE 200809L
#include "sim/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static comparison all;

static void show_progress(int algorithm, int run)
{
	static const char bar[] = "##############################";
	int runs = all.algorithms * SITUATIONS * LOADS;
	int done = 30 * (algorithm * SITUATIONS * LOADS + run) / runs;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r  [%-30.*s] %-24s", done, bar, lb_algorithm_name(all.which[algorithm]));
}

static void run_all(void)
{
	/* a number may be kept for one that is not there yet */
	for (int a = 0; a < ALGORITHMS_MAX; a++)
		if (lb_algorithm_name((lb_algorithm)a))
			all.which[all.algorithms++] = (lb_algorithm)a;
	for (int a = 0; a < all.algorithms; a++) {
		for (int run = 0; run < SITUATIONS * LOADS; run++) {
			int situation = run / LOADS, load = run % LOADS;
			sim_config config = compare_config(all.which[a], situation, loads[load] / 100.0);
			show_progress(a, run);
			sim_run(&config, &all.results[a][situation][load]);
		}
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%60s\r", "");
}

static void show_table(int situation)
{
	printf("\n%s\n\n  %-22s", situations[situation], "");
	for (int l = 0; l < LOADS; l++)
		printf("  | %-28s", (const char *[]){"50 % load", "70 % load", "90 % load"}[l]);
	printf("\n  %-22s", "");
	for (int l = 0; l < LOADS; l++)
		printf("  | %6s %5s %5s %8s ", "queue", "p50", "p99", "lost");
	printf("\n");
	for (int a = 0; a < all.algorithms; a++) {
		printf("  %-22s", lb_algorithm_name(all.which[a]));
		for (int l = 0; l < LOADS; l++) {
			const sim_result *r = &all.results[a][situation][l];
			printf("  | %6.2f %5.0f %5.0f %6.2f %% ", r->queue, (double)r->p50 / 1e6,
			       (double)r->p99 / 1e6, 100 * compare_lost(r));
		}
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	printf(
	    "lbcore sim: 60 virtual seconds of 100 servers with 4 cores, half of them at half speed. Now "
	    "and\n"
	    "then each loses 60 %% of its cores for 2 s. Nobody tells the hosts: no weights, no breakers.\n"
	    "queue: mean number of requests open per server; p50, p99: ms; lost: not answered in 5 s.\n");
	run_all();
	for (int situation = 0; situation < SITUATIONS; situation++)
		show_table(situation);
	if (argc > 1 && !chart_write(argv[1], &all)) {
		fprintf(stderr, "sim: cannot write %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
