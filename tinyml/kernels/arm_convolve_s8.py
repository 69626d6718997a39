"""A convolution of any filter: windows gathered in scratch, then products of matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.c import Argument, Isa, Kernel, TensorPointer
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.ops.conv_2d import Conv2D

# The kernel counts in uint16_t.
LARGEST_SIZE = 65535


@dataclass(frozen=True, kw_only=True)
class ArmConvolveS8(Candidate[Conv2D]):
    """The kernel of one version of CMSIS-NN.

    ``mve_lanes`` are the elements that a row of its scratch is rounded up to on MVE;
    ``after_bias`` what it takes more, the sizes of a transposed convolution's upscaling or NULL.
    """

    mve_lanes: int
    after_bias: tuple[Argument, ...] = ()

    computes = Conv2D
    functions: ClassVar[Mapping[DType, str]] = {DType.INT8: "arm_convolve_s8"}
    preference = 10

    def refusal(self, op: Conv2D, graph: Graph) -> str | None:
        """All but sizes beyond its counters."""
        return beyond_16_bits(op, graph)

    def bind(self, op: Conv2D, graph: Graph, target: Target) -> Kernel:
        """Take the scratch of the core that needs most."""
        taps = op.taps(graph)
        return Kernel(
            calls=(op.call(graph, self.function(op, graph), *self.after_bias),),
            scratch_bytes=max(self.scratch_bytes(taps, isa) for isa in target.isas),
            version_bound=Isa.MVE in target.isas,
        )

    def scratch_bytes(self, taps: int, isa: Isa) -> int:
        """``arm_convolve_s8_get_buffer_size`` for ``taps`` weights per output channel."""
        if isa is Isa.MVE:
            return 4 * self.mve_lanes * -(-taps // self.mve_lanes)
        return 2 * 2 * (-(-taps // 4) * 4)


def beyond_16_bits(op: Conv2D, graph: Graph) -> str | None:
    """Say which size the kernel's 16-bit counters would cut off, if any."""
    for name in (*op.inputs[:2], *op.outputs):
        shape = graph.tensor(name).shape
        if max(shape) > LARGEST_SIZE:
            return f"'{name}' has shape {shape}, expected dimensions of at most {LARGEST_SIZE}"
    if op.taps(graph) > LARGEST_SIZE:
        return f"one output takes {op.taps(graph)} weights, expected at most {LARGEST_SIZE}"
    return None


CANDIDATES = (
    ArmConvolveS8(mve_lanes=8, cmsis_nn=frozenset([5])),
    ArmConvolveS8(mve_lanes=16, cmsis_nn=frozenset([6])),
    ArmConvolveS8(mve_lanes=16, cmsis_nn=frozenset([7]), after_bias=(TensorPointer(""),)),
)
