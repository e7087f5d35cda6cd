/*
 * The situations. Servers, work and patience are those of the laboratory of Prequal (Wydrowski et al., Load is not what you
 * should balance, NSDI 2024) as far as it is described.
 */
#include "sim/compare.h"

#include "sim/random.h"

#define SECONDS 1e9
#define MILLISECONDS 1e6

const int loads[LOADS] = {50, 70, 90};

const char *const situations[SITUATIONS] = {
    "one host, 8 lanes: sees all requests",
    "10 hosts: each sees its own requests only",
};

/* Virtual seconds, before the figures begin and after that. */
enum { WARMUP = 20, MEASURED = 60 };

static uint32_t requests_in(const sim_config *config, double seconds)
{
	double left = (config->left * config->busy + config->idle) / (config->busy + config->idle);
	double speed = (1 + config->slow_speed) / 2;
	double capacity = config->servers * config->cores * speed * left / config->service;

	return (uint32_t)(seconds * SECONDS * capacity * config->load);
}

sim_config compare_config(lb_algorithm algorithm, int situation, double load)
{
	sim_config config;

	sim_config_init(&config);
	config.algorithm = algorithm;
	config.load = load;
	config.servers = 100;
	config.discipline = SIM_SHARING;
	config.cores = 4;
	config.law = SIM_NORMAL;
	config.service = 60 * MILLISECONDS * SIM_NORMAL_MEAN;
	config.slow_every = 2;
	config.slow_speed = 0.5;
	config.busy = 2 * SECONDS;
	config.idle = 8 * SECONDS;
	config.left = 0.4;
	config.delay = 0.25 * MILLISECONDS;
	config.timeout = 5 * SECONDS;
	config.pools = situation == 0 ? 1 : 10;
	config.lanes = situation == 0 ? 8 : 0;
	/* it fills one server after the other, so it needs to know when one is full */
	if (algorithm == LB_FIRST_AVAILABLE)
		config.inflight_max = situation == 0 ? 10 : 1;
	config.warmup = requests_in(&config, WARMUP);
	config.requests = requests_in(&config, MEASURED);
	return config;
}

double compare_lost(const sim_result *result)
{
	uint64_t lost = result->timeouts + result->refused, all = result->settled + result->refused;

	return all > 0 ? (double)lost / (double)all : 0;
}
