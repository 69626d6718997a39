"""A depthwise convolution with one filter a channel, several channels at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.c import Isa, Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.depthwise_conv_2d import MVE_CHANNEL_BLOCK, DepthwiseConv2D


@dataclass(frozen=True, kw_only=True)
class ArmDepthwiseConvS8Opt(Candidate[DepthwiseConv2D]):
    """Any filter."""

    computes = DepthwiseConv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_depthwise_conv_s8_opt"}
    preference = 10

    def refusal(self, op: DepthwiseConv2D, graph: Graph) -> str | None:
        """It takes one image, no multiplier and no dilation."""
        return more_than_one(op, graph)

    def bind(self, op: DepthwiseConv2D, graph: Graph, target: Target) -> Kernel:
        """Take the scratch of the core that needs most."""
        channels = graph.tensor(op.inputs[0]).shape[3]
        height, width = op.window(graph).size
        scratch = max(scratch_bytes(channels, height * width, isa) for isa in target.isas)
        return Kernel(calls=(op.call(graph, self.function(op, graph)),), scratch_bytes=scratch)


def more_than_one(op: DepthwiseConv2D, graph: Graph) -> str | None:
    """Say what CMSIS-NN's faster kernels take one of, where there is more."""
    if op.is_plain(graph) and graph.tensor(op.inputs[0]).shape[0] == 1:
        return None
    return "there are several filters a channel, gaps between taps, or several images"


def scratch_bytes(channels: int, taps: int, isa: Isa) -> int:
    """``arm_depthwise_conv_s8_opt_get_buffer_size``."""
    return {
        Isa.SCALAR: 0,
        Isa.DSP: 2 * channels * taps,
        Isa.MVE: 4 * MVE_CHANNEL_BLOCK * taps,
    }[isa]


CANDIDATES = (ArmDepthwiseConvS8Opt(),)
