"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, Struct
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, any_layout
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.elementwise import (
    ElementwiseOperator,
    elementwise_kernel,
    input_walk,
    needs_five_dimensions,
    rescaling,
)
from tinyml.ops.onnx.elementwise import plain_lowering

# Bits by which both inputs are scaled up before they are rescaled to their real values.
LEFT_SHIFT = 8
# Scales from here up keep different integers apart at that.
FINEST = 2.0**-LEFT_SHIFT


class Relation(enum.Enum):
    """The relations; the value says whether one holds for less, equal and greater."""

    EQUAL = (0, 1, 0)
    NOT_EQUAL = (1, 0, 1)
    GREATER = (0, 0, 1)
    GREATER_EQUAL = (0, 1, 1)
    LESS = (1, 0, 0)
    LESS_EQUAL = (1, 1, 0)


# NotEqual is the one that ONNX lacks.
ONNX_TYPES = {
    Relation.EQUAL: "Equal",
    Relation.GREATER: "Greater",
    Relation.GREATER_EQUAL: "GreaterOrEqual",
    Relation.LESS: "Less",
    Relation.LESS_EQUAL: "LessOrEqual",
}


@dataclass(frozen=True, kw_only=True)
class Comparison(ElementwiseOperator):
    """Whether ``relation`` holds between two elements, with broadcasting."""

    relation: Relation

    five_in_tflite_runtime: ClassVar[bool] = False
    differentiable: ClassVar[bool] = False
    opcodes: ClassVar[tuple[str, ...]] = tuple(relation.name for relation in Relation)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_compare_s8"),
        DType.INT16: ("tinyml_compare_s16",),
        DType.INT32: ("tinyml_compare_s32",),
    }

    onnx_types: ClassVar[Mapping[str, Operands]] = dict.fromkeys(ONNX_TYPES.values(), Operands.ANY)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """The node's name says which relation."""
        relations = {name: relation for relation, name in ONNX_TYPES.items()}
        return plain_lowering(cls, node, 2, relation=relations[node.op_type])

    @property
    def kind(self) -> str:
        """The relation's name."""
        return self.relation.name

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """The operator's name says which relation."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            relation=Relation[node.opcode],
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape, bool."""
        (spec,) = super().infer(graph)
        source = graph.tensor(self.inputs[0])
        if source.dtype is DType.INT16 and self.relation is Relation.NOT_EQUAL:
            raise self.error(
                f"input '{source.name}' is int16, which no runtime's kernel compares as it is; use "
                "EQUAL and LOGICAL_NOT"
            )
        return (TensorSpec(spec.shape, DType.BOOL),)

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """In int16 tflite-runtime 2.14 lacks two relations, and TFLite Micro compares otherwise.

        LiteRT rescales before it compares for equality, and scales below ``FINEST`` lose places.
        """
        source = graph.tensor(self.inputs[0])
        if source.dtype is not DType.INT16:
            return super().oracles_in(graph)
        if needs_five_dimensions(graph, self):
            return (Oracle.LITERT,)
        if self.relation in {Relation.GREATER, Relation.LESS_EQUAL}:
            return (Oracle.LITERT,)
        rescales = self.relation in {Relation.EQUAL, Relation.NOT_EQUAL}
        return ALL_BUT_MICRO[:1] if rescales and source.scale < FINEST else ALL_BUT_MICRO

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Compare both."""
        functions = {
            Relation.EQUAL: xp.equal,
            Relation.NOT_EQUAL: xp.not_equal,
            Relation.GREATER: xp.greater,
            Relation.GREATER_EQUAL: xp.greater_equal,
            Relation.LESS: xp.less,
            Relation.LESS_EQUAL: xp.less_equal,
        }
        first, second = operands
        return functions[self.relation](first, second)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 2 for integers, which GREATER has no later one of."""
        return replace(super().to_tflite(graph), opcode=self.kind)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """The node of the same name; Equal and Not for NOT_EQUAL."""
        del graph
        if self.relation is not Relation.NOT_EQUAL:
            return (any_layout(ONNX_TYPES[self.relation], self.inputs, self.outputs),)
        equal = f"{self.name}/equal"
        return (
            any_layout("Equal", self.inputs, (equal,)),
            any_layout("Not", (equal,), self.outputs),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Compare real values to 8 binary places, as TFLite does, whatever the scales are.

        Of int16 tflite-runtime compares the integers, which is right where the scales are the same;
        int32 has none.
        """
        if graph.tensor(self.inputs[0]).dtype is not DType.INT8:
            return self._integer_kernel(graph)
        for name in self.inputs:
            if graph.tensor(name).scale >= 1:
                raise self.error(
                    f"input '{name}' has scale {graph.tensor(name).scale:.9g}, expected one below "
                    "1: TFLite's kernel is undefined from there on; scale the input down"
                )
        first, second = (graph.tensor(name) for name in self.inputs)
        less, equal, greater = self.relation.value
        fields = {
            "walk": input_walk(graph, self),
            "first": rescaling(first, first.scale),
            "second": rescaling(second, second.scale),
            "left_shift": LEFT_SHIFT,
            "if_less": less,
            "if_equal": equal,
            "if_greater": greater,
        }
        params = Struct("tinyml_compare_params", "params", fields)
        return elementwise_kernel(graph, self, params)

    def _integer_kernel(self, graph: Graph) -> Kernel:
        first, second = (graph.tensor(name) for name in self.inputs)
        if first.quant != second.quant:
            raise self.error(
                f"inputs '{first.name}' and '{second.name}' are int16 of scales {first.scale:.9g} "
                f"and {second.scale:.9g}, whose integers TFLite compares; bring both to one scale"
            )
        less, equal, greater = self.relation.value
        walk = input_walk(graph, self)
        fields = {"walk": walk, "if_less": less, "if_equal": equal, "if_greater": greater}
        params = Struct("tinyml_order_params", "params", fields)
        return elementwise_kernel(graph, self, params)
