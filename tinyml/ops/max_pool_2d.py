"""MAX_POOL_2D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Graph
from tinyml.ops.base import Isa, Kernel
from tinyml.ops.pool import Pool2D


@dataclass(frozen=True, kw_only=True)
class MaxPool2D(Pool2D):
    """Maximum over a sliding window."""

    opcodes: ClassVar[tuple[str, ...]] = ("MAX_POOL_2D",)
    onnx_type: ClassVar[str] = "MaxPool"

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Call ``arm_max_pool_s8``."""
        del isas
        return Kernel(calls=(self.cmsis_nn_call(graph, "arm_max_pool_s8"),))
