"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Shape, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import joined


@dataclass(frozen=True, kw_only=True)
class Reshape(Operator):
    """Another shape for the same elements."""

    shape: Shape

    opcodes: ClassVar[tuple[str, ...]] = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
    kernels: ClassVar[Kernels] = dict.fromkeys(DType, ())
    folds: ClassVar[bool] = True
    without_kernel: ClassVar[str] = "an alias of its input"
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "Flatten": Operands.AS_ONNX,
        "Reshape": Operands.AS_ONNX,
        "Squeeze": Operands.AS_ONNX,
        "Unsqueeze": Operands.AS_ONNX,
    }

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Take the output's static shape; the operand that states it again is dropped."""
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            shape=node.tensors[node.outputs[0]].shape,
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Work out the static shape."""
        shape = onnx_shape(node)
        reshape = cls(name=node.name, inputs=node.inputs[:1], outputs=node.outputs, shape=shape)
        return OnnxLowering(ops=(reshape,), order=tuple(range(len(shape))))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The shape asked for, which must hold as many elements as the input."""
        source = graph.tensor(self.inputs[0])
        if int(np.prod(self.shape)) != source.size:
            raise self.error(f"cannot reshape '{source.name}' {source.shape} to {self.shape}")
        return (TensorSpec(self.shape, source.dtype),)

    @property
    def asymmetric_int16(self) -> tuple[str, ...]:
        """Both, whose bytes are the same."""
        return (*self.inputs, *self.outputs)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Nothing is computed, so the output takes the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Lay the elements out anew."""
        del graph
        return (joined(xp, operands[0], self.shape),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write RESHAPE, whatever it was read from."""
        del graph
        shape = np.array(self.shape, np.int32)
        return TfliteOp(
            opcode="RESHAPE",
            version=1,
            inputs=(*self.inputs, InlineConstant("shape", shape)),
            options_table="ReshapeOptions",
            options={"newShape": shape},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Reshape."""
        del graph
        shape = InlineConstant("shape", np.array(self.shape, np.int64))
        return (OnnxNode(op_type="Reshape", inputs=(*self.inputs, shape), outputs=self.outputs),)

    def to_c(self, graph: Graph) -> Kernel:
        """Do nothing: the output lies where the input lies."""
        if graph.tensor(self.inputs[0]).is_constant:
            raise self.error(
                f"input '{self.inputs[0]}' is a constant, expected an activation; store it in the "
                "shape it is used in"
            )
        return Kernel(alias=True)


def onnx_shape(node: OnnxNodeIn) -> Shape:
    """Shape a node gives its input; ModelError where that does not hold as many elements."""
    shape = _ONNX_SHAPES[node.op_type](node)
    source = node.operand(0)
    if math.prod(shape) != source.size or min(shape, default=1) < 1:
        raise node.error(f"cannot reshape '{source.name}' {source.shape} to {shape}")
    return shape


def _reshape_shape(node: OnnxNodeIn) -> Shape:
    """Copy the sizes that are 0, and work out the one that is -1."""
    source = node.operand(0)
    sizes = node.integers("shape", 1) or []
    if not node.attributes.get("allowzero", 0):
        sizes = [
            source.shape[axis] if size == 0 and axis < len(source.shape) else size
            for axis, size in enumerate(sizes)
        ]
    rest = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or (rest <= 0 and -1 in sizes):
        raise node.error(f"shape {sizes} does not say one size for '{source.name}' {source.shape}")
    return tuple(source.size // rest if size == -1 else size for size in sizes)


def _flatten_shape(node: OnnxNodeIn) -> Shape:
    shape = node.operand(0).shape
    axis = node.attributes.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    return math.prod(shape[:axis]), math.prod(shape[axis:])


def _squeeze_shape(node: OnnxNodeIn) -> Shape:
    shape = node.operand(0).shape
    axes = node.integers("axes", 1)
    dropped = [d for d, size in enumerate(shape) if size == 1] if axes is None else node.axes(axes)
    return tuple(size for d, size in enumerate(shape) if d not in dropped)


def _unsqueeze_shape(node: OnnxNodeIn) -> Shape:
    shape, axes = list(node.operand(0).shape), node.integers("axes", 1) or []
    rank = len(shape) + len(axes)
    if not all(-rank <= axis < rank for axis in axes):
        raise node.error(f"axes {axes} are outside an output of {rank} dimensions")
    for axis in sorted(axis % rank for axis in axes):
        shape.insert(axis, 1)
    return tuple(shape)


_ONNX_SHAPES: Mapping[str, Callable[[OnnxNodeIn], Shape]] = {
    "Flatten": _flatten_shape,
    "Reshape": _reshape_shape,
    "Squeeze": _squeeze_shape,
    "Unsqueeze": _unsqueeze_shape,
}
