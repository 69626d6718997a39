/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels for int32 that has no scale: ids, indices, counts. Included by tinyml_kernels.h.
 */
#ifndef TINYML_KERNELS_S32_H
#define TINYML_KERNELS_S32_H

#include <stdint.h>

/* Results wrap around at 32 bits. Outputs of these may be an input of the output's shape. */
void tinyml_add_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                    int32_t *output);
void tinyml_sub_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                    int32_t *output);
void tinyml_mul_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                    int32_t *output);
void tinyml_maximum_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                        int32_t *output);
void tinyml_minimum_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                        int32_t *output);
void tinyml_select_s32(const tinyml_walk *walk, const uint8_t *condition, const int32_t *if_true,
                       const int32_t *if_false, int32_t *output);

void tinyml_compare_s32(const tinyml_order_params *params, const int32_t *first,
                        const int32_t *second, uint8_t *output);

#endif
