"""A 1x1 convolution without stride: a product of matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.conv_2d import Conv2D


@dataclass(frozen=True, kw_only=True)
class ArmConvolve1x1S8Fast(Candidate[Conv2D]):
    """Each output pixel is made of one input pixel, and every one is used."""

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_convolve_1x1_s8_fast"}
    preference = 40

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """It wants a filter of 1x1, no padding, and a stride of 1."""
        if not op.is_pointwise(graph):
            return "the filter is not 1x1 without padding"
        return None if op.stride == (1, 1) else f"the stride is {op.stride}, expected (1, 1)"

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        return Kernel(calls=(op.call(graph, self.function(op, graph)),))


CANDIDATES = (ArmConvolve1x1S8Fast(),)
