/* SPDX-License-Identifier: Apache-2.0 */

/* The registers that the board's [uart] table lists under setup: clocks and pins. They arrive as
   the macro UART_SETUP, one REGISTER(address, clear, set) for each. */

#ifndef TINYML_REGISTERS_H
#define TINYML_REGISTERS_H

void registers_prepare(void);

#endif
