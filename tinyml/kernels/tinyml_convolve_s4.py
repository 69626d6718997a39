"""CONV_2D and FULLY_CONNECTED with weights of four bits, widened in registers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType, Graph
from tinyml.ops.c.four_bits import (
    GROUP,
    WORD,
    FourBitCandidate,
    fits_four_bits,
    packed_rows,
    too_much_code,
)
from tinyml.ops.contract.c import ConstantArray, Isa, Kernel, KernelCall, Struct
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.contract.target import Goal, Target
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected

FUNCTION = "tinyml_convolve_s4"

# Code of the kernel on a Cortex-M3, where it is largest among cores that run many models.
CODE_BYTES = 2300

# Weights of a channel from which on it is about as fast as with int8.
FAST_TAPS = 24

# Channels that MVE requantizes at once.
VECTOR = 4

# The largest weight as it is stored, which is plus 8, the largest input and sum.
LARGEST_STORED = 15
LARGEST_INPUT = 128
SUM_LIMIT = 2**31


@dataclass(frozen=True, kw_only=True)
class TinymlConvolveS4(FourBitCandidate[Conv2D]):
    """Half of the flash, in fewer instructions than int8 takes: a mask widens more at a time.

    Each weight is widened once for two pixels.
    """

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 50

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """The weights must lie in [-8, 7], and sums of them plus 8 within 32 bits."""
        return super().refusal(op, graph) or beyond_32_bits(op, graph)

    def does_not_pay(self, op: Conv2D, graph: Graph, target: Target) -> str | None:
        """Its code must be less than what all layers save, and it be no slower than int8."""
        shared = super().does_not_pay(op, graph, target)
        return shared or _does_not_pay(op.taps(graph), graph, target)

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """Scratch holds the windows of two pixels."""
        taps, is_pointwise = op.taps(graph), op.is_pointwise(graph)
        scratch = max(scratch_bytes(taps, isa, pointwise=is_pointwise) for isa in target.isas)
        call = packed_call(op, graph, op.call(graph, FUNCTION))
        return Kernel(calls=(call,), scratch_bytes=scratch)


@dataclass(frozen=True, kw_only=True)
class TinymlConvolveS4OverRows(FourBitCandidate[FullyConnected]):
    """The same over rows, of which one alone has a kernel of its own."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 30

    def refusal(self, op: FullyConnected, graph: Graph) -> str | None:
        """The weights must lie in [-8, 7], and sums of them plus 8 within 32 bits."""
        return super().refusal(op, graph) or beyond_32_bits(op, graph)

    def does_not_pay(self, op: FullyConnected, graph: Graph, target: Target) -> str | None:
        """The same."""
        shared = super().does_not_pay(op, graph, target)
        return shared or _does_not_pay(graph.tensor(op.inputs[1]).shape[1], graph, target)

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


def _does_not_pay(taps: int, graph: Graph, target: Target) -> str | None:
    if target.goal is Goal.SPEED and taps < FAST_TAPS:
        return f"it is slower with {taps} weights for an output, as the goal 'speed' is"
    layers = [op for op in four_bit_layers(graph) if not is_single_row(op, graph)]
    return too_much_code(layers, graph, CODE_BYTES)


def four_bit_layers(graph: Graph) -> list[Operator]:
    """Convolutions and products of int8 with weights in [-8, 7]."""
    layers = (op for op in operators(graph) if isinstance(op, Conv2D | FullyConnected))
    int8 = (op for op in layers if graph.tensor(op.inputs[0]).dtype is DType.INT8)
    return [op for op in int8 if fits_four_bits(graph.tensor(op.inputs[1]))]


def is_single_row(op: Operator, graph: Graph) -> bool:
    """Whether input and output are one row or pixel, each output made of all inputs."""
    weights = graph.tensor(op.inputs[1])
    channels = weights.shape[0]
    row = weights.size // channels
    sizes = graph.tensor(op.inputs[0]).size, graph.tensor(op.outputs[0]).size
    return sizes == (row, channels) and weights.shape[1:-1] in ((), (1, 1))


def beyond_32_bits(op: Operator, graph: Graph) -> str | None:
    """Say so where a sum may leave 32 bits, with weights as they are stored."""
    weights = graph.tensor(op.inputs[1])
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    largest = 0 if bias is None else int(np.abs(bias.constant.astype(np.int64)).max())
    # Of inputs and of the zero point, with weights as they are stored and with what these are more.
    products = weights.size // weights.shape[0] * LARGEST_INPUT * (LARGEST_STORED + WORD + WORD)
    fits = largest + products < SUM_LIMIT
    return None if fits else "sums of the weights plus 8 may leave 32 bits"


def packed_call(op: Operator, graph: Graph, call: KernelCall) -> KernelCall:
    """The call of a convolution with weights, bias and multipliers as the kernel takes them."""
    weights = graph.tensor(op.inputs[1]).constant
    rows = weights.reshape(weights.shape[0], -1)
    context, params, _, dims, source, filter_dims, _, _, _, *output = call.arguments
    quant, step = _shared(call)
    packed = packed_rows(np.pad(rows, ((0, len(rows) % 2), (0, 0))), GROUP)
    bias = ConstantArray("folded_bias", _filled_up(_folded_bias(op, graph).astype(np.int32)))
    before = (context, params, quant, step, dims, source, filter_dims)
    return replace(call, arguments=(*before, packed, bias, *output), source=f"{call.function}.c")


def _shared(call: KernelCall) -> tuple[Struct, int]:
    """Multipliers and the step from one channel's to the next: one and 0 where all are equal."""
    structs = (argument for argument in call.arguments if isinstance(argument, Struct))
    quant = next(struct for struct in structs if struct.name == "quant_params")
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
