/*
 * make bench: what one select and its report cost, for every algorithm, beside the floors of the same run. With --judge it exits
 * 1 when a limit is passed; it refuses to judge (and says so, exit 0) when the floors moved during the run: then the machine, not
 * the library, was measured.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const uint32_t sizes[SIZES] = {3, 10, 100, 1000, 10000};

/* ns by algorithm, size, [lane 0, own], [one thread, two]. */
static double results[ALGORITHMS][SIZES][2][2];

/* F as it was while that was measured, and the extremes that it went through. */
static double locked[ALGORITHMS][SIZES];
static double locked_least = 1e9, locked_most;

static void note_floor(double *beside)
{
	*beside = floor_locked();
	if (*beside < locked_least)
		locked_least = *beside;
	if (*beside > locked_most)
		locked_most = *beside;
}

static void measure_all(void)
{
	for (int a = 0; a < ALGORITHMS; a++) {
		for (int n = 0; n < SIZES; n++) {
			subject s;
			double values[2][2][REPEATS];
			if (isatty(STDERR_FILENO))
				fprintf(stderr, "\r  %-22s N = %-6u ", lb_algorithm_name((lb_algorithm)a),
					sizes[n]);
			subject_make(&s, (lb_algorithm)a, sizes[n]);
			/* interleaved: whatever the machine does meanwhile, it does to all */
			for (int r = 0; r < REPEATS; r++)
				for (int own = 0; own < 2; own++)
					for (int threads = 1; threads <= 2; threads++)
						values[own][threads - 1][r] = subject_run(&s, own, threads);
			for (int own = 0; own < 2; own++)
				for (int t = 0; t < 2; t++)
					results[a][n][own][t] = median(values[own][t], REPEATS);
			subject_free(&s);
			note_floor(&locked[a][n]);
		}
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%40s\r", "");
}

static void show_table(const char *title, int own, int threads)
{
	printf("\n%s\n\n  %-22s", title, "ns (x F)");
	for (int n = 0; n < SIZES; n++)
		printf("     N = %-6u", sizes[n]);
	printf("\n");
	for (int a = 0; a < ALGORITHMS; a++) {
		printf("  %-22s", lb_algorithm_name((lb_algorithm)a));
		for (int n = 0; n < SIZES; n++) {
			double ns = results[a][n][own][threads];
			printf(" %7.1f (%5.1f)", ns, ns / locked[a][n]);
		}
		printf("\n");
	}
}

/* What others take, in ns on another machine (Zen 5, F = 5.3 ns): their own code in a harness, * = a model of it. */
static void show_peers(void)
{
	static const struct {
		const char *what, *figures[3];
	} peers[] = {
	    {"nginx smooth weighted round robin", {"38", "218", "40,000"}},
	    {"nginx least_conn, in a zone", {"95", "-", "110,000"}},
	    {"nginx hash consistent", {"189", "557", "50,300"}},
	    {"HAProxy roundrobin / random(2)", {"47 / 100", "-", "58 / 564"}},
	    {"HAProxy leastconn / hash", {"179 / 46", "-", "184 / 340"}},
	    {"Envoy least request *", {"27", "-", "23"}},
	    {"Envoy Maglev, the pick alone", {"15", "15", "14"}},
	    {"tower peak EWMA", {"542", "-", "645"}},
	};

	printf("\nPeers, a pick and its report, ns, on a machine with F = 5.3 ns (* = a model)\n\n");
	printf("  %-36s %12s %12s %12s\n", "", "N = 10", "N = 100", "N = 10,000");
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
		printf("  %-36s %12s %12s %12s\n", peers[i].what, peers[i].figures[0], peers[i].figures[1],
		       peers[i].figures[2]);
}

static bool limit(const char *what, double value, double most, const char *unit)
{
	printf("  %-6s %-62s %6.2f %s (limit %.2f)\n", value <= most ? "ok" : "ABOVE", what, value, unit,
	       most);
	return value <= most;
}

/* A figure of one thread in units of the F beside it. */
static double in_floors(lb_algorithm a, int n, int own)
{
	return results[a][n][own][0] / locked[a][n];
}

static bool judge(void)
{
	bool kept = true;
	char what[80];

	printf("\nLimits\n\n");
	/* the largest pool is held against the smaller ones, below */
	for (int n = 0; n < SIZES - 1; n++) {
		snprintf(what, sizeof what, "round robin, own lane, N = %u", sizes[n]);
		kept &= limit(what, in_floors(LB_ROUND_ROBIN, n, 1), 4.5, "F");
		snprintf(what, sizeof what, "two choices, own lane, N = %u", sizes[n]);
		kept &= limit(what, in_floors(LB_TWO_CHOICES, n, 1), 6, "F");
		snprintf(what, sizeof what, "two choices, lane 0, N = %u", sizes[n]);
		kept &= limit(what, in_floors(LB_TWO_CHOICES, n, 0), 14, "F");
		snprintf(what, sizeof what, "Maglev, own lane, N = %u", sizes[n]);
		kept &= limit(what, in_floors(LB_MAGLEV, n, 1), 4, "F");
		snprintf(what, sizeof what, "ring, own lane, N = %u", sizes[n]);
		kept &= limit(what, in_floors(LB_RING_HASH, n, 1), 6, "F");
		snprintf(what, sizeof what, "peak EWMA, own lane, N = %u", sizes[n]);
		kept &= limit(what, in_floors(LB_PEAK_EWMA, n, 1), 8, "F");
	}
	static const lb_algorithm flat[] = {
	    LB_ROUND_ROBIN, LB_WEIGHTED_ROUND_ROBIN, LB_RANDOM, LB_TWO_CHOICES, LB_PEAK_EWMA, LB_MAGLEV};
	for (int i = 0; i < 6; i++) {
		snprintf(what, sizeof what, "%s, own lane, N = 10,000 against N = 10",
			 lb_algorithm_name(flat[i]));
		kept &= limit(what, results[flat[i]][4][1][0] / results[flat[i]][1][1][0], 2.5, "x");
		snprintf(what, sizeof what, "%s, two own lanes, N = 10: time of each",
			 lb_algorithm_name(flat[i]));
		/* 1.4 x the work of one thread: each takes 2 / 1.4 of its time */
		kept &= limit(what, results[flat[i]][1][1][1] / results[flat[i]][1][1][0], 2 / 1.4, "x");
	}
	return kept;
}

int main(int argc, char **argv)
{
	bool judged = argc > 1 && strcmp(argv[1], "--judge") == 0;
	floors before = floors_measure();

	printf("lbcore bench: select + report, 64 in flight, time from the host, medians of %d\n", REPEATS);
	measure_all();
	floors after = floors_measure();
	printf("\nFloors, ns (before, after): locked add F %.2f %.2f   clock C %.1f %.1f   call %.2f %.2f\n",
	       before.locked, after.locked, before.clock, after.clock, before.call, after.call);
	printf("F beside the subjects: %.2f to %.2f; each ratio is to the F measured beside it\n",
	       locked_least, locked_most);
	show_table("Own lane, one thread", 1, 0);
	show_table("Lane 0, one thread", 0, 0);
	show_table("Own lanes, two threads (time of each)", 1, 1);
	show_table("Lane 0, two threads (time of each)", 0, 1);
	show_peers();
	bool kept = judge();
	if (locked_most > 1.15 * locked_least) {
		printf(
		    "\nThe floors moved by more than 15 %% during the run: somebody else was at work on this "
		    "machine, no judgement.\n");
		return 0;
	}
	return judged && !kept ? 1 : 0;
}
