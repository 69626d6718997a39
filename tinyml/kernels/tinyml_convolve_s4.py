"""CONV_2D and FULLY_CONNECTED with weights of four bits, widened in registers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics.affine import LIMITS
from tinyml.ops.c.four_bits import GROUP, WORD, does_not_pay, fits_four_bits, packed_rows
from tinyml.ops.contract.c import ConstantArray, Isa, Kernel, KernelCall, Struct
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.target import Target
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected

FUNCTION = "tinyml_convolve_s4"

# Code of the kernel where it is largest, on cores without DSP instructions.
CODE_BYTES = 3000

# Channels that MVE requantizes at once.
VECTOR = 4

# The largest weight as it is stored, which is plus 8, and the largest sum.
LARGEST_STORED = 15
SUM_LIMIT = 2**31


@dataclass(frozen=True, kw_only=True)
class TinymlConvolveS4(Candidate[Conv2D]):
    """Half of the flash, in fewer instructions than int8 takes: a mask widens more at a time.

    Each weight is widened once for two pixels.
    """

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 50

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """The weights must lie in [-8, 7], and sums of them plus 8 within 32 bits."""
        return four_bit_refusal(op, graph)

    def does_not_pay(self, op: Conv2D, graph: Graph, target: Target) -> str | None:
        """The kernel's code must be less than what all layers together save."""
        del op, target
        return layers_do_not_pay(graph)

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """Scratch holds the windows of two pixels."""
        taps, is_pointwise = op.taps(graph), op.is_pointwise(graph)
        scratch = max(scratch_bytes(taps, isa, pointwise=is_pointwise) for isa in target.isas)
        call = packed_call(op, graph, op.call(graph, FUNCTION))
        return Kernel(calls=(call,), scratch_bytes=scratch)


@dataclass(frozen=True, kw_only=True)
class TinymlConvolveS4OverRows(Candidate[FullyConnected]):
    """The same over rows, of which one alone has a kernel of its own."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 30

    def refusal(self, op: FullyConnected, graph: Graph) -> str | None:
        """The weights must lie in [-8, 7], and sums of them plus 8 within 32 bits."""
        return four_bit_refusal(op, graph)

    def does_not_pay(self, op: FullyConnected, graph: Graph, target: Target) -> str | None:
        """The kernel's code must be less than what all layers together save."""
        del op, target
        return layers_do_not_pay(graph)

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """Scratch holds two rows of the input."""
        depth = graph.tensor(op.inputs[1]).shape[1]
        scratch = max(scratch_bytes(depth, isa, pointwise=True) for isa in target.isas)
        call = packed_call(op, graph, op.convolution_call(graph, FUNCTION))
        return Kernel(calls=(call,), scratch_bytes=scratch)


def scratch_bytes(taps: int, isa: Isa, *, pointwise: bool) -> int:
    """Two windows, widened to int16 on cores without MVE, and on these one that is not yet."""
    padded = -(-taps // WORD) * WORD
    if isa is Isa.MVE:
        return 0 if pointwise else 2 * padded
    return 2 * 2 * padded + (0 if pointwise else padded)


def layers_do_not_pay(graph: Graph) -> str | None:
    """Say so where the kernel's code is more than what all convolutions and products save."""
    return does_not_pay((Conv2D, FullyConnected), graph, CODE_BYTES)


def four_bit_refusal(op: Operator, graph: Graph) -> str | None:
    """Say why the kernels of four-bit weights do not compute an operator, None where they do."""
    weights = graph.tensor(op.inputs[1])
    if not fits_four_bits(weights):
        return "the weights do not fit four bits"
    reach = weights.size // weights.shape[0] * -LIMITS[DType.INT8][0] * (LARGEST_STORED + WORD)
    fits = int(np.abs(_folded_bias(op, graph)).max()) + reach < SUM_LIMIT
    return None if fits else "sums of the weights plus 8 may leave 32 bits"


def packed_call(op: Operator, graph: Graph, call: KernelCall) -> KernelCall:
    """The call of a convolution with weights, bias and multipliers as the kernel takes them."""
    weights = graph.tensor(op.inputs[1]).constant
    context, params, quant, dims, source, filter_dims, _, _, _, *output = call.arguments
    assert isinstance(quant, Struct)
    quant, step = _shared(quant)
    packed = packed_rows(weights.reshape(weights.shape[0], -1), GROUP)
    bias = ConstantArray("folded_bias", _filled_up(_folded_bias(op, graph).astype(np.int32)))
    before = (context, params, quant, step, dims, source, filter_dims)
    return replace(call, arguments=(*before, packed, bias, *output), source=f"{call.function}.c")


def _shared(quant: Struct) -> tuple[Struct, int]:
    """Multipliers and the step from one channel's to the next: one and 0 where all are equal."""
    arrays: Mapping[str, Any] = quant.fields
    step = int(any(np.unique(array.data).size > 1 for array in arrays.values()))
    kept = {
        name: replace(array, data=_filled_up(array.data) if step else array.data[:1])
        for name, array in arrays.items()
    }
    return replace(quant, fields=kept), step


def _filled_up(values: Array) -> Array:
    """With zeros to the number of channels that MVE requantizes at once."""
    return np.pad(values, (0, -values.size % VECTOR))


def _folded_bias(op: Operator, graph: Graph) -> Array:
    """int64 (output channels,): the bias, and what the input's zero point adds to each sum."""
    weights = graph.tensor(op.inputs[1]).constant
    sums = weights.reshape(weights.shape[0], -1).astype(np.int64).sum(axis=1)
    folded: Array = -graph.tensor(op.inputs[0]).zero_point * sums
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    return folded if bias is None else folded + bias.constant


CANDIDATES = (TinymlConvolveS4(), TinymlConvolveS4OverRows())
