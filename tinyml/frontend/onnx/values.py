"""The graph as it grows while an ONNX model is read, and where ONNX's values are in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml.errors import ModelError
from tinyml.frontend.onnx.file import OnnxFile
from tinyml.frontend.onnx.layout import (
    Order,
    View,
    plain_places,
    plain_view,
    rearrangement,
    stored_places,
)
from tinyml.ir.graph import Array, DType, Graph, Op, QuantParams, Shape, Tensor
from tinyml.ops.reshape import Reshape
from tinyml.ops.transpose import Transpose
from tinyml.passes.rename_tensors import rename_tensors


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant value under the name its tensor gets; scales as DequantizeLinear said them."""

    name: str
    data: Array
    quant: QuantParams | None = None


class Values:
    """ONNX values by name: constants, and views of the tensors of the growing graph."""

    def __init__(self, file: OnnxFile) -> None:
        self.constants = {n: Constant(n, data) for n, data in file.constants.items()}
        self.views: dict[str, View] = {}
        self.tensors: dict[str, Tensor] = {}
        self.ops: list[Op] = []
        # Names of quantized tensors that are shorter than the one the operator gave.
        self.shorter: dict[str, str] = {}
        # Tensors that exist in another order too, by name and that order.
        self.rearranged: dict[tuple[str, Order], str] = {}
        for edge in file.inputs:
            self.views[edge.name] = plain_view(edge.name, edge.shape)
            self.tensors[edge.name] = Tensor(edge.name, edge.shape, DType.FLOAT32)

    def __contains__(self, name: str) -> bool:
        return name in self.constants or name in self.views

    # ----------------------------------------------------------------------- reading

    def shape(self, name: str) -> Shape:
        """Sizes of an ONNX value, in ONNX's order."""
        return self.constants[name].data.shape if name in self.constants else self.views[name].shape

    def rank(self, name: str) -> int:
        """Dimensions of an ONNX value."""
        return len(self.shape(name))

    def stored_places(self, view: View) -> Order:
        """The order a value is stored in."""
        return stored_places(view, len(self.tensors[view.tensor].shape))

    def operand(self, name: str, places: Order) -> Tensor:
        """Give an ONNX value in an order, with as many dimensions as that has.

        A constant is not part of the graph yet; an activation gets the operators it takes.
        """
        rank = sum(dimension is not None for dimension in places)
        if name in self.constants:
            return _constant_tensor(self.constants[name], rank, places)
        view = self.views[name].lifted(rank)
        return self.tensors[self._in_order(view, places)]

    def _in_order(self, view: View, places: Order) -> str:
        source = self.tensors[view.tensor]
        change = rearrangement(view, source.shape, places)
        is_same = change.permutation is None and change.shape == source.shape
        if is_same:
            return source.name
        key = source.name, (*places, *view.order)
        if key not in self.rearranged:
            self.rearranged[key] = self._rearrange(source, change.permutation, change.shape)
        return self.rearranged[key]

    def _rearrange(
        self, source: Tensor, permutation: tuple[int, ...] | None, shape: tuple[int, ...]
    ) -> str:
        if permutation is not None:
            moved = tuple(source.shape[d] for d in permutation)
            name = self.fresh(f"{source.name}/transposed")
            transpose = Transpose(
                name=name, inputs=(source.name,), outputs=(name,), permutation=permutation
            )
            source = self.emit(transpose, replace(source, name=name, shape=moved))
        if source.shape != shape:
            name = self.fresh(f"{source.name}/reshaped")
            source = self.emit(
                Reshape(name=name, inputs=(source.name,), outputs=(name,), shape=shape),
                replace(source, name=name, shape=shape),
            )
        return source.name

    # ----------------------------------------------------------------------- writing

    def fresh(self, name: str) -> str:
        """Number a tensor's name that is taken."""
        unique, number = name, 2
        while unique in self.tensors:
            unique, number = f"{name}#{number}", number + 1
        return unique

    def emit(self, op: Op, output: Tensor) -> Tensor:
        """Add an operator of one output that needs no inference."""
        self.ops.append(op)
        self.tensors[output.name] = output
        return output

    def add(self, ops: Sequence[Op], operands: Sequence[Tensor]) -> dict[str, str]:
        """Add operators; ``operands`` are the constants they may read.

        Gives the names their outputs got in the graph.
        """
        offered = {tensor.name: tensor for tensor in operands if tensor.data is not None}
        names: dict[str, str] = {}
        for op in ops:
            for name in op.present_inputs:
                if name in offered and name not in names:
                    names[name] = self._add_constant(offered[name])
            names.update({name: self.fresh(name) for name in op.outputs if name})
            renamed = op.renamed(names)
            self._infer(renamed)
            self.ops.append(renamed)
        return names

    def _add_constant(self, tensor: Tensor) -> str:
        """Add a constant under its own name, or under another where that is taken."""
        if tensor.dtype is DType.FLOAT32 and not np.isfinite(tensor.constant).all():
            raise ModelError(
                f"constant '{tensor.name}' holds numbers that are not finite, which have no place "
                "among integers; train or export the model again"
            )
        if self.tensors.get(tensor.name) == tensor:
            return tensor.name
        name = self.fresh(tensor.name)
        self.tensors[name] = replace(tensor, name=name)
        return name

    def _infer(self, op: Op) -> None:
        read = {name: self.tensors[name] for name in op.present_inputs}
        specs = op.infer(Graph("", read, (), (), ()))
        for name, spec in zip(op.outputs, specs, strict=True):
            self.tensors[name] = Tensor(name, spec.shape, spec.dtype)

    def annotate(self, tensor: str, quant: QuantParams, name: str) -> None:
        """Put scales on a tensor, which ``name`` stands for from here on."""
        self.tensors[tensor] = replace(self.tensors[tensor], quant=quant)
        if len(name) < len(tensor):  # exporters lengthen the one name or the other
            self.shorter[tensor] = name

    def copy(self, tensor: str) -> str:
        """Give the values of a tensor to one of their own, without scales."""
        source = self.tensors[tensor]
        name = self.fresh(f"{tensor}/copy")
        reshape = Reshape(name=name, inputs=(tensor,), outputs=(name,), shape=source.shape)
        return self.emit(reshape, replace(source, name=name, quant=None)).name

    # ----------------------------------------------------------------------- finishing

    def graph(self, name: str, file: OnnxFile) -> Graph:
        """The graph, its inputs and outputs named and laid out as in the ONNX model."""
        inputs = tuple(edge.name for edge in file.inputs)
        outputs: dict[str, str] = {}
        for edge in file.outputs:
            if edge.name not in self.views:
                raise ModelError(f"output '{edge.name}' is not computed from any input")
            tensor = self._in_order(self.views[edge.name], plain_places(self.rank(edge.name)))
            if tensor in {*inputs, *outputs.values()}:  # a tensor has one name only
                tensor = self.copy(tensor)
            outputs[edge.name] = tensor
        graph = Graph(name, self.tensors, tuple(self.ops), inputs, tuple(outputs.values()))
        graph = _named(graph.pruned(), outputs)
        names = {old: new for old, new in self.shorter.items() if old in graph.producers}
        return rename_tensors(graph, {o: n for o, n in names.items() if n not in graph.tensors})


