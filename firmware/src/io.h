/* SPDX-License-Identifier: Apache-2.0 */

/* Files on the computer at the other end: semihosting.c through the debugger or emulator,
   serial_link.c over the UART, host.c natively. */

#ifndef TINYML_IO_H
#define TINYML_IO_H

#include <stddef.h>
#include <stdint.h>

enum io_mode
{
    IO_READ,
    IO_WRITE
};

/* A handle, or a negative number where the file cannot be opened. Over the UART a file is known
   by the first letter of its name. */
int io_open(const char *path, enum io_mode mode);

/* The number of bytes read: less than asked for at the end of the file, more where it failed. */
size_t io_read(int handle, void *buffer, size_t bytes);

/* The number of bytes written. */
size_t io_write(int handle, const void *buffer, size_t bytes);

void io_close(int handle);

/* Ends the program; the emulator or the process exits with this status. */
void io_exit(int status) __attribute__((noreturn));

#endif
