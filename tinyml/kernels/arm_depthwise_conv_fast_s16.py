"""A 16x8 depthwise convolution that sums in 32 bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.c import PORTABLE, Isa, Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D

# From as many taps on its sums would overflow.
MOST_TAPS = 512


@dataclass(frozen=True, kw_only=True)
class ArmDepthwiseConvFastS16(Candidate[DepthwiseConv2D]):
    """Filters of few taps.

    On MVE it reads four channels at once, past the end of the weights where they are no multiple of
    that: ``channel_multiple``.
    """

    channel_multiple: int = 1

    computes = DepthwiseConv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT16: "arm_depthwise_conv_fast_s16"}
    preference = 10

    def exists_on(self, target: Target) -> bool:
        """On a scalar core alone it is not faster."""
        return super().exists_on(target) and target.isas != {Isa.SCALAR}

    def refusal(self, op: DepthwiseConv2D, graph: Graph) -> str | None:
        """It takes one filter a channel, without gaps, and sums that stay within 32 bits."""
        channels, taps = graph.tensor(op.inputs[0]).shape[3], math.prod(op.window(graph).size)
        if not op.is_plain(graph):
            return "there are several filters a channel, or gaps between taps"
        if taps >= MOST_TAPS:
            return f"the filter has {taps} taps, expected fewer than {MOST_TAPS}"
        if channels % self.channel_multiple:
            return f"there are {channels} channels, expected a multiple of {self.channel_multiple}"
        return None

    def bind(self, op: DepthwiseConv2D, graph: Graph, target: Target) -> Kernel:
        """Take the scratch of the core that needs most."""
        channels, taps = graph.tensor(op.inputs[0]).shape[3], math.prod(op.window(graph).size)
        scratch = max(scratch_bytes(channels, taps, isa) for isa in target.isas)
        return Kernel(calls=(op.call(graph, self.function(op, graph)),), scratch_bytes=scratch)


def scratch_bytes(channels: int, taps: int, isa: Isa) -> int:
    """``arm_depthwise_conv_fast_s16_get_buffer_size``."""
    return {
        Isa.SCALAR: 0,
        Isa.DSP: 2 * channels * taps,
        Isa.MVE: 4 * 2 * channels * taps + 8,
    }[isa]


CANDIDATES = (
    ArmDepthwiseConvFastS16(isas=frozenset([Isa.SCALAR, Isa.DSP])),
    ArmDepthwiseConvFastS16(isas=PORTABLE, channel_multiple=4),
)
