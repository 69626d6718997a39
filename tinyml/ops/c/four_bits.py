"""Weights that fit four bits, stored two in a byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.ops.contract.c import ConstantArray
from tinyml.ops.contract.candidate import Candidate, Computed
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.target import Target

# Weights that share a word, and those whose words make a group in the kernels that multiply.
WORD = 8
GROUP = 32


def fits_four_bits(weights: Tensor) -> bool:
    """Whether all values are known and lie in [-8, 7], as those of an int4 tensor do."""
    values = weights.data
    return values is not None and bool(values.min() >= -8 and values.max() <= 7)


def packed_weights(weights: Tensor) -> ConstantArray:
    """Two values in a byte, row after row, the earlier one in its lower half."""
    halves = weights.constant.reshape(-1).astype(np.uint8) & 15
    pairs = np.pad(halves, (0, halves.size % 2)).reshape(-1, 2)
    packed = (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8)
    return ConstantArray("packed_weights", packed.view(np.int8))


def packed_rows(rows: Array, group: int) -> ConstantArray:
    """int32 words of eight weights, each row's by themselves: (rows, weights) in [-8, 7].

    A weight is stored plus 8. Of ``group`` weights (the last ones of a row filled up to a multiple
    of eight with zeros) the first half lies in the lower halves of the bytes, the rest above.
    """
    padded = np.pad(rows + 8, ((0, 0), (0, -rows.shape[1] % WORD)), constant_values=8)
    groups = np.split(padded.astype(np.uint8), range(group, padded.shape[1], group), axis=1)
    packed = [low | high << 4 for low, high in (np.split(each, 2, axis=1) for each in groups)]
    words = np.ascontiguousarray(np.concatenate(packed, axis=1)).view("<i4")
    return ConstantArray("packed_weights", words.reshape(-1).astype(np.int32))


def too_much_code(layers: Sequence[Operator], graph: Graph, code_bytes: int) -> str | None:
    """Say so where a kernel takes more code than four bits save of its layers' weights."""
    weights = [op.inputs[1] for op in layers if not _is_shared(op, graph)]
    saved = sum(graph.tensor(name).size // 2 for name in weights)
    if saved > code_bytes:
        return None
    return f"its code takes {code_bytes} bytes, and the model's weights {saved} less in four bits"


def _is_shared(op: Operator, graph: Graph) -> bool:
    return len(graph.consumers[op.inputs[1]]) > 1


@dataclass(frozen=True, kw_only=True)
class FourBitCandidate(Candidate[Computed]):
    """A kernel for weights in [-8, 7], which are the operator's second input."""

    def concerns(self, op: Computed, graph: Graph) -> bool:
        """Others are no business of it."""
        return fits_four_bits(graph.tensor(op.inputs[1]))

    def refusal(self, op: Computed, graph: Graph) -> str | None:
        """The weights must lie in [-8, 7]."""
        return None if self.concerns(op, graph) else "the weights do not fit four bits"

    def does_not_pay(self, op: Computed, graph: Graph, target: Target) -> str | None:
        """Each operator would have weights of its own."""
        del target
        is_shared = _is_shared(op, graph)
        return "it would copy weights that several operators share" if is_shared else None
