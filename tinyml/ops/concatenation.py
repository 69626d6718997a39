"""CONCATENATION of tensors that share their quantization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS, Kernels
from tinyml.ops.contract.onnx import Layout, OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import all_apart, joined
from tinyml.ops.families.movement import moved_by

# arm_concatenation_s8_x takes its sizes as uint16_t.
LARGEST_SIZE = 65535


@dataclass(frozen=True, kw_only=True)
class Concatenation(Operator):
    """Tensors joined along ``axis``."""

    axis: int

    opcodes: ClassVar[tuple[str, ...]] = ("CONCATENATION",)
    folds: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = moved_by("arm_concatenation_s8_x")
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Concat": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axis, counted from the front."""
        rank = len(node.tensors[node.outputs[0]].shape)
        axis = int(node.options["axis"])
        operator = cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            axis=axis + rank if axis < 0 else axis,
        )
        if not 0 <= operator.axis < rank:
            raise operator.error(f"axis {axis} is outside a tensor of {rank} dimensions")
        if Activation.from_tflite(node) is not Activation.NONE:
            raise operator.error("a fused activation is not supported")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read the axis."""
        joined = cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            axis=node.axis(node.attributes.get("axis", 0)),
        )
        return OnnxLowering(ops=(joined,))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The inputs' shape with their sizes along the axis added up."""
        dtype = require_dtype(self, graph)
        shapes = [graph.tensor(name).shape for name in self.inputs]
        dtypes = {graph.tensor(name).dtype for name in self.inputs}
        others = {(*shape[: self.axis], *shape[self.axis + 1 :]) for shape in shapes}
        if len(dtypes) != 1:
            names = ", ".join(sorted(found.value for found in dtypes))
            raise self.error(f"inputs are {names}, expected one type")
        if len(others) != 1 or {len(shape) for shape in shapes} != {len(shapes[0])}:
            raise self.error(f"inputs of shapes {shapes} do not join along dimension {self.axis}")
        joined = list(shapes[0])
        joined[self.axis] = sum(shape[self.axis] for shape in shapes)
        return (TensorSpec(tuple(joined), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so the inputs take the output's parameters."""
        del graph
        return QuantizationRule(inputs_follow_output=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Join those of each sample."""
        parts = all_apart(xp, operands, [graph.tensor(name) for name in self.inputs])
        output = graph.tensor(self.outputs[0])
        return (joined(xp, xp.concatenate(parts, self.axis + 1), output.shape),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype."""
        return TfliteOp(
            opcode="CONCATENATION",
            version=VERSIONS.get(graph.tensor(self.inputs[0]).dtype, 1),
            inputs=self.inputs,
            options_table="ConcatenationOptions",
            options={"axis": self.axis},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Concat."""
        del graph
        return (
            OnnxNode(
                op_type="Concat",
                inputs=self.inputs,
                outputs=self.outputs,
                attributes={"axis": self.axis},
                layout=Layout.ANY,
                axis_attributes=("axis",),
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Copy each input's runs of contiguous bytes to their place in the output's."""
        output = graph.tensor(self.outputs[0])
        outer = math.prod(output.shape[: self.axis])
        output_run = math.prod(output.shape[self.axis :]) * output.dtype.itemsize
        if max(outer, output_run) > LARGEST_SIZE:
            raise self.error(
                f"output '{output.name}' {output.shape} joins {outer} runs of {output_run} bytes, "
                f"CMSIS-NN's kernel takes at most {LARGEST_SIZE} of each"
            )
        calls, offset, function = [], 0, self.kernel_name(graph)
        for name in self.inputs:
            run = math.prod(graph.tensor(name).shape[self.axis :]) * output.dtype.itemsize
            sizes = (run, outer, 1, 1)
            pointers = [TensorPointer(tensor, as_bytes=True) for tensor in (name, output.name)]
            call = KernelCall(
                function=function,
                arguments=(pointers[0], *sizes, pointers[1], output_run, offset),
            )
            calls.append(call)
            offset += run
        return Kernel(calls=tuple(calls))
