/* SPDX-License-Identifier: Apache-2.0 */

/* io.h over the UART, in the frames that docs/serial-line.md describes. Payloads go from and to
   the caller's memory: there is no buffer here. */

#include "io.h"

#include <stdbool.h>

#include "crc32.h"
#include "registers.h"
#include "uart.h"

enum kind
{
    READ = 'R',
    DATA = 'D',
    WRITE = 'W',
    EXIT = 'X'
};

/* Least significant bytes first, as the processor stores them. */
struct header
{
    uint8_t kind;
    uint8_t file;
    uint16_t sequence;
    uint32_t value;
};

enum
{
    /* About a second on a real board: the computer may connect late. */
    POLLS_BEFORE_REPEAT = 1 << 20
};

static bool started;
static uint16_t next_sequence;

static uint32_t send_bytes(const void *from, size_t bytes, uint32_t crc)
{
    const uint8_t *byte = from;
    for (size_t i = 0; i < bytes; i++)
    {
        uart_send(byte[i]);
        crc = crc32_add(crc, byte[i]);
    }
    return crc;
}

static void send_block(const void *from, size_t bytes)
{
    const uint32_t crc = ~send_bytes(from, bytes, CRC32_START);
    (void)send_bytes(&crc, sizeof crc, CRC32_START);
}

static uint8_t receive_byte(void)
{
    int byte;
    while ((byte = uart_receive()) < 0)
    {
    }
    return (uint8_t)byte;
}

static uint32_t receive_bytes(uint8_t *to, size_t bytes, uint32_t crc)
{
    for (size_t i = 0; i < bytes; i++)
    {
        to[i] = receive_byte();
        crc = crc32_add(crc, to[i]);
    }
    return crc;
}

/* Whether the bytes and the CRC-32 that follow them agree; crc covers what came before them. */
static int receive_block(void *to, size_t bytes, uint32_t crc)
{
    uint8_t received_crc[4];
    crc = receive_bytes(to, bytes, crc);
    return receive_bytes(received_crc, sizeof received_crc, crc) == CRC32_RESIDUE;
}

static struct header make_header(enum kind kind, int file, uint32_t value)
{
    const struct header header = {(uint8_t)kind, (uint8_t)file, next_sequence++, value};
    return header;
}

/* The first byte of the answer. Whatever asks has lost nothing by asking again. */
static uint8_t ask(const struct header *request)
{
    for (;;)
    {
        send_block(request, sizeof *request);
        for (uint32_t polls = 0; polls < POLLS_BEFORE_REPEAT; polls++)
        {
            const int byte = uart_receive();
            if (byte >= 0)
            {
                return (uint8_t)byte;
            }
        }
    }
}

int io_open(const char *path, enum io_mode mode)
{
    (void)mode;
    if (!started)
    {
        started = true;
        registers_prepare();
        uart_start();
    }
    return path[0];
}

size_t io_read(int handle, void *buffer, size_t bytes)
{
    const struct header request = make_header(READ, handle, bytes);
    struct header answer;
    answer.kind = ask(&request);
    const uint32_t crc = crc32_add(CRC32_START, answer.kind);
    const int intact = receive_block(&answer.file, sizeof answer - 1, crc);
    const int fits = answer.kind == DATA && answer.sequence == request.sequence
                     && answer.value <= bytes;
    if (!intact || !fits || !receive_block(buffer, answer.value, CRC32_START))
    {
        return SIZE_MAX;
    }
    return answer.value;
}

size_t io_write(int handle, const void *buffer, size_t bytes)
{
    const struct header header = make_header(WRITE, handle, bytes);
    send_block(&header, sizeof header);
    send_block(buffer, bytes);
    return bytes;
}

void io_close(int handle)
{
    (void)handle;
}

void io_exit(int status)
{
    const struct header header = make_header(EXIT, 0, (uint32_t)status);
    send_block(&header, sizeof header);
    for (;;)
    {
    }
}
