/* SPDX-License-Identifier: Apache-2.0 */

/* The USART of the STM32F1, F2, F4 and L1 (RM0041, RM0090), whose registers are alike. */

#include "uart.h"

#define SR UART_REGISTER(0x00)
#define DR UART_REGISTER(0x04)
#define BRR UART_REGISTER(0x08)
#define CR1 UART_REGISTER(0x0C)

enum
{
    SR_RXNE = 1 << 5,
    SR_TXE = 1 << 7,
    CR1_RE = 1 << 2,
    CR1_TE = 1 << 3,
    CR1_UE = 1 << 13
};

#if UART_CLOCK_HZ / UART_BAUD < 16
#error "the USART samples every bit 16 times"
#endif

void uart_start(void)
{
    BRR = UART_DIVISOR; /* its low 4 bits are the fraction of sixteenths */
    CR1 = CR1_UE | CR1_TE | CR1_RE;
}

void uart_send(uint8_t byte)
{
    while (!(SR & SR_TXE))
    {
    }
    DR = byte;
}

int uart_receive(void)
{
    return SR & SR_RXNE ? (int)(DR & 0xFFu) : -1;
}
