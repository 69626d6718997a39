"""FULLY_CONNECTED with weights of four bits, two in a byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.c.four_bits import FourBitCandidate, packed_weights
from tinyml.ops.contract.c import Kernel, ScratchContext
from tinyml.ops.contract.target import Target
from tinyml.ops.fully_connected import FullyConnected


@dataclass(frozen=True, kw_only=True)
class ArmFullyConnectedS4(FourBitCandidate[FullyConnected]):
    """Half of the flash."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_fully_connected_s4"}
    preference = 20

    def does_not_pay(self, op: FullyConnected, graph: Graph, target: Target) -> str | None:
        """It takes up to three times the instructions of int8, ours none more."""
        del op, graph, target
        return "tinyml_fully_connected_s4 and tinyml_convolve_s4 are faster with such weights"

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        weights = packed_weights(graph.tensor(op.inputs[1]))
        return Kernel(calls=(op.call(graph, self.function(op, graph), ScratchContext(), weights),))


CANDIDATES = (ArmFullyConnectedS4(),)
