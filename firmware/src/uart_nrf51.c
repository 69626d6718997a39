/* SPDX-License-Identifier: Apache-2.0 */

/* The UART of Nordic's nRF51 (nRF51 Series Reference Manual, chapter 29). */

#include "uart.h"

#define TASKS_STARTRX UART_REGISTER(0x000)
#define TASKS_STARTTX UART_REGISTER(0x008)
#define EVENTS_RXDRDY UART_REGISTER(0x108)
#define EVENTS_TXDRDY UART_REGISTER(0x11C)
#define ENABLE UART_REGISTER(0x500)
#define RXD UART_REGISTER(0x518)
#define TXD UART_REGISTER(0x51C)
#define BAUDRATE UART_REGISTER(0x524)

enum
{
    ENABLE_UART = 4,
    BAUDRATE_STEP = 1 << 12
};

void uart_start(void)
{
    /* The bit rate as a fraction of the clock in 32 bits, of which the low 12 are ignored. */
    const uint64_t fraction = ((uint64_t)UART_BAUD << 32) / UART_CLOCK_HZ;
    BAUDRATE = (uint32_t)(fraction + BAUDRATE_STEP / 2) & ~(BAUDRATE_STEP - 1u);
    ENABLE = ENABLE_UART;
    TASKS_STARTTX = 1;
    TASKS_STARTRX = 1;
}

void uart_send(uint8_t byte)
{
    EVENTS_TXDRDY = 0;
    TXD = byte;
    while (!EVENTS_TXDRDY)
    {
    }
}

int uart_receive(void)
{
    if (!EVENTS_RXDRDY)
    {
        return -1;
    }
    EVENTS_RXDRDY = 0; /* before RXD is read: reading it may bring up the next byte */
    return (int)(RXD & 0xFFu);
}
