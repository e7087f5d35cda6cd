/*
 * A peak average: a sample above it is believed at once, one below it pulls it down with exp(-dt / tau), and between samples
 * it sinks, as the averages of core/ewma.h do. Source: Finagle's PeakEwma.scala, whose reads decay the value, too.
 *
 * Here it is a number in the same scale (ns x 256; 0 = never measured): it gets the same samples as an lb_ewma beside it,
 * and goes by that one's stamp.
 */
#ifndef LB_CORE_PEAK_H
#define LB_CORE_PEAK_H

#include "core/ewma.h"

/* The average after a sample, `dt` after the one before. */
uint64_t lb_peak_next(uint64_t average, const lb_decay *decay, lb_span sample, lb_span dt);

/* The average in ns, `dt` after its last sample; 0 = never measured (a measured one has sunk to 1 at the least). */
lb_span lb_peak_read(uint64_t average, const lb_decay *decay, lb_span dt);

#endif
