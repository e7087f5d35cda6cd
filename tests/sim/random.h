/*
 * The simulator's random numbers: streams of SplitMix64, and the laws made of them by comparing and multiplying alone, so that
 * no library's logarithm has a say in what a seed gives.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

typedef struct sim_random {
	uint64_t state;
} sim_random;

/* Stream `number` of a seed: different numbers are independent for all that a simulation can tell. */
sim_random sim_random_of(uint64_t seed, uint64_t number);

uint64_t sim_random_next(sim_random *random);

/* 0 to n - 1. */
uint32_t sim_random_below(sim_random *random, uint32_t n);

/* Exponential, mean 1. */
double sim_random_exponential(sim_random *random);

/* Normal with mean and deviation 1, cut off below 0. Its mean is SIM_NORMAL_MEAN. */
double sim_random_normal(sim_random *random);

/* 1 + phi(1) / Phi(1) */
#define SIM_NORMAL_MEAN 1.2875999709391783

#endif
