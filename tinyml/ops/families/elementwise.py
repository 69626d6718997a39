"""What operators share that combine tensors element by element, with numpy's broadcasting."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Shape, Tensor, TensorSpec
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, any_layout
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, OF_TFLITE_RUNTIME, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.pointwise import PointwiseOperator
from tinyml.ops.onnx.elementwise import chained_lowering

# Dimensions of tinyml_walk; neighbours that are broadcast alike count as one.
WALK_DIMENSIONS = 5
LARGEST_FLOAT = np.finfo(np.float32).max
WALK_INPUTS = ("first", "second", "third")


@dataclass(frozen=True, kw_only=True)
class ElementwiseOperator(PointwiseOperator):
    """An operator of several tensors whose shapes broadcast; all of one dtype."""

    # Whether tflite-runtime 2.14 broadcasts more than four dimensions; where not, it crashes.
    five_in_tflite_runtime: ClassVar[bool] = True

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read nothing but the tensors; more than two as a chain."""
        return chained_lowering(cls, node)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape and the dtype of both inputs."""
        require_two_inputs(self)
        dtype = require_dtype(self, graph)
        require_same_dtype(self, graph, self.inputs)
        require_plain_integers(self, graph, self.inputs)
        return (TensorSpec(broadcast_shape(self, graph), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """All tensors have parameters of their own."""
        del graph
        return QuantizationRule()

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """TFLite Micro lacks many operators of int32, and tflite-runtime crashes on some."""
        is_integer = graph.tensor(self.inputs[0]).dtype is DType.INT32
        oracles = ALL_BUT_MICRO if is_integer else self.oracles
        if self.five_in_tflite_runtime or not needs_five_dimensions(graph, self):
            return oracles
        return tuple(oracle for oracle in oracles if oracle not in OF_TFLITE_RUNTIME)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 2 for int8."""
        return TfliteOp(
            opcode=self.opcodes[0],
            version=1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 2,
            inputs=self.inputs,
        )


