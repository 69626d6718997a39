/* SPDX-License-Identifier: Apache-2.0 */

/* What startup.c, the linker script and the rest of the firmware know of each other. */

#ifndef TINYML_STARTUP_H
#define TINYML_STARTUP_H

#include <stdint.h>

extern uint32_t link_stack_bottom[];
extern uint32_t link_stack_top[];
extern uint32_t link_data_start[];
extern uint32_t link_data_end[];
extern uint32_t link_data_load[];
extern uint32_t link_bss_start[];
extern uint32_t link_bss_end[];

void reset_handler(void) __attribute__((noreturn));
void systick_handler(void);
int main(void);

#endif
