"""The operators and tensors that take the place of one operator in a quantized graph."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinyml.ir.graph import Array, DType, Op, QuantParams, Shape, Tensor
from tinyml.ops.cast import Cast
from tinyml.ops.quantize import Quantize


@dataclass(slots=True)
class Lowering:
    """The operators that take the place of one, and the tensors they need."""

    op: Op
    shape: Shape
    ops: list[Op] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)

    def tensor(
        self,
        name: str,
        dtype: DType,
        quant: QuantParams | None = None,
        shape: Shape | None = None,
    ) -> str:
        """Add a tensor, of the output's shape where no other is given."""
        shape = self.shape if shape is None else shape
        self.tensors.append(Tensor(f"{self.op.name}/{name}", shape, dtype, quant))
        return self.tensors[-1].name

    def constant(self, name: str, value: Array, quant: QuantParams | None = None) -> str:
        """Add a constant."""
        dtype = DType(value.dtype.name)
        self.tensors.append(Tensor(f"{self.op.name}/{name}", value.shape, dtype, quant, value))
        return self.tensors[-1].name

    def integer(self, name: str, value: int) -> str:
        """Add a scalar int32."""
        return self.constant(name, np.array(value, np.int32))

    def cast(self, source: str, output: str, dtype: DType) -> str:
        """Add a CAST of integers."""
        self.ops.append(Cast(name=output, inputs=(source,), outputs=(output,), dtype=dtype))
        return output


def requantized(source: str, output: Tensor) -> Quantize:
    """Bring a quantized tensor to the scale of another."""
    return Quantize(name=output.name, inputs=(source,), outputs=(output.name,), dtype=output.dtype)
