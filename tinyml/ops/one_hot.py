"""ONE_HOT: one value at the place that an index names, another everywhere else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import apart, joined
from tinyml.ops.families.parts import axis_from_front

INDEX_TYPES = (DType.INT32, DType.INT64)
# TFLite's kernels lack int16.
ON_DEVICE = (DType.INT8, DType.INT32, DType.BOOL)


@dataclass(frozen=True, kw_only=True)
class OneHot(Operator):
    """The second input at index ``indices[...]`` of a new dimension at ``axis``, else the third.

    An index outside of ``depth`` names no place: the third input is everywhere.
    """

    axis: int
    depth: int

    opcodes: ClassVar[tuple[str, ...]] = ("ONE_HOT",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {
        DType.FLOAT32: (),
        **dict.fromkeys(ON_DEVICE, ("tinyml_one_hot",)),
    }
    folds: ClassVar[bool] = True
    typed_input: ClassVar[int] = 1

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the depth, which must be constant, and the axis, counted from the front."""
        return cls(
            name=node.name,
            inputs=(node.inputs[0], *node.inputs[2:]),
            outputs=node.outputs,
            axis=axis_from_front(node, int(node.options.get("axis", -1)), node.outputs[0]),
            depth=int(node.constant_input(1).reshape(-1)[0]),
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the shape of the indices with the depth at the axis, and the values' dtype."""
        dtype = require_dtype(self, graph)
        indices, *values = (graph.tensor(name) for name in self.inputs)
        if indices.dtype not in INDEX_TYPES or not 0 <= self.axis <= len(indices.shape):
            raise self.error(
                f"axis {self.axis} does not fit indices '{indices.name}' {indices.dtype.value} "
                f"{indices.shape}"
            )
        if self.depth < 1 or any((value.size, value.dtype) != (1, dtype) for value in values):
            found = ", ".join(f"'{v.name}' {v.dtype.value} {v.shape}" for v in values)
            raise self.error(f"depth {self.depth} and values {found}, expected two of one element")
        shape = (*indices.shape[: self.axis], self.depth, *indices.shape[self.axis :])
        return (TensorSpec(shape, dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Values are copied, so they take the output's parameters."""
        del graph
        return QuantizationRule(inputs_follow_output=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Compare each sample's indices with every place."""
        indices, on, off = operands
        tensor = graph.tensor(self.inputs[0])
        each = xp.expand_dims(apart(xp, indices, tensor.shape), self.axis + 1)
        hot = xp.equal(each, self._places(len(tensor.shape)).astype(tensor.dtype.numpy))
        values = xp.where(hot, xp.reshape(on, ()), xp.reshape(off, ()))
        return (joined(xp, values, graph.tensor(self.outputs[0]).shape),)

    def _places(self, rank: int) -> Array:
        """Every place of the new dimension, of a shape that broadcasts to the output's."""
        return np.arange(self.depth).reshape(-1, *[1] * (rank - self.axis))

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1."""
        del graph
        depth = InlineConstant("depth", np.array(self.depth, np.int32))
        return TfliteOp(
            opcode="ONE_HOT",
            version=1,
            inputs=(self.inputs[0], depth, *self.inputs[1:]),
            options_table="OneHotOptions",
            options={"axis": self.axis},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Compare the indices with all places, then Where: OneHot would count from the end too."""
        indices = graph.tensor(self.inputs[0])
        axes = InlineConstant("axes", np.array([self.axis], np.int64))
        places = InlineConstant(
            "places", self._places(len(indices.shape)).astype(indices.dtype.numpy)
        )
        expanded, hot = f"{self.name}/expanded", f"{self.name}/hot"
        return (
            OnnxNode(op_type="Unsqueeze", inputs=(indices.name, axes), outputs=(expanded,)),
            OnnxNode(op_type="Equal", inputs=(expanded, places), outputs=(hot,)),
            OnnxNode(op_type="Where", inputs=(hot, *self.inputs[1:]), outputs=self.outputs),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Write element after element."""
        indices = graph.tensor(self.inputs[0])
        if indices.dtype is not DType.INT32:
            raise self.error(
                f"indices '{indices.name}' are {indices.dtype.value}, expected int32 where they "
                "are computed at run time"
            )
        params = {
            "outer": math.prod(indices.shape[: self.axis]),
            "depth": self.depth,
            "inner": math.prod(indices.shape[self.axis :]),
            "bytes": graph.tensor(self.outputs[0]).dtype.itemsize,
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_one_hot_params", "one_hot_params", params),
                *map(TensorPointer, self.inputs),
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))
