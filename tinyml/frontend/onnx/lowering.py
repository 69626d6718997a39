"""ONNX nodes to the graph's operators, one after another.

Nodes that only move dimensions change the view of a value; nodes of constants are computed;
QuantizeLinear and DequantizeLinear leave their scales on the tensor; every other node is up to the
operator classes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx

from tinyml.errors import ModelError
from tinyml.frontend.onnx.attributes import ReadAttributes
from tinyml.frontend.onnx.decompose import DECOMPOSED
from tinyml.frontend.onnx.file import FileNode, OnnxFile
from tinyml.frontend.onnx.fold import FOLDABLE, fold
from tinyml.frontend.onnx.layout import (
    Order,
    View,
    axis_last_places,
    channels_last_places,
    plain_places,
)
from tinyml.frontend.onnx.partial import ALIASES, SCALES, partly_lowered, require_known
from tinyml.frontend.onnx.quantized_forms import model_refusal
from tinyml.frontend.onnx.scales import activation_dtype, dequantized, read_scales, saturated
from tinyml.frontend.onnx.steps import Steps
from tinyml.frontend.onnx.values import Constant, Values
from tinyml.frontend.partial import PartlyReadError, listed
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Tensor
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.registry import operators_by_onnx_type
from tinyml.ops.reshape import Reshape, onnx_shape

# What moves the elements of a constant without a change to their scale.
MOVES = {"Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}


def lower(file: OnnxFile, name: str) -> tuple[Graph, DType]:
    """Build the graph in float32; nodes that cannot be used are listed all at once.

    Tensors of a QDQ model carry their scales, but are float32 all the same; what they are to
    become is beside the graph.
    """
    lowering = _Lowering(file)
    reasons: dict[int, str] = {}
    for place, node in enumerate(file.nodes):
        try:
            lowering.add(node)
        except ModelError as error:
            reasons[place] = str(error)
    if reasons:
        lines = [f"node {place}: {reason}" for place, reason in reasons.items()]
        message = model_refusal(file.nodes, name) or listed(lines, len(file.nodes), "node")
        raise PartlyReadError(message, partly_lowered(file, name, lowering.values, reasons))
    return lowering.values.graph(name, file), lowering.activations or DType.INT8


class _Lowering:
    """Reads one node after another into ``values``."""

    def __init__(self, file: OnnxFile) -> None:
        self.opset = file.opset
        self.values = Values(file)
        # Values that follow from what was refused: their readers are not to blame.
        self.unknown: set[str] = set()
        # The integers of activations, once one is quantized.
        self.activations: DType | None = None

    def add(self, node: FileNode) -> None:
        """Read one node; ModelError where it cannot be used."""
        if not node.outputs:
            raise ModelError(f"{node.op_type} has no outputs; export the model again")
        for name in node.inputs:
            if name and name not in self.values and name not in self.unknown:
                raise _error(node, f"input '{name}' is written by no earlier node")
        for name in node.outputs:
            if name in self.values or name in self.unknown:
                raise _error(node, f"'{name}' is written twice")
        try:
            self._add(node)
        except ModelError:
            self.unknown.update(node.outputs)
            raise

    def _add(self, node: FileNode) -> None:
        require_known(node)
        classes = operators_by_onnx_type().get(node.op_type, ())
        if not self.unknown.isdisjoint(node.inputs):
            self.unknown.update(node.outputs)
        elif node.op_type in SCALES:
            self._add_scales(node)
        elif self._is_constant(node):
            self._fold(node)
        elif node.op_type in ALIASES or self._is_cast_to_itself(node):
            self._alias(node)
        elif node.op_type == "Transpose":
            view = self.values.views[node.inputs[0]]
            self.values.views[node.outputs[0]] = view.transposed(
                _permutation(node, len(view.shape))
            )
        elif Reshape in classes:
            self._reshape(node)
        elif (steps := self._steps(node)) is not None:
            self._take(steps)
        else:
            self._lower(node, classes)

    def _steps(self, node: FileNode) -> Steps | None:
        """Give what stands in for a node, None where the operators read it as it is."""
        if node.op_type not in DECOMPOSED:
            return None
        names = [name for name in node.inputs if name]
        known = {n: self.values.constants[n].data for n in names if n in self.values.constants}
        shapes = tuple(self.values.shape(name) if name else () for name in node.inputs)
        steps = Steps(node, self.opset, shapes, known)
        DECOMPOSED[node.op_type](steps)
        return steps if steps.nodes else None

    def _take(self, steps: Steps) -> None:
        """Read the nodes that stand in for one; what they do not write is unknown."""
        for name, data in steps.constants.items():
            self.values.constants[name] = Constant(name, data)
        for node in steps.nodes:
            self._add(node)
        self.unknown.update(n for n in steps.node.outputs if n and n not in self.values)

    def _is_cast_to_itself(self, node: FileNode) -> bool:
        if node.op_type != "Cast" or node.attributes.get("to") != onnx.TensorProto.FLOAT:
            return False
        source = self.values.tensors[self.values.views[node.inputs[0]].tensor]
        return source.dtype is DType.FLOAT32

    def _alias(self, node: FileNode) -> None:
        if len(node.inputs) > 2 and self._value(node.inputs[2]) != 0:
            raise _error(node, "is in training mode; export the model for inference")
        self.values.views[node.outputs[0]] = self.values.views[node.inputs[0]]
        self.unknown.update(node.outputs[1:])

    # ----------------------------------------------------------------------- constants

    def _is_constant(self, node: FileNode) -> bool:
        if node.op_type in {"Shape", "Size"}:
            return True
        constants = self.values.constants
        return node.op_type in FOLDABLE and all(name in constants for name in node.inputs if name)

    def _fold(self, node: FileNode) -> None:
        inputs = [self._value(name) for name in node.inputs]
        results = fold(node, inputs, self.opset)
        quant = self._kept_scales(node)
        for name, value in zip(node.outputs, results, strict=False):
            self.values.constants[name] = Constant(name, value, quant)

    def _value(self, name: str) -> Array | None:
        """Give a constant; of an activation, something of its shape."""
        if name in self.values.views:
            return np.broadcast_to(np.float32(0), self.values.views[name].shape)
        return self.values.constants[name].data if name else None

    def _kept_scales(self, node: FileNode) -> QuantParams | None:
        """Scales of a constant that keeps them while its elements move."""
        first = self.values.constants.get(node.inputs[0]) if node.inputs else None
        if first is None or first.quant is None or node.op_type not in MOVES:
            return None
        axis = first.quant.quantized_dimension
        if axis is None or node.op_type == "Identity":
            return first.quant
        if node.op_type != "Transpose":
            raise _error(node, "reshapes weights with scales per channel, which is not supported")
        place = _permutation(node, first.data.ndim).index(axis)
        return replace(first.quant, quantized_dimension=place)

    # ----------------------------------------------------------------------- scales

    def _add_scales(self, node: FileNode) -> None:
        values, source = self.values, node.inputs[0]
        quant = read_scales(node, values)
        output = node.outputs[0]
        if source in values.constants:
            constant = values.constants[source]
            if constant.data.dtype.kind == "f":
                values.constants[output] = saturated(node, values, constant, quant)
            else:
                values.constants[output] = dequantized(node, constant, quant)
            return
        if quant.is_per_channel:
            raise _error(node, "has scales per channel on an activation, expected one")
        dtype = activation_dtype(node, values)
        others = self.activations or dtype
        if others is not dtype:
            raise _error(
                node,
                f"works on {dtype.value} where other activations are {others.value}, expected one "
                "type; quantize all of them alike",
            )
        self.activations = dtype
        values.views[output] = self._annotated(node, values.views[source], quant)

    def _annotated(self, node: FileNode, view: View, quant: QuantParams) -> View:
        """The same tensor where it has these scales or none yet; else a copy that has them."""
        present = self.values.tensors[view.tensor].quant
        if present is not None and present != quant:
            if node.op_type == "DequantizeLinear":
                raise _error(node, "reads its input with other scales than it was written with")
            view = replace(view, tensor=self.values.copy(view.tensor))
        if present != quant:
            self.values.annotate(view.tensor, quant, node.outputs[0])
        return view

    # ----------------------------------------------------------------------- operators

    def _reshape(self, node: FileNode) -> None:
        """Change the view where only dimensions of 1 come and go, else reshape for real."""
        view = self.values.views[node.inputs[0]]
        constants = [name for name in node.inputs[1:] if name]
        operands = [Tensor(node.inputs[0], view.shape, DType.FLOAT32)]
        operands += [self._operand(name, None) for name in constants]
        tensors = {tensor.name: tensor for tensor in operands}
        shape = onnx_shape(self._record(node, tuple(tensors), tensors, len(view.shape)))
        reshaped = None if view.is_plain else view.reshaped(shape)
        if reshaped is None:
            self._lower(node, (Reshape,))
        else:
            self.values.views[node.outputs[0]] = reshaped

    def _lower(self, node: FileNode, classes: tuple[type[Operator], ...]) -> None:
        for cls in classes:
            attributes = ReadAttributes(node.attributes)
            watched = replace(node, attributes=attributes)
            record = self._prepared(watched, cls.onnx_types[node.op_type])
            lowering = cls.from_onnx(record)
            if lowering is not None:
                attributes.require_read(node, self.opset)
                self._emit(node, record, lowering)
                return
        if not classes:
            raise _error(node, "is supported on constants only")
        shown = ", ".join(f"{name}={value}" for name, value in node.attributes.items())
        raise _error(node, f"this variant is not supported ({shown or 'no attributes'})")

    def _emit(self, node: FileNode, record: OnnxNodeIn, lowering: OnnxLowering) -> None:
        names = self.values.add(lowering.ops, (*record.tensors.values(), *lowering.constants))
        order = record.order if lowering.order is None else lowering.order
        for output in filter(None, node.outputs):
            if output not in names:
                self.unknown.add(output)  # an optional output that the operator does not give
                continue
            shape = self.values.tensors[names[output]].shape
            view = View(names[output], tuple(shape[place] for place in order), order)
            self.values.views[output] = view

    def _prepared(self, node: FileNode, operands: Operands) -> OnnxNodeIn:
        """Bring the operands into the order the class asked for."""
        if not node.inputs or not node.inputs[0]:
            raise _error(node, "has no input")
        places = self._places(node, operands)
        laid_out = node.inputs if operands is Operands.ANY else node.inputs[:1]
        prepared = [
            self._operand(name, places if name in laid_out else None) if name else None
            for name in node.inputs
        ]
        tensors = {tensor.name: tensor for tensor in prepared if tensor is not None}
        names = tuple("" if tensor is None else tensor.name for tensor in prepared)
        rank = sum(dimension is not None for dimension in places)
        return self._record(node, names, tensors, rank, places)

    def _record(
        self,
        node: FileNode,
        inputs: tuple[str, ...],
        tensors: dict[str, Tensor],
        rank: int,
        places: Order | None = None,
    ) -> OnnxNodeIn:
        constants = self.values.constants
        places = plain_places(rank) if places is None else places
        return OnnxNodeIn(
            op_type=node.op_type,
            inputs=inputs,
            outputs=node.outputs,
            attributes=node.attributes,
            tensors=tensors,
            constants={
                constants[name].name: constants[name].data
                for name in node.inputs
                if name in constants
            },
            order=tuple(places.index(dimension) for dimension in range(rank)),
        )

    def _operand(self, name: str, places: Order | None) -> Tensor:
        """Give a value in an order; integers, which say where and how much, in ONNX's."""
        constant = self.values.constants.get(name)
        if places is None or (constant is not None and constant.data.dtype.kind != "f"):
            places = plain_places(self.values.rank(name))
        return self.values.operand(name, places)

    def _places(self, node: FileNode, operands: Operands) -> Order:
        """Choose the order of the first operand or, for ``ANY``, of all."""
        rank = self.values.rank(node.inputs[0])
        if operands is Operands.AS_ONNX:
            return plain_places(rank)
        if operands is Operands.CHANNELS_LAST:
            if rank < 2:
                raise _error(node, f"has an input of {rank} dimensions, expected (N, C, ...)")
            return channels_last_places(rank)
        if operands is Operands.ANY:
            return self._common_places(node.inputs)
        axis = int(node.attributes.get("axis", -1))
        if not -rank <= axis < rank:
            raise _error(node, f"axis {axis} is outside an input of {rank} dimensions")
        return axis_last_places(self._common_places(node.inputs[:1]), axis % rank)

    def _common_places(self, names: tuple[str, ...]) -> Order:
        """The order in which one of the largest operands lies; ONNX's where all do that."""
        operands = [name for name in names if name and self._is_operand(name)]
        rank = max(map(self.values.rank, operands), default=0)
        for view in (self.values.views[name] for name in operands if name in self.values.views):
            if len(view.shape) == rank and not view.is_plain:
                return self.values.stored_places(view)
        return plain_places(rank)

    def _is_operand(self, name: str) -> bool:
        constant = self.values.constants.get(name)
        return constant is None or constant.data.dtype.kind == "f"


def _permutation(node: FileNode, rank: int) -> tuple[int, ...]:
    permutation = tuple(node.attributes.get("perm", reversed(range(rank))))
    if sorted(permutation) != list(range(rank)):
        raise _error(node, f"permutation {permutation} does not order {rank} dimensions")
    return permutation


def _error(node: FileNode, message: str) -> ModelError:
    return ModelError(f"{node.op_type} '{node.outputs[0]}': {message}")
