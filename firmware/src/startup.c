/* SPDX-License-Identifier: Apache-2.0 */

/* From reset to main(), and from a fault to a report. */

#include "startup.h"

#include "io.h"
#include "report.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CFSR (*(volatile uint32_t *)0xE000ED28u)

enum
{
    EXIT_FAULT = 3,
    FRAME_PC = 6 /* the word of an exception frame that holds the return address */
};

static void enable_fpu_and_mve(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= 0xFu << 20; /* full access to coprocessors 10 and 11 */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
}

static void initialise_memory(void)
{
    const uint32_t *from = link_data_load;
    for (volatile uint32_t *to = link_data_start; to < link_data_end; to++)
    {
        *to = *from++;
    }
    for (volatile uint32_t *to = link_bss_start; to < link_bss_end; to++)
    {
        *to = 0;
    }
}

void reset_handler(void)
{
    enable_fpu_and_mve();
    initialise_memory();
    io_exit(main());
}

/* frame: what the processor pushed, or null where the stack has overflowed. */
__attribute__((used, noreturn)) static void report_fault(const uint32_t *frame, uint32_t exception)
{
    const struct report_entry entries[] = {
        {"fault   ", exception},
        {"pc      ", frame ? frame[FRAME_PC] : 0},
        {"cfsr    ", CFSR},
        {"overflow", frame == 0},
    };
    report_write(entries, sizeof entries / sizeof entries[0]);
    io_exit(EXIT_FAULT);
}

/* After an overflow nothing can be pushed any more: start again from the top of the stack. */
__attribute__((naked)) static void fault_handler(void)
{
    __asm volatile("mov r0, sp\n\t"
                   "mrs r1, ipsr\n\t"
                   "ldr r2, =link_stack_bottom\n\t"
                   "cmp r0, r2\n\t"
                   "bhs 1f\n\t"
                   "movs r0, #0\n\t"
                   "ldr r2, =link_stack_top\n\t"
                   "mov sp, r2\n\t"
                   "1:\n\t"
                   "ldr r2, =report_fault\n\t"
                   "bx r2");
}

struct vector_table
{
    uint32_t *stack_top;
    void (*exceptions[15])(void); /* by exception number - 1 */
};

__attribute__((section(".vectors"), used)) static const struct vector_table vectors = {
    link_stack_top,
    {
        reset_handler,
        fault_handler, /* NMI */
        fault_handler, /* HardFault */
        fault_handler, /* MemManage */
        fault_handler, /* BusFault */
        fault_handler, /* UsageFault */
        fault_handler, /* SecureFault */
        fault_handler, /* reserved */
        fault_handler, /* reserved */
        fault_handler, /* reserved */
        fault_handler, /* SVCall */
        fault_handler, /* DebugMonitor */
        fault_handler, /* reserved */
        fault_handler, /* PendSV */
        systick_handler,
    },
};
