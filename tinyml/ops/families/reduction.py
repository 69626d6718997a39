"""What operators share that reduce a tensor along some of its dimensions."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import apart, joined
from tinyml.ops.families.elementwise import strides, walk
from tinyml.ops.onnx.reduction import read_onnx_axes, reduced_order


@dataclass(frozen=True, kw_only=True)
class ReductionOperator(Operator):
    """One value for all elements along ``axes``, which stay as 1 with ``keep_dims``."""

    axes: tuple[int, ...]
    keep_dims: bool

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axes, which must be constant, counted from the front."""
        rank = len(node.tensors[node.inputs[0]].shape)
        axes = [int(axis) for axis in node.constant_input(1).reshape(-1)]
        operator = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            axes=tuple(sorted({axis + rank if axis < 0 else axis for axis in axes})),
            keep_dims=bool(node.options.get("keepDims", False)),
        )
        if not operator.axes or not all(0 <= axis < rank for axis in operator.axes):
            raise operator.error(f"axes {axes} do not fit an input of {rank} dimensions")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read the axes; a global pool is a reduction of all but batch and channels."""
        axes, keep_dims = read_onnx_axes(node)
        op = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            axes=axes,
            keep_dims=keep_dims,
        )
        order = node.order if keep_dims else reduced_order(node.order, axes)
        return OnnxLowering(ops=(op,), order=order)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape without the axes, or with 1 in their place."""
        dtype = require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        kept = [1 if axis in self.axes else size for axis, size in enumerate(shape)]
        if not self.keep_dims:
            kept = [size for axis, size in enumerate(shape) if axis not in self.axes]
        return (TensorSpec(tuple(kept), dtype),)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Reduce each sample."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        axes = tuple(axis + 1 for axis in self.axes)
        reduced = self.reduced(xp, apart(xp, operands[0], source.shape), axes)
        return (joined(xp, reduced, output.shape),)

    @abc.abstractmethod
    def reduced(self, xp: ArrayLibrary, x: Any, axes: tuple[int, ...]) -> Any:
        """One value for all elements along ``axes``."""

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype."""
        axes = InlineConstant("axes", np.array(self.axes, np.int32))
        return TfliteOp(
            opcode=self.opcodes[0],
            version=VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=(*self.inputs, axes),
            options_table="ReducerOptions",
            options={"keepDims": self.keep_dims},
        )

    def walks(self, graph: Graph) -> dict[str, dict[str, list[int]]]:
        """``tinyml_reduction``: from output to output, and over what makes one of them."""
        shape = graph.tensor(self.inputs[0]).shape
        steps = strides(shape)
        kept = [axis for axis in range(len(shape)) if axis not in self.axes]

        def along(axes: list[int]) -> dict[str, list[int]]:
            return walk(self, tuple(shape[axis] for axis in axes), [steps[axis] for axis in axes])

        return {"kept": along(kept), "reduced": along(list(self.axes))}


@dataclass(frozen=True, kw_only=True)
class ExtremumReduction(ReductionOperator):
    """The largest or the smallest element."""

    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_type: ClassVar[str]

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so the output takes the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Write the node of the same name, whose axes are an attribute up to opset 17."""
        del graph
        return (
            OnnxNode(
                op_type=self.onnx_type,
                inputs=self.inputs,
                outputs=self.outputs,
                attributes={"axes": list(self.axes), "keepdims": int(self.keep_dims)},
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Compare bytes."""
        params = Struct("tinyml_reduction", "reduction", self.walks(graph))
        return reduction_kernel(graph, self, params)


def reduction_kernel(graph: Graph, op: Operator, params: Struct) -> Kernel:
    """Call a kernel of firmware/kernels with its parameters, the input and the output."""
    function = op.kernel_name(graph)
    call = KernelCall(
        function=function,
        arguments=(params, TensorPointer(op.inputs[0]), TensorPointer(op.outputs[0])),
        source=f"{function}.c",
    )
    return Kernel(calls=(call,))
