/* SPDX-License-Identifier: Apache-2.0 */

/* What the runner knows of the model. tinyml/firmware/build.py writes the C file behind it.
   The prefix is one no model's own symbols will have. */

#ifndef TINYML_UNDER_TEST_H
#define TINYML_UNDER_TEST_H

#include <stdint.h>

/* Where an input or output lies in the arena, in bytes. */
struct under_test_slot
{
    uint32_t offset;
    uint32_t size;
};

/* "CMSIS-NN " and the version compiled in, for whoever has only the image. */
extern const char under_test_cmsis_nn[];

extern uint8_t *const under_test_arena;
extern const struct under_test_slot under_test_inputs[];
extern const uint32_t under_test_input_count;
extern const struct under_test_slot under_test_outputs[];
extern const uint32_t under_test_output_count;

/* Puts the model's state, where it has any, at its first value. */
void under_test_start(void);

/* 0, or the 1-based number of the layer that failed. */
int under_test_invoke(void *arena);

#endif
