/* SPDX-License-Identifier: Apache-2.0 */

/* io.h over Arm semihosting (github.com/ARM-software/abi-aa, semihosting.rst). */

#include "io.h"

enum operation
{
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_EXIT_EXTENDED = 0x20
};

enum
{
    MODE_READ_BINARY = 1,
    MODE_WRITE_BINARY = 5,
    STOPPED_APPLICATION_EXIT = 0x20026
};

static uintptr_t call(enum operation operation, const uintptr_t *arguments)
{
    register uintptr_t r0 __asm("r0") = (uintptr_t)operation;
    register const uintptr_t *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Not strlen: a null model shall not carry the C library. */
static size_t length_of(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
    {
        length++;
    }
    return length;
}

int io_open(const char *path, enum io_mode mode)
{
    const uintptr_t semihosting_mode = mode == IO_READ ? MODE_READ_BINARY : MODE_WRITE_BINARY;
    const uintptr_t arguments[] = {(uintptr_t)path, semihosting_mode, length_of(path)};
    return (int)call(SYS_OPEN, arguments);
}

size_t io_read(int handle, void *buffer, size_t bytes)
{
    const uintptr_t arguments[] = {(uintptr_t)handle, (uintptr_t)buffer, bytes};
    /* Semihosting answers with the bytes it did not read. */
    return bytes - call(SYS_READ, arguments);
}

size_t io_write(int handle, const void *buffer, size_t bytes)
{
    const uintptr_t arguments[] = {(uintptr_t)handle, (uintptr_t)buffer, bytes};
    return bytes - call(SYS_WRITE, arguments);
}

void io_close(int handle)
{
    const uintptr_t arguments[] = {(uintptr_t)handle};
    (void)call(SYS_CLOSE, arguments);
}

void io_exit(int status)
{
    /* The plain SYS_EXIT carries no status on 32-bit Arm. */
    const uintptr_t arguments[] = {STOPPED_APPLICATION_EXIT, (uintptr_t)status};
    (void)call(SYS_EXIT_EXTENDED, arguments);
    for (;;)
    {
    }
}
