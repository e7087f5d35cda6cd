/* lbcore: load balancing inside a C server. This header includes all the others. */
#ifndef LBCORE_LBCORE_H
#define LBCORE_LBCORE_H

#include <lbcore/base.h>
#include <lbcore/breaker.h>
#include <lbcore/failover.h>
#include <lbcore/health.h>
#include <lbcore/pool.h>
#include <lbcore/selector.h>
#include <lbcore/stats.h>
#include <lbcore/token.h>

#endif
