/* SPDX-License-Identifier: Apache-2.0 */

#include "report.h"

#include "io.h"

static void write_entry(int file, const struct report_entry *entry)
{
    char digits[] = "=0x0000000000000000\n";
    for (unsigned position = 0; position < 16; position++)
    {
        const unsigned shift = 4u * (15u - position);
        digits[3 + position] = "0123456789abcdef"[(entry->value >> shift) & 0xfu];
    }
    (void)io_write(file, entry->key, sizeof entry->key);
    (void)io_write(file, digits, sizeof digits - 1);
}

void report_write(const struct report_entry *entries, uint32_t count)
{
    const int file = io_open("result.txt", IO_WRITE);
    for (uint32_t i = 0; i < count; i++)
    {
        write_entry(file, &entries[i]);
    }
    io_close(file);
}
