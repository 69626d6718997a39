"""FULLY_CONNECTED with weights of four bits, two in a byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.c.four_bits import fits_four_bits, packed_weights
from tinyml.ops.contract.c import Kernel, ScratchContext
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.fully_connected import FullyConnected


@dataclass(frozen=True, kw_only=True)
class ArmFullyConnectedS4(Candidate[FullyConnected]):
    """Half of the flash."""

    computes = FullyConnected
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_fully_connected_s4"}
    preference = 20

    def refusal(self, op: FullyConnected, graph: Graph) -> str | None:
        """The weights must lie in [-8, 7]."""
        fits = fits_four_bits(graph.tensor(op.inputs[1]))
        return None if fits else "the weights do not fit four bits"

    def bind(self, op: FullyConnected, graph: Graph, target: Target) -> Kernel:
        """No scratch."""
        del target
        weights = packed_weights(graph.tensor(op.inputs[1]))
        return Kernel(calls=(op.call(graph, self.function(op, graph), ScratchContext(), weights),))


CANDIDATES = (ArmFullyConnectedS4(),)