def _named(graph: Graph, outputs: dict[str, str]) -> Graph:
    """Give outputs their names; what had them before gets another."""
    renamed = {tensor: name for name, tensor in outputs.items() if tensor != name}
    taken = {*graph.tensors, *outputs}
    for name in outputs:
        if name in graph.tensors and name not in outputs.values():
            other = f"{name}/stored"
            while other in taken:
                other = f"{other}#"
            taken.add(other)
            renamed[name] = other
    return rename_tensors(graph, renamed)


def _constant_tensor(constant: Constant, rank: int, places: Order) -> Tensor:
    """Lay a constant out; floats become float32, those with scales stay as exact as they are."""
    data, quant = constant.data, constant.quant
    missing = max(0, rank - data.ndim)
    lifted = data.reshape((1,) * missing + data.shape)
    shape = tuple(1 if d is None else lifted.shape[d] for d in places)
    moved = lifted.transpose([d for d in places if d is not None]).reshape(shape)
    if data.dtype.kind == "f" and quant is None:
        moved = moved.astype(np.float32)
    if quant is not None and quant.quantized_dimension is not None:
        place = places.index(quant.quantized_dimension + missing)
        quant = replace(quant, quantized_dimension=place)
    return Tensor(constant.name, shape, _dtype(constant), quant, moved)


def _dtype(constant: Constant) -> DType:
    dtype = constant.data.dtype
    if dtype.kind == "f":
        return DType.FLOAT32
    try:
        return DType(dtype.name)
    except ValueError:
        raise ModelError(f"constant '{constant.name}' has type {dtype}, expected numbers") from None