@dataclass(frozen=True, kw_only=True)
class ArithmeticOperator(ElementwiseOperator):
    """An elementwise operator of two tensors with a fused activation."""

    activation: Activation

    options_table: ClassVar[str]
    onnx_type: ClassVar[str]

    @abc.abstractmethod
    def joint(self, xp: ArrayLibrary, first: Any, second: Any) -> Any:
        """What two elements become before the activation."""

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Combine both, then clamp to the activation's bounds."""
        return self.activation.apply(xp, self.joint(xp, *operands))

    def as_step(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Clamp to finite numbers, which the float kernel does without an activation too."""
        return xp.clip(self.apply(xp, *operands), -LARGEST_FLOAT, LARGEST_FLOAT)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the activation."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            activation=Activation.from_tflite(node),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read nothing but the tensors; more than two as a chain."""
        return chained_lowering(cls, node, activation=Activation.NONE)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape and the dtype of both inputs; integers have no activation."""
        (spec,) = super().infer(graph)
        if spec.dtype is DType.INT32 and self.activation is not Activation.NONE:
            raise self.error(
                f"has the activation {self.activation.name} on int32 integers, expected none; "
                "write it as MAXIMUM or MINIMUM"
            )
        return (spec,)

    def version(self, graph: Graph) -> int:
        """The lowest version that brought the dtype."""
        return 1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 2

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the activation."""
        return TfliteOp(
            opcode=self.opcodes[0],
            version=self.version(graph),
            inputs=self.inputs,
            options_table=self.options_table,
            options={"fusedActivationFunction": self.activation.value},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """The node of the same meaning, and the activation after it."""
        del graph
        node = any_layout(self.onnx_type, self.inputs, self.outputs)
        return with_onnx_activation(node, self.activation)

    def limits(self, graph: Graph) -> tuple[int, int]:
        """The activation's bounds in the output's integers."""
        return quantized_bounds(self.activation.bounds, graph.tensor(self.outputs[0]))


@dataclass(frozen=True, kw_only=True)
class WalkOperator(ElementwiseOperator):
    """An elementwise operator whose kernel takes a ``tinyml_walk`` and no other parameters."""

    onnx_type: ClassVar[str]

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """The node of the same meaning."""
        del graph
        return (any_layout(self.onnx_type, self.inputs, self.outputs),)

    def to_c(self, graph: Graph) -> Kernel:
        """Combine element with element as they are stored."""
        return walk_kernel(graph, self)


@dataclass(frozen=True, kw_only=True)
class ExtremumOperator(WalkOperator):
    """The larger or the smaller of two elements."""

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are compared, so all tensors share their parameters."""
        del graph
        return QuantizationRule(inputs_follow_output=True)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Version 3 brought broadcasting over five dimensions, 4 int16."""
        record = super().to_tflite(graph)
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return replace(record, version=4)
        return replace(record, version=3) if needs_five_dimensions(graph, self) else record


@dataclass(frozen=True, kw_only=True)
class LogicalOperator(WalkOperator):
    """An operator of two bool tensors."""

    five_in_tflite_runtime: ClassVar[bool] = False
    differentiable: ClassVar[bool] = False

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape, bool."""
        require_two_inputs(self)
        require_dtype(self, graph)
        require_same_dtype(self, graph, self.inputs)
        return (TensorSpec(broadcast_shape(self, graph), DType.BOOL),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1."""
        del graph
        return TfliteOp(opcode=self.opcodes[0], version=1, inputs=self.inputs)


# --------------------------------------------------------------------------- shapes


def require_two_inputs(op: Operator) -> None:
    """Refuse any other number of inputs."""
    if len(op.inputs) != 2:
        raise op.error(f"has {len(op.inputs)} inputs, expected 2")


def require_same_dtype(op: Operator, graph: Graph, names: Sequence[str]) -> None:
    """Refuse inputs of different dtypes."""
    tensors = [graph.tensor(name) for name in names]
    if len({tensor.dtype for tensor in tensors}) > 1:
        found = ", ".join(f"'{tensor.name}' {tensor.dtype.value}" for tensor in tensors)
        raise op.error(f"inputs have different types: {found}; expected one")


def require_plain_integers(op: Operator, graph: Graph, names: Sequence[str]) -> None:
    """Refuse int32 with a scale: the kernels take the numbers as they are stored."""
    for tensor in (graph.tensor(name) for name in names):
        if tensor.dtype is DType.INT32 and tensor.quant is not None:
            raise op.error(
                f"input '{tensor.name}' is int32 with a scale, expected plain integers or int8 "
                "with one; convert the model to int8"
            )


def broadcast_shape(op: Operator, graph: Graph) -> Shape:
    """The shape that all inputs broadcast to (numpy's rules); ModelError where they do not."""
    return broadcast(op, op.inputs, [graph.tensor(name).shape for name in op.inputs])


def broadcast(op: Operator, names: Sequence[str], shapes: Sequence[Shape]) -> Shape:
    """The shape that these broadcast to; ``names`` are for the message where they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        found = ", ".join(f"'{n}' {s}" for n, s in zip(names, shapes, strict=True))
        raise op.error(f"the shapes of inputs {found} do not broadcast to one") from None


def needs_five_dimensions(graph: Graph, op: Operator) -> bool:
    """Whether it broadcasts more than four dimensions, which took some operators a new version."""
    shapes = {graph.tensor(name).shape for name in op.inputs}
    return len(shapes) > 1 and max(map(len, shapes)) > 4


def is_flat(graph: Graph, op: Operator) -> bool:
    """Whether every input has an element of its own for every element of the output."""
    size = graph.tensor(op.outputs[0]).size
    return all(graph.tensor(name).size == size for name in op.inputs)


def overwritable(graph: Graph, op: Operator) -> tuple[str, ...]:
    """The inputs that are read byte for byte as the output is written."""
    output = graph.tensor(op.outputs[0])
    extent = (output.size, output.nbytes)
    sources = (graph.tensor(name) for name in op.inputs)
    return tuple(source.name for source in sources if (source.size, source.nbytes) == extent)


def walk(op: Operator, sizes: Shape, *steps: Sequence[int]) -> dict[str, list[int]]:
    """``tinyml_walk`` over ``sizes``, each input moving by ``steps`` elements per dimension.

    Dimensions of size 1 vanish, and neighbours that all inputs take in one stride become one.
    """
    groups: list[tuple[int, tuple[int, ...]]] = []
    for size, *moves in zip(sizes, *steps, strict=True):
        if size == 1:
            continue
        if groups and groups[-1][1] == tuple(size * move for move in moves):
            size *= groups.pop()[0]
        groups.append((size, tuple(moves)))
    if len(groups) > WALK_DIMENSIONS:
        raise op.error(
            f"the shapes take {len(groups)} separate groups of dimensions, "
            f"the kernel walks at most {WALK_DIMENSIONS}"
        )
    groups = [(1, (0,) * len(steps))] * (WALK_DIMENSIONS - len(groups)) + groups
    named = {WALK_INPUTS[i]: [moves[i] for _, moves in groups] for i in range(len(steps))}
    return {"sizes": [size for size, _ in groups], **named}


def strides(shape: Shape) -> list[int]:
    """Elements between neighbours along each dimension."""
    return [math.prod(shape[place + 1 :]) for place in range(len(shape))]


def broadcast_walk(op: Operator, output: Shape, *inputs: Shape) -> dict[str, list[int]]:
    """``tinyml_walk`` over an output; inputs stand still where they are broadcast."""
    padded = [(1,) * (len(output) - len(shape)) + shape for shape in inputs]
    steps = [
        [0 if size == 1 else stride for size, stride in zip(shape, strides(shape), strict=True)]
        for shape in padded
    ]
    return walk(op, output, *steps)


def input_walk(graph: Graph, op: Operator) -> dict[str, list[int]]:
    """``tinyml_walk`` over the operator's inputs."""
    shapes = [graph.tensor(name).shape for name in op.inputs]
    return broadcast_walk(op, graph.tensor(op.outputs[0]).shape, *shapes)


# --------------------------------------------------------------------------- kernels


def split(real: float) -> dict[str, int]:
    """Multiplier and shift as fields of a struct."""
    multiplier, shift = quantize_multiplier(real)
    return {"multiplier": multiplier, "shift": shift}


def rescaling(source: Tensor, real: float) -> dict[str, int]:
    """``tinyml_rescaling`` of an input by ``real``."""
    return {"offset": -source.zero_point, **split(real)}


def finishing(output: Tensor, real: float, limits: tuple[int, int]) -> dict[str, int]:
    """``tinyml_output``: results times ``real``, then the zero point, then the clamp."""
    return {**split(real), "offset": output.zero_point, "min": limits[0], "max": limits[1]}


def elementwise_kernel(
    graph: Graph, op: Operator, params: Struct, function: str | None = None
) -> Kernel:
    """Call a kernel of firmware/kernels with its parameters, the inputs and the output.

    ``function`` says which, where the operator has several.
    """
    function = function or op.kernel_name(graph)
    call = KernelCall(
        function=function,
        arguments=(params, *map(TensorPointer, op.inputs), TensorPointer(op.outputs[0])),
        source=f"{function}.c",
    )
    return Kernel(calls=(call,), may_overwrite=overwritable(graph, op))


def walk_kernel(graph: Graph, op: Operator) -> Kernel:
    """Call the operator's one kernel for its dtype, which takes a ``tinyml_walk`` and no more."""
    return elementwise_kernel(graph, op, Struct("tinyml_walk", "walk", input_walk(graph, op)))


def common_scale(graph: Graph, op: Operator) -> float:
    """Twice the larger scale of two inputs, to which both are brought before they are combined."""
    return 2 * max(graph.tensor(name).scale for name in op.inputs)


def combination_kernel(
    graph: Graph,
    op: Operator,
    left_shift: int,
    output_multiplier: float,
    limits: tuple[int, int] = LIMITS[DType.INT8],
    function: str | None = None,
) -> Kernel:
    """Bring both inputs to one scale, ``left_shift`` bits up, combine, and rescale the result."""
    first, second = (graph.tensor(name) for name in op.inputs)
    common = common_scale(graph, op)
    fields = {
        "walk": input_walk(graph, op),
        "first": rescaling(first, first.scale / common),
        "second": rescaling(second, second.scale / common),
        "left_shift": left_shift,
        "output": finishing(graph.tensor(op.outputs[0]), output_multiplier, limits),
    }
    params = Struct("tinyml_binary_params", "params", fields)
    return elementwise_kernel(graph, op, params, function)


def sum_multiplier(graph: Graph, op: Operator, left_shift: int) -> float:
    """Real multiplier from the common scale to the output's, for sums and differences.

    ModelError where the output's scale is so fine that 32-bit results would overflow.
    """
    output = graph.tensor(op.outputs[0])
    real = common_scale(graph, op) / ((1 << left_shift) * output.scale)
    require_below_one(graph, op, real)
    return real


def require_below_one(graph: Graph, op: Operator, output_multiplier: float) -> None:
    """Refuse an output scale so fine that the kernels' 32-bit results would overflow."""
    if output_multiplier < 1:
        return
    output = graph.tensor(op.outputs[0])
    scales = " and ".join(f"{graph.tensor(name).scale:.9g}" for name in op.inputs)
    raise op.error(
        f"output '{output.name}' has scale {output.scale:.9g}, too small beside the "
        f"inputs' {scales} for 32-bit results"
    )
