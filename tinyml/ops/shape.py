"""SHAPE: the sizes of a tensor, which are known at build time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics import arrays
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import ONNX_TYPES, OnnxNode
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TFLITE_TYPES, TfliteNode, TfliteOp
from tinyml.ops.families.movement import contiguous_copy, moved_by


@dataclass(frozen=True, kw_only=True)
class ShapeOf(Operator):
    """Sizes of the input's dimensions as ``dtype``, int32 or int64."""

    dtype: DType

    opcodes: ClassVar[tuple[str, ...]] = ("SHAPE",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    differentiable: ClassVar[bool] = False
    folds: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = {
        **moved_by("tinyml_copy"),
        DType.FLOAT16: (),
    }

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Take the output's dtype."""
        dtype = node.tensors[node.outputs[0]].dtype
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs, dtype=dtype)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """One number per dimension."""
        source = graph.tensor(self.inputs[0])
        if not source.shape or self.dtype not in {DType.INT32, DType.INT64}:
            raise self.error(
                f"gives the sizes of '{source.name}' {source.shape} as {self.dtype.value}, "
                "expected dimensions and int32 or int64"
            )
        return (TensorSpec((len(source.shape),), self.dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Sizes have no scale."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Give the sizes that the graph says, whatever the elements."""
        del operands
        sizes = np.array(graph.tensor(self.inputs[0]).shape, self.dtype.numpy)
        return (xp.convert_to_tensor(sizes),)

    def fold(self, graph: Graph) -> tuple[Array, ...] | None:
        """Give the sizes, also of what is no constant."""
        self.infer(graph)
        return self.compute(arrays, graph, None)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1."""
        del graph
        return TfliteOp(
            opcode="SHAPE",
            version=1,
            inputs=self.inputs,
            options_table="ShapeOptions",
            options={"outType": TFLITE_TYPES[self.dtype]},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Shape, then Cast, for ONNX counts in int64."""
        del graph
        sizes = f"{self.name}/int64"
        return (
            OnnxNode(op_type="Shape", inputs=self.inputs, outputs=(sizes,)),
            OnnxNode(
                op_type="Cast",
                inputs=(sizes,),
                outputs=self.outputs,
                attributes={"to": ONNX_TYPES[self.dtype]},
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Copy the sizes, where they are an output of the model; elsewhere they are folded."""
        sizes = np.array(graph.tensor(self.inputs[0]).shape, self.dtype.numpy)
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                contiguous_copy(sizes.nbytes),
                ConstantArray("sizes", sizes),
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))
