"""DEPTHWISE_CONV_2D with weights of four bits, widened before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.kernels import candidates_for
from tinyml.ops.c.four_bits import WORD, FourBitCandidate, packed_rows, too_much_code
from tinyml.ops.contract.c import Argument, Kernel, KernelCall, ScratchPointer, TensorPointer
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.operator import operators
from tinyml.ops.contract.target import Goal, Target
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D

FUNCTION = "tinyml_widen_s4"

# Code of the kernel and of a call.
CODE_BYTES = 100

ALIGNMENT = 4


@dataclass(frozen=True, kw_only=True)
class TinymlWidenS4(FourBitCandidate[DepthwiseConv2D]):
    """Half of the flash, for as many bytes of scratch as the layer has weights.

    The kernel that would run with int8 weights runs on them, once they are widened.
    """

    computes = DepthwiseConv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: FUNCTION}
    preference = 30

    def does_not_pay(self, op: DepthwiseConv2D, graph: Graph, target: Target) -> str | None:
        """It costs RAM, and time: few weights for many products are a depthwise layer's."""
        if target.goal is not Goal.FLASH:
            return "it saves flash at the cost of RAM, which the goal 'flash' asks for"
        depthwise = (op for op in operators(graph) if isinstance(op, DepthwiseConv2D))
        int8 = (op for op in depthwise if graph.tensor(op.inputs[0]).dtype is DType.INT8)
        layers = [op for op in int8 if self.concerns(op, graph)]
        shared = super().does_not_pay(op, graph, target)
        return shared or too_much_code(layers, graph, CODE_BYTES)

    def bind(self, op: DepthwiseConv2D, graph: Graph, target: Target) -> Kernel:
        """The weights lie behind the scratch of the kernel that takes them."""
        weights = graph.tensor(op.inputs[1])
        packed = packed_rows(weights.constant.reshape(1, -1), WORD)
        kernel = self._of_int8(op, graph, target)
        start = -(-kernel.scratch_bytes // ALIGNMENT) * ALIGNMENT
        widened = ScratchPointer(start)
        words = -(-weights.size // WORD)
        widen = KernelCall(
            function=FUNCTION, arguments=(packed, words, widened), source=f"{FUNCTION}.c"
        )
        calls = (_with_weights(call, weights.name, widened) for call in kernel.calls)
        return replace(kernel, calls=(widen, *calls), scratch_bytes=start + WORD * words)

    def _of_int8(self, op: DepthwiseConv2D, graph: Graph, target: Target) -> Kernel:
        """The kernel preferred where the weights are left as they are."""
        others: list[Candidate[Any]] = [
            other
            for other in candidates_for(DepthwiseConv2D)
            if other is not self and DType.INT8 in other.functions
            if other.exists_on(target) and other.refusal(op, graph) is None
        ]
        return others[0].bind(op, graph, target) if others else op.to_c(graph)


def _with_weights(call: KernelCall, name: str, weights: Argument) -> KernelCall:
    arguments = (
        weights if argument == TensorPointer(name) else argument for argument in call.arguments
    )
    return replace(call, arguments=tuple(arguments))


CANDIDATES = (TinymlWidenS4(),)
