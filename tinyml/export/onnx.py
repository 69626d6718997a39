"""A Graph to an ONNX model: float nodes, with QuantizeLinear/DequantizeLinear pairs where int8.

An ONNX value that bears the name of a tensor of the graph has that tensor's shape (NHWC) and
dtype, so an int8 model takes and gives the same raw bytes as its ``.tflite``. Inside, quantized
tensors are stored as int8 and every operator computes between a DequantizeLinear and a
QuantizeLinear, the form in which ONNX Runtime recognises integer kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tinyml import __version__
from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import Layout, OnnxNode, OnnxWeight
from tinyml.ops.contract.operator import Operator, operators

# The first with per-axis DequantizeLinear, and the file format that came with it (ONNX 1.8).
OPSET = 13
IR_VERSION = 7
# The first that quantizes to int16 (ONNX 1.16).
WIDE_OPSET = 21
WIDE_IR_VERSION = 10

Permutation = tuple[int, ...]
Place = tuple[str, Layout]

# The dimension of the other layout that stands at each place.
PERMUTATIONS: Mapping[Layout, Permutation] = {
    Layout.CHANNELS_FIRST: (0, 3, 1, 2),
    Layout.CHANNELS_LAST: (0, 2, 3, 1),
}


def write_onnx(graph: Graph) -> bytes:
    """Serialize a float or int8 graph; the same graph gives the same bytes.

    Inputs and outputs keep the graph's names, NHWC shapes and dtypes. ModelError where a constant
    is an integer without a scale.
    """
    data: bytes = _Writer(graph).model().SerializeToString(deterministic=True)
    return data


class _Writer:
    """Collects the nodes and initializers of one model.

    ``stored`` says which ONNX value holds a tensor of the graph, or a value between two nodes of
    one operator, in which layout; ``dequantized`` the float32 values made of the int8 ones.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        activations = [t for t in graph.tensors.values() if not t.is_constant]
        self.taken = {t.name for t in activations}
        self.quantized = {t.name: t for t in activations if _is_quantized(t)}
        self.is_wide = any(t.dtype is DType.INT16 for t in self.quantized.values())
        self.stored: dict[Place, str] = {}
        self.dequantized: dict[Place, str] = {}
        self.constants: dict[tuple[str, Permutation], str] = {}
        self.parameters: dict[str, list[str]] = {}

    def model(self) -> onnx.ModelProto:
        for name in self.graph.inputs:
            self.stored[name, Layout.CHANNELS_LAST] = name
        for op in operators(self.graph):
            for node in op.to_onnx(self.graph):
                self._add_node(op, self._scoped(op, node))
        self._name_outputs()
        for node in self.nodes:
            node.name = node.output[0]
        return helper.make_model(
            helper.make_graph(
                self.nodes,
                self.graph.name,
                [_value_info(self.graph.tensor(name)) for name in self.graph.inputs],
                [_value_info(self.graph.tensor(name)) for name in self.graph.outputs],
                self.initializers,
            ),
            opset_imports=[helper.make_opsetid("", WIDE_OPSET if self.is_wide else OPSET)],
            ir_version=WIDE_IR_VERSION if self.is_wide else IR_VERSION,
            producer_name="tinyml",
            producer_version=__version__,
        )

    # ----------------------------------------------------------------------- nodes

    def _add_node(self, op: Operator, node: OnnxNode) -> None:
        layout = self._choose_layout(node)
        inputs = [self._input(op, source, layout) for source in node.inputs]
        for name in node.outputs if node.quantized_like in self.quantized else ():
            self.quantized.setdefault(name, self.quantized[node.quantized_like])
        places = [self._place(name, layout) for name in node.outputs]
        if node.op_type == "Identity":  # the pair around it does all the work
            self._keep(places[0], inputs[0])
            return
        results = [self._result_name(place) for place in places]
        attributes = _rewrite_axes(node, layout)
        if self.is_wide and node.op_type.startswith("Reduce"):  # an input from opset 18 on
            axes = np.array(attributes.pop("axes"), np.int64)
            inputs.append(self._initializer(f"{op.name}/axes", axes))
        self.nodes.append(helper.make_node(node.op_type, inputs, results, **attributes))
        for place, result in zip(places, results, strict=True):
            self._keep(place, result)

    def _scoped(self, op: Operator, node: OnnxNode) -> OnnxNode:
        """Keep values between an operator's nodes apart from tensors that bear their name."""

        def scoped(name: str) -> str:
            is_inner = name not in (*op.inputs, *op.outputs)
            return f"{name}#inner" if is_inner and name in self.graph.tensors else name

        inputs = (scoped(source) if isinstance(source, str) else source for source in node.inputs)
        return replace(node, inputs=tuple(inputs), outputs=tuple(map(scoped, node.outputs)))

    def _choose_layout(self, node: OnnxNode) -> Layout:
        """NCHW where the node asks for it, or takes it and all its inputs have it already."""
        if node.layout is not Layout.ANY:
            return node.layout
        sources = [source for source in node.inputs if isinstance(source, str)]
        if all(self._has_channels_first(source) for source in sources):
            return Layout.CHANNELS_FIRST
        return Layout.CHANNELS_LAST

    def _has_channels_first(self, name: str) -> bool:
        if self._is_constant(name):  # transposed here and now, at no cost
            return len(self.graph.tensor(name).shape) == 4
        return (name, Layout.CHANNELS_FIRST) in self.stored

    def _is_constant(self, name: str) -> bool:
        return name in self.graph.tensors and self.graph.tensor(name).is_constant

    def _place(self, name: str, layout: Layout) -> Place:
        """Only tensors of 4 dimensions have two layouts."""
        tensor = self.graph.tensors.get(name)
        if tensor is not None and len(tensor.shape) != 4:
            return name, Layout.CHANNELS_LAST
        return name, layout

    def _result_name(self, place: Place) -> str:
        if place[0] in self.quantized:
            return self._fresh(f"{_label(place)}/float")
        return self._value_name(place)

    def _keep(self, place: Place, value: str) -> None:
        """Record a float value as a tensor, quantized where the tensor is."""
        tensor = self.quantized.get(place[0])
        if tensor is not None:
            inputs = [value, *self._parameters(tensor)]
            value = self._emit("QuantizeLinear", inputs, self._value_name(place))
        self.stored[place] = value

    def _emit(self, op_type: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
        return output

    # ----------------------------------------------------------------------- inputs

    def _input(
        self, op: Operator, source: str | OnnxWeight | InlineConstant, layout: Layout
    ) -> str:
        """Give the float value of a node's input."""
        if isinstance(source, InlineConstant):
            return self._initializer(f"{op.name}/{source.suffix}", source.data)
        if isinstance(source, OnnxWeight):
            return self._constant(source.name, source.permutation)
        place = self._place(source, layout)
        if not self._is_constant(source):
            return self._real(place)
        if place[1] is Layout.CHANNELS_FIRST:
            return self._constant(source, PERMUTATIONS[Layout.CHANNELS_FIRST])
        return self._constant(source, tuple(range(len(self.graph.tensor(source).shape))))

    def _real(self, place: Place) -> str:
        """Give the float32 value of a tensor in a layout."""
        tensor = self.quantized.get(place[0])
        if tensor is None:
            return self._stored(place)
        if place not in self.dequantized:
            name = self._fresh(f"{_label(place)}/dequantized")
            inputs = [self._stored(place), *self._parameters(tensor)]
            self.dequantized[place] = self._emit("DequantizeLinear", inputs, name)
        return self.dequantized[place]

    def _stored(self, place: Place) -> str:
        """Give a tensor as it is stored, int8 where quantized, transposed once at most.

        Transposing the int8 values moves a quarter of the bytes and leaves nothing between a
        DequantizeLinear and its operator. ONNX Runtime 1.31 fuses the same integer kernels either
        way, but keeps a pair more around a transposed float where int8 kernels are not allowed.
        """
        if place not in self.stored:
            name, layout = place
            others = set(PERMUTATIONS) - {layout}
            source = self.stored[name, others.pop()]
            self.stored[place] = self._emit(
                "Transpose", [source], self._value_name(place), perm=PERMUTATIONS[layout]
            )
        return self.stored[place]

    # ----------------------------------------------------------------------- constants

    def _constant(self, name: str, permutation: Permutation) -> str:
        """Give the float value of a constant tensor of the graph, transposed."""
        key = name, permutation
        if key not in self.constants:
            tensor = self.graph.tensor(name)
            data = tensor.constant
            if tensor.dtype is DType.INT64 and tensor.quant is not None:
                # DequantizeLinear takes no int64.
                data = dequantize(data, tensor.quant)
            value = self._initializer(name, data.transpose(permutation))
            if data.dtype != np.float32:
                value = self._dequantize_constant(tensor, value, permutation)
            self.constants[key] = value
        return self.constants[key]

    def _dequantize_constant(self, tensor: Tensor, value: str, permutation: Permutation) -> str:
        if tensor.quant is None:
            raise ModelError(
                f"constant '{tensor.name}' is {tensor.dtype.value} without a scale, expected "
                "one; quantize the model again"
            )
        dimension = tensor.quant.quantized_dimension
        axis = {} if dimension is None else {"axis": permutation.index(dimension)}
        inputs = [value, *self._parameters(tensor)]
        return self._emit("DequantizeLinear", inputs, self._fresh(f"{value}/dequantized"), **axis)

    def _parameters(self, tensor: Tensor) -> list[str]:
        """Scale and zero point, as scalars or one per channel."""
        if tensor.name in self.parameters:
            return self.parameters[tensor.name]
        if tensor.quant is None:
            raise ValueError(f"tensor '{tensor.name}' is not quantized")
        shape = (-1,) if tensor.quant.is_per_channel else ()
        scale = np.array(tensor.quant.scale, np.float32).reshape(shape)
        names = [self._initializer(f"{tensor.name}/scale", scale)]
        if tensor.dtype is not DType.INT32:  # some runtimes refuse a zero point on a bias
            zero_point = np.array(tensor.quant.zero_point, tensor.dtype.numpy).reshape(shape)
            names.append(self._initializer(f"{tensor.name}/zero_point", zero_point))
        self.parameters[tensor.name] = names
        return names

    def _initializer(self, name: str, data: Array) -> str:
        unique = self._fresh(name)
        self.initializers.append(numpy_helper.from_array(np.array(data, order="C"), unique))
        return unique

    # ----------------------------------------------------------------------- names

    def _value_name(self, place: Place) -> str:
        name, layout = place
        if layout is Layout.CHANNELS_LAST and name in self.graph.tensors:
            return name
        return self._fresh(_label(place))

    def _fresh(self, name: str) -> str:
        """Number a name that is taken."""
        unique, number = name, 2
        while unique in self.taken:
            unique, number = f"{name}#{number}", number + 1
        self.taken.add(unique)
        return unique

    def _name_outputs(self) -> None:
        """Give outputs that are another tensor's value, under another name, their own."""
        claimed = set(self.graph.inputs)
        for name in self.graph.outputs:
            value = self._stored((name, Layout.CHANNELS_LAST))
            if value in claimed and value != name:  # one value cannot have two names
                self._emit("Identity", [value], name)
            elif value != name:
                self._rename(value, name)
            claimed.add(name)

    def _rename(self, value: str, name: str) -> None:
        for node in self.nodes:
            for values in (node.input, node.output):
                values[:] = [name if other == value else other for other in values]
        for place, other in self.stored.items():
            self.stored[place] = name if other == value else other


def _label(place: Place) -> str:
    name, layout = place
    return f"{name}/nchw" if layout is Layout.CHANNELS_FIRST else name


def _is_quantized(tensor: Tensor) -> bool:
    return tensor.quant is not None and tensor.dtype is not DType.FLOAT32


def _rewrite_axes(node: OnnxNode, layout: Layout) -> dict[str, Any]:
    """Give the attributes, dimensions of NHWC turned into those of NCHW where it is used."""
    attributes = dict(node.attributes)
    if node.layout is not Layout.ANY or layout is not Layout.CHANNELS_FIRST:
        return attributes
    where = PERMUTATIONS[layout].index
    for name in node.axis_attributes:
        value = attributes[name]
        attributes[name] = where(value) if isinstance(value, int) else sorted(map(where, value))
    return attributes


def _value_info(tensor: Tensor) -> onnx.ValueInfoProto:
    element = helper.np_dtype_to_tensor_dtype(tensor.dtype.numpy)
    return helper.make_tensor_value_info(tensor.name, element, tensor.shape)
