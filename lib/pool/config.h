/* Checks of what comes in from the host. */
#ifndef LB_POOL_CONFIG_H
#define LB_POOL_CONFIG_H

#include "core/circuit.h"

#include <lbcore/pool.h>

/* Copies a pool's config (NULL = defaults) and the rules of its breaker. LB_OK, LB_EINVAL, LB_EVERSION. */
int lb_pool_config_take(lb_pool_config *out, lb_circuit_rules *rules, const lb_pool_config *config);

/* Is it an endpoint that may be added? LB_OK, LB_EINVAL, LB_EVERSION. */
int lb_endpoint_config_check(const lb_endpoint_config *config);

#endif
