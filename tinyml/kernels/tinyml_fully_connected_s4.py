"""FULLY_CONNECTED of one row with weights of four bits, widened in registers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.kernels.tinyml_convolve_s4 import (
    beyond_32_bits,
    four_bit_layers,
    is_single_row,
    packed_call,
)
from tinyml.ops.c.four_bits import WORD, FourBitCandidate, too_much_code
from tinyml.ops.contract.c import Isa, Kernel, KernelCall
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.target import Target
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected

FUNCTION = "tinyml_fully_connected_s4"

# Code of the kernel on a Cortex-M3.
CODE_BYTES = 1400


@dataclass(frozen=True, kw_only=True)
class TinymlFullyConnectedS4(FourBitCandidate[FullyConnected]):
    """Half of the flash."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 40

    def refusal(self, op: FullyConnected, graph: Graph) -> str | None:
        """It is for one row, and weights in [-8, 7]."""
        return super().refusal(op, graph) or _beyond_it(op, graph)

    def does_not_pay(self, op: FullyConnected, graph: Graph, target: Target) -> str | None:
        """Its code must be less than what all layers save."""
        return super().does_not_pay(op, graph, target) or _does_not_pay(graph)

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """Scratch holds the row, where it is widened."""
        return _kernel(op, graph, target, op.convolution_call(graph, FUNCTION))


@dataclass(frozen=True, kw_only=True)
class TinymlFullyConnectedS4OfPixel(FourBitCandidate[Conv2D]):
    """A 1x1 convolution of one pixel, as FULLY_CONNECTED with weights per channel becomes."""

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 60

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """It is for one pixel, a filter of 1x1, and weights in [-8, 7]."""
        return super().refusal(op, graph) or _beyond_it(op, graph)

    def does_not_pay(self, op: Conv2D, graph: Graph, target: Target) -> str | None:
        """Its code must be less than what all layers save."""
        return super().does_not_pay(op, graph, target) or _does_not_pay(graph)

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """Scratch holds the pixel, where it is widened."""
        return _kernel(op, graph, target, op.call(graph, FUNCTION))


def _beyond_it(op: Operator, graph: Graph) -> str | None:
    if not is_single_row(op, graph):
        return "it is for one row or pixel, and a filter of 1x1"
    return beyond_32_bits(op, graph)


def _does_not_pay(graph: Graph) -> str | None:
    layers = [op for op in four_bit_layers(graph) if is_single_row(op, graph)]
    return too_much_code(layers, graph, CODE_BYTES)


def _kernel(op: Operator, graph: Graph, target: Target, call: KernelCall) -> Kernel:
    weights = graph.tensor(op.inputs[1])
    padded = -(-weights.size // weights.shape[0] // WORD) * WORD
    is_widened = target.isas != {Isa.MVE}
    return Kernel(
        calls=(packed_call(op, graph, call),), scratch_bytes=2 * padded if is_widened else 0
    )


CANDIDATES = (TinymlFullyConnectedS4(), TinymlFullyConnectedS4OfPixel())
