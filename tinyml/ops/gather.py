"""GATHER: slices of a tensor picked by index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, int32_constant
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import all_apart, joined
from tinyml.ops.families.movement import moved_by
from tinyml.ops.onnx.reduction import reduced_order

INDEX_TYPES = (DType.INT32, DType.INT64, DType.INT16)


@dataclass(frozen=True, kw_only=True)
class Gather(Operator):
    """Slice ``indices[..., k]`` of the first input along ``axis`` stands at k.

    The first ``batch_dims`` dimensions of input and indices go together.
    """

    axis: int
    batch_dims: int

    opcodes: ClassVar[tuple[str, ...]] = ("GATHER",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    folds: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = moved_by("tinyml_gather")
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Gather": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axis and the number of batch dimensions, counted from the front."""
        ranks = [len(node.tensors[name].shape) for name in node.inputs[:2]]
        axis, batch_dims = (int(node.options.get(name, 0)) for name in ("axis", "batchDims"))
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            axis=axis + ranks[0] if axis < 0 else axis,
            batch_dims=batch_dims + ranks[1] if batch_dims < 0 else batch_dims,
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read one index, which takes the dimension away, or a row of them."""
        axis = node.axis(node.attributes.get("axis", 0))
        picked = node.constant_input(1)
        if picked.ndim > 1:
            raise node.error(f"indices of shape {picked.shape} are not supported, expected a row")
        values = np.where(picked < 0, picked + node.operand(0).shape[axis], picked)
        indices = int32_constant(node.inner("indices"), values)
        op = cls(
            name=node.name,
            inputs=(node.inputs[0], indices.name),
            outputs=node.outputs,
            axis=axis,
            batch_dims=0,
        )
        order = node.order if picked.ndim else reduced_order(node.order, (axis,))
        return OnnxLowering(ops=(op,), constants=(indices,), order=order)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape with that of the indices in place of the axis."""
        dtype = require_dtype(self, graph)
        source, indices = (graph.tensor(name) for name in self.inputs)
        shape, batches = source.shape, self.batch_dims
        if not 0 <= batches <= self.axis < len(shape) or indices.dtype not in INDEX_TYPES:
            raise self.error(
                f"axis {self.axis} and {batches} batch dimensions do not fit input "
                f"'{source.name}' {shape} and indices '{indices.name}' {indices.dtype.value}"
            )
        if shape[:batches] != indices.shape[:batches] or 0 in (*shape, *indices.shape):
            raise self.error(
                f"input '{source.name}' {shape} and indices '{indices.name}' {indices.shape} do "
                f"not share {batches} batch dimensions"
            )
        if indices.data is not None and not _are_inside(indices.data, shape[self.axis]):
            raise self.error(
                f"indices '{indices.name}' reach from {indices.data.min()} to "
                f"{indices.data.max()}, outside a dimension of {shape[self.axis]} elements"
            )
        picked = (*shape[: self.axis], *indices.shape[batches:], *shape[self.axis + 1 :])
        return (TensorSpec(picked, dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so the output takes the first input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Pick the slices, of a constant once for all samples, else of each sample's own."""
        tensors = [graph.tensor(name) for name in self.inputs]
        (spec,) = self.infer(graph)
        batches, outer, size, inner = self._sizes(graph)
        if tensors[0].is_constant and self.batch_dims == 0:
            table = xp.reshape(operands[0], (outer, size, inner))
            picked = xp.take(table, xp.reshape(operands[1], (-1, tensors[1].size)), 1)
            return (joined(xp, xp.transpose(picked, (1, 0, 2, 3)), spec.shape),)
        source, indices = all_apart(xp, operands, tensors)
        places = xp.reshape(indices, (-1, 1, tensors[1].size // batches, 1))
        picked = xp.take_along_axis(xp.reshape(source, (-1, outer, size, inner)), places, 2)
        return (joined(xp, picked, spec.shape),)

    def _sizes(self, graph: Graph) -> tuple[int, int, int, int]:
        """Batches, slices before the axis, the axis, elements after it."""
        shape = graph.tensor(self.inputs[0]).shape
        return (
            math.prod(shape[: self.batch_dims]),
            math.prod(shape[self.batch_dims : self.axis]),
            shape[self.axis],
            math.prod(shape[self.axis + 1 :]),
        )

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that the dtypes or the batch dimensions came with."""
        source, indices = (graph.tensor(name) for name in self.inputs)
        version = {DType.INT8: 2, DType.BOOL: 3, DType.INT16: 4}.get(source.dtype, 1)
        if self.batch_dims:
            version = 5
        return TfliteOp(
            opcode="GATHER",
            version=6 if indices.dtype is DType.INT16 else version,
            inputs=self.inputs,
            options_table="GatherOptions",
            options={"axis": self.axis, "batchDims": self.batch_dims},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Gather, which knows no batch dimensions."""
        if self.batch_dims:
            raise self.error("batch dimensions cannot be written as ONNX; export .tflite or C")
        source, indices = (graph.tensor(name) for name in self.inputs)
        picked: str | InlineConstant = indices.name
        if indices.data is not None:
            picked = InlineConstant("indices", indices.data.astype(np.int64))
        return (
            OnnxNode(
                op_type="Gather",
                inputs=(source.name, picked),
                outputs=self.outputs,
                attributes={"axis": self.axis},
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Copy slice after slice; an index that is outside makes the call fail."""
        source, indices = (graph.tensor(name) for name in self.inputs)
        if indices.data is None and indices.dtype is not DType.INT32:
            raise self.error(
                f"indices '{indices.name}' are {indices.dtype.value}, expected int32 where they "
                "are computed at run time"
            )
        batches, outer, size, inner = self._sizes(graph)
        params = {
            "batches": batches,
            "outer": outer,
            "size": size,
            "slice": inner * source.dtype.itemsize,
            "count": indices.size // batches,
        }
        where: ConstantArray | TensorPointer = TensorPointer(indices.name)
        if indices.data is not None:
            where = ConstantArray("indices", indices.data.astype(np.int32))
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_gather_params", "gather_params", params),
                TensorPointer(source.name),
                where,
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
            returns_status=True,
        )
        return Kernel(calls=(call,))


def _are_inside(indices: Array, size: int) -> bool:
    return bool(indices.min() >= 0 and indices.max() < size)
