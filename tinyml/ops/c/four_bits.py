"""Weights that fit four bits, stored two in a byte."""

from __future__ import annotations

import numpy as np

from tinyml.ir.graph import Tensor
from tinyml.ops.contract.c import ConstantArray


def fits_four_bits(weights: Tensor) -> bool:
    """Whether all values lie in [-8, 7], as those of an int4 tensor do."""
    return bool(weights.constant.min() >= -8 and weights.constant.max() <= 7)


def packed_weights(weights: Tensor) -> ConstantArray:
    """Two values in a byte, row after row, the earlier one in its lower half."""
    halves = weights.constant.reshape(-1).astype(np.uint8) & 15
    pairs = np.pad(halves, (0, halves.size % 2)).reshape(-1, 2)
    packed = (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8)
    return ConstantArray("packed_weights", packed.view(np.int8))
