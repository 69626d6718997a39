/* SPDX-License-Identifier: Apache-2.0 */

/* Counts SysTick ticks. Under QEMU's -icount they are proportional to executed instructions. */

#ifndef TINYML_COUNTER_H
#define TINYML_COUNTER_H

#include <stdint.h>

/* Starts again from zero. */
void counter_start(void);

/* Ticks since counter_start(). */
uint64_t counter_read(void);

/* Stops the timer, so that its interrupt does not disturb what is not measured. */
void counter_stop(void);

#endif
