"""Constants of four bits, two in a byte, the earlier one in its lower half."""

from __future__ import annotations

import math

import numpy as np

from tinyml.errors import InputError
from tinyml.ir.graph import Array, Shape


def unpack_int4(data: bytes, name: str, shape: Shape) -> Array:
    """Give the values as int8; InputError where there are too many or too few bytes."""
    count = math.prod(shape)
    if len(data) != (count + 1) // 2:
        raise InputError(
            f"constant '{name}' int4 {shape} needs {(count + 1) // 2} bytes, its buffer has "
            f"{len(data)}"
        )
    packed = np.frombuffer(data, np.int8)
    halves = np.stack([np.left_shift(packed, 4) >> 4, packed >> 4], axis=1)
    return np.asarray(halves.reshape(-1)[:count].reshape(shape))
