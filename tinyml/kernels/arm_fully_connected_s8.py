"""FULLY_CONNECTED: CMSIS-NN's product of a matrix and a vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType, Graph
from tinyml.ops.contract.c import PORTABLE, ConstantArray, Isa, Kernel, ScratchContext
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.fully_connected import FullyConnected


@dataclass(frozen=True, kw_only=True)
class ArmFullyConnectedS8(Candidate[FullyConnected]):
    """The kernel of cores without MVE, which asks for nothing more than the operands."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_fully_connected_s8"}
    preference = 12

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        return Kernel(calls=(op.call(graph, self.function(op, graph), ScratchContext()),))


@dataclass(frozen=True, kw_only=True)
class ArmFullyConnectedS8WithSums(Candidate[FullyConnected]):
    """The kernel of MVE, which wants the sum of each row of weights ready-made.

    ``with_bias``: multiplied by the input's offset, the bias added, as from 7.0.0 on.
    """

    with_bias: bool

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_fully_connected_s8"}
    preference = 10

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """The sums are a constant of the image."""
        del target
        sums = self._sums(op, graph).astype(np.int32)
        context = ScratchContext(ConstantArray("weight_sums", sums))
        call = op.call(graph, self.function(op, graph), context)
        return Kernel(calls=(call,), version_bound=True)

    def _sums(self, op: FullyConnected, graph: Graph) -> Array:
        sums: Array = graph.tensor(op.inputs[1]).constant.astype(np.int64).sum(axis=1)
        if not self.with_bias:
            return sums
        bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
        complete: Array = sums * -graph.tensor(op.inputs[0]).zero_point
        return complete if bias is None else complete + bias.constant


CANDIDATES = (
    ArmFullyConnectedS8(isas=frozenset([Isa.SCALAR, Isa.DSP])),
    ArmFullyConnectedS8WithSums(isas=PORTABLE, cmsis_nn=frozenset([5, 6]), with_bias=False),
    ArmFullyConnectedS8WithSums(isas=PORTABLE, cmsis_nn=frozenset([7]), with_bias=True),
)
