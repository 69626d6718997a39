"""Weights that fit four bits, stored two in a byte."""

from __future__ import annotations

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.ops.contract.c import ConstantArray
from tinyml.ops.contract.operator import Operator

# Weights that share a word, and those whose words make a group in the kernels that multiply.
WORD = 8
GROUP = 32


def fits_four_bits(weights: Tensor) -> bool:
    """Whether all values lie in [-8, 7], as those of an int4 tensor do."""
    return bool(weights.constant.min() >= -8 and weights.constant.max() <= 7)


def packed_weights(weights: Tensor) -> ConstantArray:
    """Two values in a byte, row after row, the earlier one in its lower half."""
    halves = weights.constant.reshape(-1).astype(np.uint8) & 15
    pairs = np.pad(halves, (0, halves.size % 2)).reshape(-1, 2)
    packed = (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8)
    return ConstantArray("packed_weights", packed.view(np.int8))


def packed_rows(rows: Array, group: int) -> ConstantArray:
    """int32 words of eight weights, each row's by themselves: (rows, weights) in [-8, 7].

    Rows are filled up to an even number. A weight is stored plus 8. Of ``group`` weights (the last ones of a row filled up to a multiple
    of eight with zeros) the first half lies in the lower halves of the bytes, the rest above.
    """
    missing = ((0, rows.shape[0] % 2), (0, -rows.shape[1] % WORD))
    padded = np.pad(rows + 8, missing, constant_values=8)
    groups = np.split(padded.astype(np.uint8), range(group, padded.shape[1], group), axis=1)
    packed = [low | high << 4 for low, high in (np.split(each, 2, axis=1) for each in groups)]
    words = np.ascontiguousarray(np.concatenate(packed, axis=1)).view("<i4")
    return ConstantArray("packed_weights", words.reshape(-1).astype(np.int32))


def does_not_pay(
    operators: tuple[type[Operator], ...], graph: Graph, code_bytes: int
) -> str | None:
    """Say so where the weights of all ``operators`` in a graph save less flash than the code takes.

    ``code_bytes`` are those of the kernel that computes them all.
    """
    weights = {op.inputs[1] for op in graph.ops if isinstance(op, operators)}
    saved = sum(
        tensor.size // 2
        for tensor in map(graph.tensor, weights)
        if tensor.is_constant and tensor.dtype is DType.INT8 and fits_four_bits(tensor)
    )
    if saved > code_bytes:
        return None
    return f"it saves {saved} bytes of weights in the whole model, and takes {code_bytes} of code"
