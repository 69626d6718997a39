/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyml_kernels.h"

void tinyml_fill(void *output, int32_t byte, int32_t size)
{
    memset(output, (int)byte, (size_t)size);
}
