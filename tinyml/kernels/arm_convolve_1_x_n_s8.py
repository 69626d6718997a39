"""A convolution along one row, as CMSIS-NN 5 has it for MVE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.kernels.arm_convolve_s8 import beyond_16_bits
from tinyml.ops.contract.c import Isa, Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.contract.window import spatial
from tinyml.ops.conv_2d import Conv2D


@dataclass(frozen=True, kw_only=True)
class ArmConvolve1xNS8(Candidate[Conv2D]):
    """Input and filter have height 1.

    Its scratch is NULL with MVE alone. From 6.0.0 on it is wrong under padding with a stride.
    """

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_convolve_1_x_n_s8"}
    preference = 20

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """It recomputes the padding from the sizes, and must come to the same."""
        if reason := beyond_16_bits(op, graph):
            return reason
        return None if _fits(op, graph) else "it computes rows of other strides and paddings"

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        return Kernel(calls=(op.call(graph, self.function(op, graph)),), version_bound=True)


def _fits(op: Conv2D, graph: Graph) -> bool:
    """Whether this layer is one.

    It wants rows of height 1, a stride that keeps four-byte alignment, and a right padding that the
    window exactly uses up.
    """
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    window = op.window(graph)
    if source.shape[1] != 1 or window.size[0] != 1 or window.dilation[1] != 1:
        return False
    if output.shape[1] != 1 or window.stride[1] * source.shape[3] % 4 != 0:
        return False
    covered = (output.shape[2] - 1) * window.stride[1] + window.size[1]
    total = covered - source.shape[2]
    (_, left), (_, right) = window.pads(spatial(source.shape))
    if total < 0 or (left, right) != (total // 2, total - total // 2) or right - left > 1:
        return False
    padded = -(-left // window.stride[1]) + -(-right // window.stride[1])
    return padded <= output.shape[2]


CANDIDATES = (ArmConvolve1xNS8(isas=frozenset([Isa.MVE]), cmsis_nn=frozenset([5])),)
