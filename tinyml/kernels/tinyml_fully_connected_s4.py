"""FULLY_CONNECTED of one row with weights of four bits, widened in registers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.kernels.tinyml_convolve_s4 import four_bit_refusal, layers_do_not_pay, packed_call
from tinyml.ops.c.four_bits import WORD
from tinyml.ops.contract.c import Isa, Kernel, KernelCall
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.target import Target
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected

FUNCTION = "tinyml_fully_connected_s4"


@dataclass(frozen=True, kw_only=True)
class TinymlFullyConnectedS4(Candidate[FullyConnected]):
    """Half of the flash."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 40

    def refusal(self, op: FullyConnected, graph: Graph) -> str | None:
        """It is for one row, and weights in [-8, 7]."""
        return four_bit_refusal(op, graph) or _several_rows(op, graph)

    def does_not_pay(self, op: FullyConnected, graph: Graph, target: Target) -> str | None:
        """The kernel's code must be less than what all layers together save."""
        del op, target
        return layers_do_not_pay(graph)

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """Scratch holds the row, where it is widened."""
        return _kernel(op, graph, target, op.convolution_call(graph, FUNCTION))


@dataclass(frozen=True, kw_only=True)
class TinymlFullyConnectedS4OfPixel(Candidate[Conv2D]):
    """A 1x1 convolution of one pixel, as FULLY_CONNECTED with weights per channel becomes."""

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 60

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """It is for one pixel, a filter of 1x1, and weights in [-8, 7]."""
        if not op.is_pointwise(graph):
            return "the filter is not 1x1 without padding"
        return four_bit_refusal(op, graph) or _several_rows(op, graph)

    def does_not_pay(self, op: Conv2D, graph: Graph, target: Target) -> str | None:
        """The kernel's code must be less than what all layers together save."""
        del op, target
        return layers_do_not_pay(graph)

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """Scratch holds the pixel, where it is widened."""
        return _kernel(op, graph, target, op.call(graph, FUNCTION))


def _several_rows(op: Operator, graph: Graph) -> str | None:
    """Say so where the input or the output is more than one row or pixel."""
    weights = graph.tensor(op.inputs[1])
    rows = graph.tensor(op.outputs[0]).size // weights.shape[0]
    pixels = graph.tensor(op.inputs[0]).size * weights.shape[0] // weights.size
    return None if rows == pixels == 1 else f"there are {max(rows, pixels)} rows, expected 1"


def _kernel(op: Operator, graph: Graph, target: Target, call: KernelCall) -> Kernel:
    weights = graph.tensor(op.inputs[1])
    padded = -(-weights.size // weights.shape[0] // WORD) * WORD
    is_widened = target.isas != {Isa.MVE}
    return Kernel(
        calls=(packed_call(op, graph, call),), scratch_bytes=2 * padded if is_widened else 0
    )


CANDIDATES = (TinymlFullyConnectedS4(), TinymlFullyConnectedS4OfPixel())
