"""A depthwise convolution of 3x3, unrolled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.kernels.arm_depthwise_conv_s8_opt import more_than_one
from tinyml.ops.contract.c import Isa, Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.contract.window import spatial
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D


@dataclass(frozen=True, kw_only=True)
class ArmDepthwiseConv3x3S8(Candidate[DepthwiseConv2D]):
    """One filter of 3x3 a channel, with at most one row of padding."""

    computes = DepthwiseConv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_depthwise_conv_3x3_s8"}
    preference = 20

    def refusal(self, op: DepthwiseConv2D, graph: Graph) -> str | None:
        """It takes one image, no multiplier and no dilation."""
        if reason := more_than_one(op, graph):
            return reason
        source, window = graph.tensor(op.inputs[0]), op.window(graph)
        small = window.size == (3, 3) and max(window.pads(spatial(source.shape))[0]) <= 1
        return None if small else "the filter is not 3x3 with a padding of at most 1"

    def bind(self, op: DepthwiseConv2D, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        return Kernel(calls=(op.call(graph, self.function(op, graph)),))


CANDIDATES = (ArmDepthwiseConv3x3S8(isas=frozenset([Isa.SCALAR, Isa.DSP])),)
