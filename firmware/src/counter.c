/* SPDX-License-Identifier: Apache-2.0 */

#include "counter.h"

#include "startup.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)

enum
{
    ENABLE_FROM_CPU_CLOCK_WITH_INTERRUPT = 0x7,
    COUNTER_BITS = 24,
    COUNTER_MASK = 0xFFFFFF
};

static volatile uint32_t wraps;

/* Its few instructions are measured too; the host subtracts them by the number of wraps. */
void systick_handler(void)
{
    wraps++;
}

void counter_start(void)
{
    SYST_CSR = 0;
    SYST_RVR = COUNTER_MASK;
    SYST_CVR = 0; /* any write clears it; the first tick then loads SYST_RVR */
    wraps = 0;
    SYST_CSR = ENABLE_FROM_CPU_CLOCK_WITH_INTERRUPT;
}

uint64_t counter_read(void)
{
    uint32_t wraps_before;
    uint32_t elapsed;
    do
    {
        wraps_before = wraps;
        elapsed = (0u - SYST_CVR) & COUNTER_MASK; /* SysTick counts down */
    } while (wraps_before != wraps);
    return ((uint64_t)wraps_before << COUNTER_BITS) + elapsed;
}

void counter_stop(void)
{
    SYST_CSR = 0;
}
