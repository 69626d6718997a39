/* SPDX-License-Identifier: Apache-2.0 */

/* result.txt: lines of key=0x<16 hexadecimal digits>. Hexadecimal needs no 64-bit division. */

#ifndef TINYML_REPORT_H
#define TINYML_REPORT_H

#include <stdint.h>

struct report_entry
{
    char key[8]; /* padded with spaces, so that no length is needed */
    uint64_t value;
};

void report_write(const struct report_entry *entries, uint32_t count);

#endif
