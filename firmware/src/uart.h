/* SPDX-License-Identifier: Apache-2.0 */

/* The board's UART, polled, 8 data bits, no parity, 1 stop bit. One driver per kind of UART:
   uart_<driver>.c. What the board's [uart] table says reaches them as macros: UART_BASE,
   UART_CLOCK_HZ and UART_BAUD. */

#ifndef TINYML_UART_H
#define TINYML_UART_H

#include <stdint.h>

/* A register of the UART, by its offset in bytes. */
#define UART_REGISTER(offset) (*(volatile uint32_t *)(UART_BASE + (offset)))

/* The UART's clock in units of its bit rate, rounded. */
#define UART_DIVISOR ((UART_CLOCK_HZ + UART_BAUD / 2u) / UART_BAUD)

/* Sets the bit rate and, its clock and pins being prepared, switches both directions on. */
void uart_start(void);

/* Waits until the UART takes the byte. */
void uart_send(uint8_t byte);

/* The next byte, or -1 where none has arrived. */
int uart_receive(void);

#endif
