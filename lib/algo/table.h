/* The rows of all algorithms; each is defined in the file of its name. */
#ifndef LB_ALGO_TABLE_H
#define LB_ALGO_TABLE_H

#include "algo/algo.h"

extern const lb_algo lb_algo_round_robin, lb_algo_weighted_round_robin, lb_algo_random,
    lb_algo_least_connections, lb_algo_least_response_time, lb_algo_two_choices, lb_algo_peak_ewma,
    lb_algo_ring_hash, lb_algo_maglev, lb_algo_map_hash, lb_algo_rendezvous, lb_algo_first_available,
    lb_algo_least_request;

#endif
