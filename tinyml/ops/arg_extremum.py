"""ARG_MAX and ARG_MIN along one dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import apart, joined
from tinyml.ops.onnx.reduction import reduced_order
from tinyml.ops.reshape import Reshape

# The schema's TensorType of each type an index may have.
INDEX_TYPES = {2: DType.INT32, 4: DType.INT64}


@dataclass(frozen=True, kw_only=True)
class ArgExtremum(Operator):
    """Index of the first largest, or smallest, element along ``axis``."""

    largest: bool
    axis: int
    dtype: DType

    opcodes: ClassVar[tuple[str, ...]] = ("ARG_MAX", "ARG_MIN")
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    differentiable: ClassVar[bool] = False
    kernels: ClassVar[Kernels] = int8_kernels("tinyml_arg_extremum_s8")
    onnx_types: ClassVar[Mapping[str, Operands]] = {"ArgMax": Operands.ANY, "ArgMin": Operands.ANY}

    @property
    def kind(self) -> str:
        """Which of the two it is."""
        return "ARG_MAX" if self.largest else "ARG_MIN"

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axis, which must be constant, counted from the front; and the indices' type."""
        rank = len(node.tensors[node.inputs[0]].shape)
        axis = int(node.constant_input(1).reshape(-1)[0])
        operator = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            largest=node.opcode == "ARG_MAX",
            axis=axis + rank if axis < 0 else axis,
            dtype=node.tensors[node.outputs[0]].dtype,
        )
        if not 0 <= operator.axis < rank:
            raise operator.error(f"axis {axis} is outside a tensor of {rank} dimensions")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read one that gives the first of several such elements."""
        if node.attributes.get("select_last_index", 0):
            raise node.error("select_last_index is not supported")
        axis, keep_dims = (
            node.axis(node.attributes.get("axis", 0)),
            node.attributes.get("keepdims", 1),
        )
        index = node.inner("index") if keep_dims else node.name
        arg = cls(
            name=index,
            inputs=node.inputs[:1],
            outputs=(index,),
            largest=node.op_type == "ArgMax",
            axis=axis,
            dtype=DType.INT64,
        )
        if not keep_dims:
            return OnnxLowering(ops=(arg,), order=reduced_order(node.order, (axis,)))
        shape = list(node.operand(0).shape)
        shape[axis] = 1
        kept = Reshape(name=node.name, inputs=(index,), outputs=node.outputs, shape=tuple(shape))
        return OnnxLowering(ops=(arg, kept))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The input's shape without the axis, of indices."""
        require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        if self.dtype not in INDEX_TYPES.values():
            raise self.error(f"output is {self.dtype.value}, expected int32 or int64")
        return (TensorSpec(shape[: self.axis] + shape[self.axis + 1 :], self.dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """The input keeps its parameters, the indices have none."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Look each sample through."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        find = xp.argmax if self.largest else xp.argmin
        indices = find(apart(xp, operands[0], source.shape), self.axis + 1)
        return (joined(xp, xp.cast(indices, self.dtype.value), output.shape),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 2 for int8."""
        types = {dtype: code for code, dtype in INDEX_TYPES.items()}
        return TfliteOp(
            opcode="ARG_MAX" if self.largest else "ARG_MIN",
            version=1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 2,
            inputs=(*self.inputs, InlineConstant("axis", np.array(self.axis, np.int32))),
            options_table="ArgMaxOptions" if self.largest else "ArgMinOptions",
            options={"outputType": types[self.dtype]},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Write ArgMax or ArgMin, and Cast where the indices are int32."""
        del graph
        wide = self.outputs[0] if self.dtype is DType.INT64 else f"{self.name}/int64"
        node = OnnxNode(
            op_type="ArgMax" if self.largest else "ArgMin",
            inputs=self.inputs,
            outputs=(wide,),
            attributes={"axis": self.axis, "keepdims": 0},
        )
        if self.dtype is DType.INT64:
            return (node,)
        cast = OnnxNode(
            op_type="Cast", inputs=(wide,), outputs=self.outputs, attributes={"to": ONNX_INT32}
        )
        return node, cast

    def to_c(self, graph: Graph) -> Kernel:
        """Compare bytes."""
        shape = graph.tensor(self.inputs[0]).shape
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                TensorPointer(self.inputs[0]),
                math.prod(shape[: self.axis]),
                shape[self.axis],
                math.prod(shape[self.axis + 1 :]),
                1 if self.largest else -1,
                TensorPointer(self.outputs[0]),
                self.dtype.itemsize,
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))


# onnx.TensorProto.INT32; this folder does not import onnx.
ONNX_INT32 = 6
