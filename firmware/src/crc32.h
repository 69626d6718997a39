/* SPDX-License-Identifier: Apache-2.0 */

/* CRC-32 as in IEEE 802.3 and zlib, before the last inversion. */

#ifndef TINYML_CRC32_H
#define TINYML_CRC32_H

#include <stdint.h>

#define CRC32_START 0xFFFFFFFFu

/* What is left after a message and its CRC-32, low byte first. */
#define CRC32_RESIDUE 0xDEBB20E3u

uint32_t crc32_add(uint32_t crc, uint8_t byte);

#endif
