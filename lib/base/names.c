/* Texts for the public enumerations, and the version. */
#include <lbcore/base.h>

uint32_t lb_version(void)
{
	return LB_VERSION;
}

const char *lb_strerror(int error)
{
	static const char *const texts[] = {
	    "ok",
	    "bad argument",
	    "out of memory",
	    "unknown struct size: header and library differ",
	    "a capacity is used up",
	    "it exists already",
	    "no such endpoint",
	    "still in use",
	    "settled already",
	    "no endpoint may be used",
	    "all endpoints that may be used are at their in-flight limit",
	    "retry budget spent",
	    "circuit breaker open",
	    "load shed",
	    "a hook of the host failed",
	};

	if (error > 0 || error < LB_EHOOK)
		return "unknown error";
	return texts[-error];
}

const char *lb_result_name(lb_result result)
{
	static const char *const names[] = {"success",  "failure",   "timeout", "refused",
					    "overload", "cancelled", "local"};

	if ((unsigned)result >= sizeof names / sizeof *names)
		return "unknown";
	return names[result];
}
