"""Functions of one tensor that are a straight line on either side of 0."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.tables import signed_multiplier, two_slopes_table
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.families.lookup import LookupOperator
from tinyml.ops.families.requantize import LARGEST_SHIFT
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class TwoSlopesOperator(UnaryOperator):
    """Requantizes by one real multiplier from 0 up, by another below."""

    kernels: ClassVar[Kernels] = {
        **LookupOperator.kernels,
        DType.INT16: ("tinyml_two_slopes_s16",),
    }

    @abc.abstractmethod
    def slopes(self, source: Tensor, output: Tensor) -> tuple[float, float]:
        """Real multipliers from 0 up and below it, float32 as TFLite makes them."""

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """Requantize by two real multipliers."""
        return two_slopes_table(source.per_tensor, output.per_tensor, *self.slopes(source, output))

    def to_c(self, graph: Graph) -> Kernel:
        """Look int8 up, rescale int16."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        if source.dtype is not DType.INT16:
            return super().to_c(graph)
        above, below = (self._slope(output, real) for real in self.slopes(source, output))
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_two_slopes_params", "params", {"above": above, "below": below}),
                TensorPointer(source.name),
                TensorPointer(output.name),
                output.size,
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,), may_overwrite=(source.name,))

    def _slope(self, output: Tensor, real: float) -> dict[str, int]:
        """``tinyml_output`` of one side; ModelError where int16 times it would leave 32 bits."""
        multiplier, shift = signed_multiplier(real)
        if shift > LARGEST_SHIFT:
            raise self.error(
                f"output '{output.name}' has scale {output.scale:.9g}, too small for 32 bits "
                f"where int16 is multiplied by {real:.9g}"
            )
        low, high = LIMITS[DType.INT16]
        return {"multiplier": multiplier, "shift": shift, "offset": 0, "min": low, "max": high}
