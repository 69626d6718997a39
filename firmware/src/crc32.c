/* SPDX-License-Identifier: Apache-2.0 */

#include "crc32.h"

/* Bit by bit: a table would be larger than the rest of the protocol. */
uint32_t crc32_add(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
    {
        crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return crc;
}
