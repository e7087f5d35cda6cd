/*
 * The chart of make sim: p99 of each algorithm, a bar for each load, a panel for each situation, on a logarithmic axis.
 * No background and middle tones only, so that it can be read on light and dark pages.
 */
#include "sim/compare.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WIDTH = 960,
	NAMES = 176, /* the column of names */
	PANEL = 328,
	GAP = 64, /* between panels: room for the last bar's number */
	TOP = 96,
	BAR = 11,
	ROW = LOADS * BAR + 12
};

#define INK "#7a828c"

static const char *const colours[LOADS] = {"#4c9be8", "#d99a2b", "#d1495b"};

/* The axis: decades of ms, and their halves. */
static const double ticks[] = {100, 200, 500, 1000, 2000, 5000};

/* Tenths of decades by halving: no library's logarithm, so the same file everywhere. From 50 ms to 5 s = 0 to 1. */
static double place_of(double ms)
{
	double low = 50, high = 5000, place = 0, step = 1;

	if (ms <= low)
		return 0;
	if (ms >= high)
		return 1;
	/* 100^(1/2), 100^(1/4), ...: as many roots as a pixel needs */
	static const double roots[] = {10,
				       3.1622776601683795,
				       1.7782794100389228,
				       1.333521432163324,
				       1.1547819846894583,
				       1.0746078283213176,
				       1.0366329284376980,
				       1.0181517217181819,
				       1.0090350448414476,
				       1.0045073642544625};
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		step /= 2;
		if (ms / low < roots[i])
			continue;
		low *= roots[i];
		place += step;
	}
	return place;
}

static double left_of(int situation)
{
	return NAMES + situation * (PANEL + GAP);
}

static void draw_legend(FILE *file)
{
	fprintf(file,
		"<text x=\"0\" y=\"18\" class=\"title\">Time within which 99 %% of all requests are answered"
		"</text>\n");
	for (int l = 0; l < LOADS; l++) {
		int x = NAMES + l * 92;
		fprintf(file,
			"<rect x=\"%d\" y=\"32\" width=\"12\" height=\"12\" rx=\"2\" fill=\"%s\"/>"
			"<text x=\"%d\" y=\"42\">%d %% load</text>\n",
			x, colours[l], x + 18, loads[l]);
	}
}

static void draw_axis(FILE *file, int situation, int bottom)
{
	double left = left_of(situation);

	fprintf(file, "<text x=\"%.0f\" y=\"%d\" class=\"head\">%s</text>\n", left, TOP - 28,
		situations[situation]);
	for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
		double x = left + PANEL * place_of(ticks[i]);
		fprintf(file,
			"<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"" INK
			"\" stroke-opacity=\"0.3\"/>",
			x, TOP - 6, x, bottom);
		fprintf(file,
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" class=\"small\">%g %s</text>\n", x,
			TOP - 11, ticks[i] < 1000 ? ticks[i] : ticks[i] / 1000, ticks[i] < 1000 ? "ms" : "s");
	}
}

static void draw_number(FILE *file, double x, double y, const sim_result *r)
{
	double ms = (double)r->p99 / 1e6, lost = 100 * compare_lost(r);

	if (lost >= 0.5)
		fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" class=\"small\">%.0f %% lost</text>\n", x, y,
			lost);
	else
		fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" class=\"small\">%.0f ms</text>\n", x, y, ms);
}

static void draw_row(FILE *file, const comparison *c, int algorithm)
{
	int top = TOP + algorithm * ROW;

	fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", NAMES - 10,
		top + LOADS * BAR / 2 + 6, lb_algorithm_name(c->which[algorithm]));
	for (int run = 0; run < SITUATIONS * LOADS; run++) {
		int situation = run / LOADS, load = run % LOADS;
		const sim_result *r = &c->results[algorithm][situation][load];
		double width = PANEL * place_of((double)r->p99 / 1e6), y = top + 2 + load * BAR;
		fprintf(file,
			"<rect x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" rx=\"1.5\" fill=\"%s\"/>",
			left_of(situation), y, width > 1 ? width : 1, BAR - 1, colours[load]);
		draw_number(file, left_of(situation) + width + 4, y + BAR - 2, r);
	}
}

bool chart_write(const char *path, const comparison *c)
{
	FILE *file = fopen(path, "w");
	int bottom = TOP + c->algorithms * ROW;

	if (!file)
		return false;
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
		"<title>p99 by algorithm and load, simulated</title>\n"
		"<style>text{font:13px sans-serif;fill:" INK "}.title{font-size:16px;font-weight:bold}"
		".head{font-weight:bold}.small{font-size:10px}</style>\n",
		WIDTH, bottom + 34);
	draw_legend(file);
	for (int situation = 0; situation < SITUATIONS; situation++)
		draw_axis(file, situation, bottom);
	for (int a = 0; a < c->algorithms; a++)
		draw_row(file, c, a);
	fprintf(file,
		"<text x=\"0\" y=\"%d\" class=\"small\">100 servers of 4 cores, half of them at half speed, "
		"each now and "
		"then short of cores; no weights set; requests time out after 5 s (%% lost). Made by make "
		"sim.</text>\n"
		"</svg>\n",
		bottom + 22);
	bool written = ferror(file) == 0;
	return fclose(file) == 0 && written;
}
