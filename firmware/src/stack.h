/* SPDX-License-Identifier: Apache-2.0 */

/* How deep the stack has been: paint what is free, later look how far the paint is gone. */

#ifndef TINYML_STACK_H
#define TINYML_STACK_H

#include <stdint.h>

/* Paints the stack below the caller. */
void stack_paint(void);

/* The most bytes of stack in use at any time since stack_paint(), callers included. */
uint32_t stack_high_water(void);

#endif
