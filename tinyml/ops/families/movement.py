"""Operators that only move elements, run as copies with steps between their elements.

An operator says what goes where with numpy's views: the shape, strides and address of a view of a
stand-in for the tensor are those of the elements on the device.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.families.batches import all_apart, apart, joined

# Dimensions with steps that tinyml_copy takes.
KERNEL_RANK = 6

MOVABLE = (
    DType.FLOAT32,
    DType.INT8,
    DType.INT16,
    DType.INT32,
    DType.INT64,
    DType.UINT8,
    DType.BOOL,
)


def moved_by(*functions: str) -> Kernels:
    """Kernels of an operator that moves elements of any dtype; floats never reach the device."""
    return {dtype: () if dtype is DType.FLOAT32 else functions for dtype in MOVABLE}


# A view of the elements to copy, and one of the same shape of the places they go to.
Move = tuple[Array, Array]


@dataclass(frozen=True, kw_only=True)
class MovementOperator(Operator):
    """Elements of the inputs at other places of the outputs; every input is one of elements."""

    kernels: ClassVar[Kernels] = moved_by("tinyml_copy")
    folds: ClassVar[bool] = True

    @abc.abstractmethod
    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterable[Move]:
        """Views of ``sources``, or of what is filled of ``outputs``, and where in ``outputs``.

        They are copied in the order given.
        """

    def background(self, graph: Graph) -> int | None:
        """Byte that stands where nothing is moved to; None where everything is."""
        del graph
        return None

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so the outputs take the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Take for each place of the outputs the element that ``moves`` brings there."""
        tensors = [graph.tensor(name) for name in self.inputs]
        samples = all_apart(xp, operands, tensors)
        rows = [apart(xp, x, (t.size,)) for x, t in zip(samples, tensors, strict=True)]
        if self.background(graph) is not None:
            rows = [xp.pad(rows[0], ((0, 0), (0, 1)), constant_values=0)]
        row = rows[0] if len(rows) == 1 else xp.concatenate(rows, 1)
        return tuple(
            joined(xp, xp.take(row, places.reshape(-1), 1), places.shape)
            for places in self._origins(graph)
        )

    def _origins(self, graph: Graph) -> list[Array]:
        """Which element of all inputs stands at each place of the outputs; the next is the zero."""
        tensors = [graph.tensor(name) for name in self.inputs]
        ends = np.cumsum([tensor.size for tensor in tensors])
        parts = np.split(np.arange(ends[-1], dtype=np.int32), ends[:-1])
        sources = [part.reshape(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]
        outputs = [np.full(spec.shape, ends[-1], np.int32) for spec in self.infer(graph)]
        for elements, places in self.moves(sources, outputs):
            places[...] = elements
        return outputs

    def fold(self, graph: Graph) -> tuple[Array, ...] | None:
        """Move constants here and now where that is all there is to do."""
        return super().fold(graph) if self.background(graph) is None else None

    def to_c(self, graph: Graph) -> Kernel:
        """One strided copy a move, over a background where there is one."""
        calls = []
        byte = self.background(graph)
        if byte is not None:
            calls.append(fill_call(graph, self.outputs[0], byte))
        sources = [_stand_in(graph, name) for name in self.inputs]
        outputs = [_stand_in(graph, name) for name in self.outputs]
        memory = list(zip((*self.inputs, *self.outputs), (*sources, *outputs), strict=True))
        for number, move in enumerate(self.moves(sources, outputs), start=1):
            calls.append(self._copy(f"copy_{number}", memory, move))
        return Kernel(calls=tuple(calls))

    def _copy(self, name: str, memory: list[tuple[str, Array]], move: Move) -> KernelCall:
        (source, input_offset), (output, output_offset) = (_locate(memory, view) for view in move)
        run, dimensions = _dimensions(move)
        missing = KERNEL_RANK - len(dimensions)
        if missing < 0:
            raise self.error(
                f"moves elements along {len(dimensions)} separate dimensions, expected at most "
                f"{KERNEL_RANK}"
            )
        params = _params(input_offset, output_offset, run, [*[(1, 0, 0)] * missing, *dimensions])
        return KernelCall(
            function="tinyml_copy",
            arguments=(
                Struct("tinyml_copy_params", name, params),
                TensorPointer(source),
                TensorPointer(output),
            ),
            source="tinyml_copy.c",
        )


@dataclass(frozen=True, kw_only=True)
class ViewOperator(MovementOperator):
    """One output, which holds the elements of a view of the only input, in order."""

    @abc.abstractmethod
    def view(self, source: Array) -> Array:
        """Give the elements of the output; any shape that holds them in order."""

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the output for an input of ``shape``; ModelError where it does not fit."""
        return self.view(np.broadcast_to(np.int8(0), shape)).shape

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Dtype of the input."""
        dtype = require_dtype(self, graph)
        shape = self.output_shape(graph.tensor(self.inputs[0]).shape)
        if 0 in shape:
            raise self.error(f"output '{self.outputs[0]}' would have the shape {shape}")
        return (TensorSpec(shape, dtype),)

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """Everything at once."""
        view = self.view(sources[0])
        yield view, outputs[0].reshape(view.shape)


def contiguous_copy(size: int) -> Struct:
    """Parameters of a copy of ``size`` bytes from start to start."""
    return Struct("tinyml_copy_params", "copy", _params(0, 0, size, [(1, 0, 0)] * KERNEL_RANK))


def _params(
    input_offset: int, output_offset: int, run: int, dimensions: Sequence[tuple[int, int, int]]
) -> Mapping[str, Any]:
    sizes, input_steps, output_steps = zip(*dimensions, strict=True)
    return {
        "input_offset": input_offset,
        "output_offset": output_offset,
        "run": run,
        "sizes": list(sizes),
        "input_steps": list(input_steps),
        "output_steps": list(output_steps),
    }


def fill_call(graph: Graph, output: str, byte: int) -> KernelCall:
    """Fill a tensor with one byte."""
    return KernelCall(
        function="tinyml_fill",
        arguments=(TensorPointer(output), byte, graph.tensor(output).nbytes),
        source="tinyml_fill.c",
    )


def _stand_in(graph: Graph, name: str) -> Array:
    tensor = graph.tensor(name)
    return np.empty(tensor.shape, tensor.dtype.numpy)


def _locate(memory: list[tuple[str, Array]], view: Array) -> tuple[str, int]:
    """Which tensor's stand-in the view lies in, and how many bytes from its start."""
    address = view.ctypes.data
    for name, array in memory:
        if 0 <= address - array.ctypes.data < array.nbytes:
            return name, address - array.ctypes.data
    raise ValueError("a move is of or to what is no view of a tensor")


def _dimensions(move: Move) -> tuple[int, list[tuple[int, int, int]]]:
    """Bytes that lie together, and (size, input step, output step) of the dimensions around them.

    Neighbouring dimensions whose steps agree become one; the order is the output's.
    """
    source, output = move
    if source.shape != output.shape:
        raise ValueError(f"a move goes from shape {source.shape} to {output.shape}")
    steps = zip(source.shape, source.strides, output.strides, strict=True)
    merged: list[tuple[int, int, int]] = [(output.itemsize, 1, 1)]
    for size, input_step, output_step in sorted(steps, key=lambda step: abs(step[2])):
        inner_size, inner_input, inner_output = merged[-1]
        if size == 1:
            continue
        if (input_step, output_step) == (inner_size * inner_input, inner_size * inner_output):
            merged[-1] = (size * inner_size, inner_input, inner_output)
        else:
            merged.append((size, input_step, output_step))
    (run, _, _), *outer = merged
    return run, outer[::-1]
