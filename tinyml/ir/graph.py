"""The whole intermediate representation: DType, QuantParams, Tensor, Op, Graph.

Everything here is immutable; a pass builds a new Graph with ``dataclasses.replace``. Shapes are
static, activations NHWC, and the order of ``Graph.ops`` is the schedule.
"""

from __future__ import annotations

import abc
import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tinyml.errors import ModelError

Shape = tuple[int, ...]
Array = npt.NDArray[Any]


class DType(enum.Enum):
    """Element types; the value is numpy's name for it."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"  # of constants in a file, until they are read
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The numpy dtype with the same meaning."""
        return np.dtype(self.value)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return int(self.numpy.itemsize)


@dataclass(frozen=True, slots=True)
class QuantParams:
    """Affine quantization, ``real = scale * (q - zero_point)`` (arXiv 1806.08342, section 2.1).

    One scale per tensor, or one per slice along ``quantized_dimension``. Scales are rounded to
    float32 when made, because that is what a ``.tflite`` file stores; multipliers are computed
    from the rounded values in double precision.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    quantized_dimension: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", tuple(float(np.float32(s)) for s in self.scale))

    @classmethod
    def per_tensor(cls, scale: float, zero_point: int) -> QuantParams:
        """One scale and zero point for the whole tensor."""
        return cls((scale,), (zero_point,))

    @property
    def is_per_channel(self) -> bool:
        """Whether each slice along ``quantized_dimension`` has its own scale."""
        return self.quantized_dimension is not None


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named value; ``data`` is set for constants only and is read-only.

    ``unsigned`` marks an int8 input or output that the model's file holds as uint8, 128 above.
    """

    name: str
    shape: Shape
    dtype: DType
    quant: QuantParams | None = None
    data: Array | None = None
    unsigned: bool = False

    def __post_init__(self) -> None:
        if self.data is not None:
            view = np.asarray(self.data).view()  # numpy computes scalars from arrays of shape ()
            view.flags.writeable = False
            object.__setattr__(self, "data", view)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        mine = (self.name, self.shape, self.dtype, self.quant)
        if mine != (other.name, other.shape, other.dtype, other.quant):
            return False
        if self.data is None or other.data is None:
            return self.data is other.data
        return np.array_equal(self.data, other.data)

    __hash__ = None  # type: ignore[assignment]  # holds an array

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes the elements take on the device."""
        return self.size * self.dtype.itemsize

    @property
    def is_constant(self) -> bool:
        """Whether the value is known at build time."""
        return self.data is not None

    @property
    def scale(self) -> float:
        """The scale of a tensor quantized per tensor."""
        return self.per_tensor.scale[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a tensor quantized per tensor."""
        return self.per_tensor.zero_point[0]

    @property
    def per_tensor(self) -> QuantParams:
        """The parameters of a tensor quantized per tensor."""
        if self.quant is None or len(self.quant.scale) != 1:
            raise ModelError(
                f"tensor '{self.name}', {self.dtype.value}, has no per-tensor quantization, "
                "expected one scale and zero point; quantize the whole model"
            )
        return self.quant

    @property
    def constant(self) -> Array:
        """The value of a constant."""
        if self.data is None:
            raise ValueError(f"tensor '{self.name}' is not a constant")
        return self.data


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What an operator says of one of its outputs."""

    shape: Shape
    dtype: DType


@dataclass(frozen=True, kw_only=True)
class Op(abc.ABC):
    """One operator: its name and the names of its tensors; subclasses add typed fields.

    The name is that of the first output. An optional input that is absent is the empty name.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @abc.abstractmethod
    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of each output; ModelError where the inputs do not fit the operator."""

    @abc.abstractmethod
    def check_quantized(self, graph: Graph) -> None:
        """Raise ModelError where the quantization parameters break the operator's rule."""

    @property
    def present_inputs(self) -> tuple[str, ...]:
        """The inputs that are there."""
        return tuple(name for name in self.inputs if name)

    @property
    def asymmetric_int16(self) -> tuple[str, ...]:
        """Tensors that may have a zero point in int16; it is 0 for all others."""
        return ()

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same operator where tensors have other names, old to new."""
        return replace(
            self,
            name=names.get(self.name, self.name),
            inputs=tuple(names.get(name, name) for name in self.inputs),
            outputs=tuple(names.get(name, name) for name in self.outputs),
        )


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A tensor that keeps its bytes from one inference to the next, in place of a producer.

    ``initial`` is its value before the first. ``variable`` is the name a file gives it where
    operators read and assign it; empty where it belongs to the one operator that lists it among
    its inputs.
    """

    tensor: str
    initial: Array
    variable: str = ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        same_names = (self.tensor, self.variable) == (other.tensor, other.variable)
        return same_names and np.array_equal(self.initial, other.initial)

    __hash__ = None  # type: ignore[assignment]  # holds an array


@dataclass(frozen=True)
class Graph:
    """A network: tensors by name, operators in execution order, its boundary and its state."""

    name: str
    tensors: Mapping[str, Tensor]
    ops: tuple[Op, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    states: tuple[State, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass it to other processes; a view of a dict does not go by itself."""
        fields = (self.name, dict(self.tensors), self.ops, self.inputs, self.outputs, self.states)
        return type(self), fields

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return self.tensors[name]

    def optional(self, name: str) -> Tensor | None:
        """The tensor of that name, or None for an absent optional input."""
        return self.tensors[name] if name else None

    @cached_property
    def state_names(self) -> frozenset[str]:
        """The tensors that keep their bytes from one inference to the next."""
        return frozenset(state.tensor for state in self.states)

    @cached_property
    def producers(self) -> Mapping[str, Op]:
        """Tensor name to the operator that writes it."""
        return {output: op for op in self.ops for output in op.outputs}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Op, ...]]:
        """Tensor name to the operators that read it, in schedule order."""
        readers: dict[str, list[Op]] = {name: [] for name in self.tensors}
        for op in self.ops:
            for name in dict.fromkeys(op.present_inputs):
                readers[name].append(op)
        return {name: tuple(ops) for name, ops in readers.items()}

    def only_reader(self, name: str) -> Op | None:
        """The operator that alone reads tensor ``name``; None where others do, or the caller."""
        readers = self.consumers[name]
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    def with_tensors(self, *changed: Tensor) -> Graph:
        """The same graph with these tensors replaced or added, by name."""
        return replace(self, tensors={**self.tensors, **{t.name: t for t in changed}})

    def pruned(self) -> Graph:
        """The same graph without tensors that nothing refers to."""
        used = {*self.inputs, *self.outputs}
        for op in self.ops:
            used.update(op.present_inputs, op.outputs)
        return replace(
            self,
            tensors={n: t for n, t in self.tensors.items() if n in used},
            states=tuple(state for state in self.states if state.tensor in used),
        )


def is_quantized(graph: Graph) -> bool:
    """Whether any activation is an integer with a scale."""
    return any(t.quant is not None and not t.is_constant for t in graph.tensors.values())
