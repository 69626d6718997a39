/* SPDX-License-Identifier: Apache-2.0 */

/* The APB UART of Arm's Cortex-M System Design Kit (DDI 0479): no FIFO, no pins to choose. */

#include "uart.h"

#define DATA UART_REGISTER(0x00)
#define STATE UART_REGISTER(0x04)
#define CTRL UART_REGISTER(0x08)
#define BAUDDIV UART_REGISTER(0x10)

enum
{
    STATE_SEND_BUFFER_FULL = 1 << 0,
    STATE_RECEIVE_BUFFER_FULL = 1 << 1,
    CTRL_SEND_AND_RECEIVE = 0x3
};

#if UART_CLOCK_HZ / UART_BAUD < 16
#error "BAUDDIV must be at least 16"
#endif

void uart_start(void)
{
    BAUDDIV = UART_DIVISOR;
    CTRL = CTRL_SEND_AND_RECEIVE;
}

void uart_send(uint8_t byte)
{
    while (STATE & STATE_SEND_BUFFER_FULL)
    {
    }
    DATA = byte;
}

int uart_receive(void)
{
    return STATE & STATE_RECEIVE_BUFFER_FULL ? (int)(DATA & 0xFFu) : -1;
}
