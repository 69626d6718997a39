"""AVERAGE_POOL_2D: mean over a window, padding left out of the count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Graph
from tinyml.ops.base import Isa, Kernel
from tinyml.ops.pool import Pool2D


@dataclass(frozen=True, kw_only=True)
class AveragePool2D(Pool2D):
    """Average over a sliding window, rounded halves away from zero."""

    opcodes: ClassVar[tuple[str, ...]] = ("AVERAGE_POOL_2D",)
    onnx_type: ClassVar[str] = "AveragePool"

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Call ``arm_avgpool_s8``."""
        channels = graph.tensor(self.inputs[0]).shape[3]
        return Kernel(
            calls=(self.cmsis_nn_call(graph, "arm_avgpool_s8"),),
            scratch_bytes=max(avgpool_s8_scratch(channels, isa) for isa in isas),
        )


def avgpool_s8_scratch(channels: int, isa: Isa) -> int:
    """``arm_avgpool_s8_get_buffer_size``, in bytes: one int32 sum per channel on DSP cores."""
    return 4 * channels if isa is Isa.DSP else 0
