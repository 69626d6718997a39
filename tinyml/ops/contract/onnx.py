"""An operator in ONNX's terms: the node it is read from, the nodes it is written as."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Op, Tensor
from tinyml.ops.contract.inline_constant import InlineConstant

# TensorProto.DataType.
ONNX_TYPES = {
    DType.FLOAT32: 1,
    DType.UINT8: 2,
    DType.INT8: 3,
    DType.INT16: 5,
    DType.INT32: 6,
    DType.INT64: 7,
    DType.BOOL: 9,
}

T = TypeVar("T")


class Operands(enum.Enum):
    """How a class wants the operands of an ONNX node laid out; the reader sees to it."""

    AS_ONNX = "every operand as the ONNX model has it"
    CHANNELS_LAST = "the first operand (N, C, ...) as (N, H, W, C), the others as ONNX has them"
    ANY = "all in one order, whichever the first is stored in, with as many dimensions"
    AXIS_LAST = "the first with the dimension of attribute 'axis' last"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNodeIn:
    """One node of an ONNX model, decoded to names and plain values.

    ``tensors`` holds the operands by the names in ``inputs``, laid out as the class asked;
    constants stand in ``constants`` too, in ONNX's own order. ``order[d]`` is the dimension of
    the first operand that ONNX calls d; the operand's dimensions that it omits have size 1.
    """

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor]
    constants: Mapping[str, Array]
    order: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the node: that of its first output."""
        return self.outputs[0]

    def error(self, message: str) -> ModelError:
        """Make an error that says which node it is about."""
        return ModelError(f"{self.op_type} '{self.name}': {message}")

    def operand(self, index: int) -> Tensor:
        """The operand of that index; ModelError where it is missing."""
        if not self.has_input(index):
            raise self.error(f"has {len(self.inputs)} inputs, expected at least {index + 1}")
        return self.tensors[self.inputs[index]]

    def has_input(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def constant_input(self, index: int) -> Array:
        """Value, in ONNX's order, of an input that must be known at build time."""
        tensor = self.operand(index)
        if tensor.name not in self.constants:
            raise self.error(
                f"input {index} ('{tensor.name}') is computed at run time, expected a constant"
            )
        return self.constants[tensor.name]

    def scalar(self, index: int, default: float) -> float:
        """Value of an optional constant input of one element."""
        if not self.has_input(index):
            return default
        value = self.constant_input(index)
        if value.size != 1:
            raise self.error(f"input {index} has shape {value.shape}, expected one number")
        return float(value.reshape(-1)[0])

    def integers(self, attribute: str, index: int | None = None) -> list[int] | None:
        """Integers of an attribute or, in later opsets, of a constant input; None if absent."""
        if index is not None and self.has_input(index):
            return [int(value) for value in self.constant_input(index).reshape(-1)]
        values = self.attributes.get(attribute)
        return None if values is None else [int(value) for value in np.atleast_1d(values)]

    def axis(self, axis: int) -> int:
        """The first operand's dimension that ONNX means by ``axis``, which may be negative."""
        rank = len(self.order)
        if not -rank <= axis < rank:
            raise self.error(f"axis {axis} is outside an input of {rank} dimensions")
        return self.order[axis]

    def axes(self, axes: Sequence[int]) -> tuple[int, ...]:
        """The first operand's dimensions that ONNX means, sorted."""
        return tuple(sorted({self.axis(axis) for axis in axes}))

    def per_dimension(self, values: Sequence[T], fill: T) -> tuple[T, ...]:
        """Put values, one per dimension of ONNX, in the first operand's order."""
        if len(values) != len(self.order):
            raise self.error(f"got {len(values)} values for {len(self.order)} dimensions")
        placed = [fill] * len(self.operand(0).shape)
        for place, value in zip(self.order, values, strict=True):
            placed[place] = value
        return tuple(placed)

    def inner(self, suffix: str) -> str:
        """Name of a value or a constant inside what the node becomes."""
        return f"{self.name}/{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxLowering:
    """The operators a node becomes, in order, and the constants made for them.

    The last operators write the node's outputs under their ONNX names, in ``order``: the
    dimension of the output that ONNX calls d, by default as in the first operand.
    """

    ops: tuple[Op, ...]
    constants: tuple[Tensor, ...] = ()
    order: tuple[int, ...] | None = None


def float_constant(name: str, values: Any) -> Tensor:
    """A float32 constant."""
    data = np.asarray(values, np.float32)
    return Tensor(name, data.shape, DType.FLOAT32, data=data)


def int32_constant(name: str, values: Any) -> Tensor:
    """An int32 constant, such as indices are."""
    data = np.asarray(values, np.int32)
    return Tensor(name, data.shape, DType.INT32, data=data)


def transposed_constant(tensor: Tensor, permutation: Sequence[int]) -> Tensor:
    """A constant with its dimensions in another order, and those of its scales."""
    quant = tensor.quant
    if quant is not None and quant.quantized_dimension is not None:
        place = list(permutation).index(quant.quantized_dimension)
        quant = replace(quant, quantized_dimension=place)
    data = tensor.constant.transpose(permutation)
    return replace(tensor, shape=data.shape, quant=quant, data=data)


class Layout(enum.Enum):
    """The order of dimensions an ONNX node needs its activations in."""

    CHANNELS_LAST = "as stored"
    CHANNELS_FIRST = "NCHW"
    ANY = "whatever its inputs have, the same for all"


@dataclass(frozen=True, slots=True)
class OnnxWeight:
    """A constant tensor of the graph, transposed by ``permutation`` for ONNX."""

    name: str
    permutation: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNode:
    """One ONNX node in float terms; the exporter adds the QuantizeLinear/DequantizeLinear pairs.

    An input is a tensor of the graph, an OnnxWeight, an InlineConstant, or the output of an
    earlier node of the same operator. ``axis_attributes`` names attributes that hold a dimension
    index of an NHWC tensor, or a list of them, which the exporter rewrites where it keeps the
    tensor in NCHW. An output that is no tensor of the graph stays float, unless ``quantized_like``
    names the tensor whose parameters it takes.
    """

    op_type: str
    inputs: tuple[str | OnnxWeight | InlineConstant, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    layout: Layout = Layout.CHANNELS_LAST
    axis_attributes: tuple[str, ...] = ()
    quantized_like: str = ""


def any_layout(
    op_type: str,
    inputs: tuple[str | InlineConstant, ...],
    outputs: tuple[str, ...],
    **attributes: Any,
) -> OnnxNode:
    """Make a node that computes element by element, in whatever layout its inputs have."""
    return OnnxNode(
        op_type=op_type,
        inputs=inputs,
        outputs=outputs,
        attributes=attributes,
        layout=Layout.ANY,
    )
