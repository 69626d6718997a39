/* SPDX-License-Identifier: Apache-2.0 */

#include "stack.h"

#include "startup.h"

#define PAINT 0xA5C3A5C3u

void stack_paint(void)
{
    const uint32_t *const in_use = __builtin_frame_address(0);
    /* volatile: a memset called here would be painted over while it runs. */
    for (volatile uint32_t *word = link_stack_bottom; word < in_use - 8; word++)
    {
        *word = PAINT;
    }
}

uint32_t stack_high_water(void)
{
    const uint32_t *word = link_stack_bottom;
    while (word < link_stack_top && *word == PAINT)
    {
        word++;
    }
    return (uint32_t)((uintptr_t)link_stack_top - (uintptr_t)word);
}
