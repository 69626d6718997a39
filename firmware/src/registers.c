/* SPDX-License-Identifier: Apache-2.0 */

#include "registers.h"

#include <stdint.h>

/* inline, because a board may list none. */
static inline void modify(uintptr_t address, uint32_t clear, uint32_t set)
{
    volatile uint32_t *const target = (volatile uint32_t *)address;
    *target = (*target & ~clear) | set;
    (void)*target; /* a clock is on for sure once its register was read back */
}

void registers_prepare(void)
{
#define REGISTER(address, clear, set) modify(address, clear, set);
    UART_SETUP
}
