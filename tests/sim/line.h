/*
 * A line in which everybody waits equally long: the way to a server, the way back, patience. Who came first leaves first.
 */
#ifndef SIM_LINE_H
#define SIM_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_NOBODY UINT32_MAX

typedef struct sim_link {
	uint32_t before, behind;
	double due;
} sim_link;

typedef struct sim_line {
	uint32_t first, last;
	sim_link *links; /* by id; lines that nobody waits in at the same time may share them */
} sim_line;

static inline sim_line sim_line_of(sim_link *links)
{
	return (sim_line){SIM_NOBODY, SIM_NOBODY, links};
}

static inline void sim_line_join(sim_line *line, uint32_t id, double due)
{
	line->links[id] = (sim_link){line->last, SIM_NOBODY, due};
	if (line->last == SIM_NOBODY)
		line->first = id;
	else
		line->links[line->last].behind = id;
	line->last = id;
}

static inline void sim_line_leave(sim_line *line, uint32_t id)
{
	sim_link link = line->links[id];

	if (link.before == SIM_NOBODY)
		line->first = link.behind;
	else
		line->links[link.before].behind = link.behind;
	if (link.behind == SIM_NOBODY)
		line->last = link.before;
	else
		line->links[link.behind].before = link.before;
}

#endif
