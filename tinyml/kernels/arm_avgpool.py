"""AVERAGE_POOL_2D on cores that sum in registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.c import Isa, Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target


@dataclass(frozen=True, kw_only=True)
class ArmAvgpool(Candidate[AveragePool2D]):
    """The operator's own kernel, without the scratch that only DSP cores touch."""

    computes = AveragePool2D
    functions: ClassVar[Mapping[DType, str]] = {
        DType.INT8: "arm_avgpool_s8",
        DType.INT16: "arm_avgpool_s16",
    }
    preference = 10

    def bind(self, op: AveragePool2D, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        return Kernel(calls=(op.cmsis_nn_call(graph),))


CANDIDATES = (ArmAvgpool(isas=frozenset([Isa.SCALAR, Isa.MVE])),)
