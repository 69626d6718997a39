"""An ONNX file's bytes to plain records: nodes, constants, inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, inliner, numpy_helper

from tinyml.errors import InputError, ModelError
from tinyml.frontend.onnx.widen_floats import widen_floats
from tinyml.ir.graph import Array, DType, Shape

# The first with per-channel DequantizeLinear.
OLDEST_OPSET = 13

# Elements; far more than any microcontroller holds.
LARGEST_INPUT = 2**28

MAIN_DOMAINS = {"", "ai.onnx"}

INPUT_DTYPES: Mapping[int, DType] = {
    onnx.TensorProto.FLOAT: DType.FLOAT32,
    onnx.TensorProto.INT8: DType.INT8,
    onnx.TensorProto.INT16: DType.INT16,
    onnx.TensorProto.UINT8: DType.UINT8,
}
# Indices, which ArgMax gives, are int64. Outputs of uint8 would come as int8, 128 below.
OUTPUT_DTYPES: Mapping[int, DType] = {
    onnx.TensorProto.FLOAT: DType.FLOAT32,
    onnx.TensorProto.INT8: DType.INT8,
    onnx.TensorProto.INT16: DType.INT16,
    onnx.TensorProto.INT64: DType.INT64,
}


@dataclass(frozen=True, slots=True)
class FileNode:
    """One node; operators of other domains than ONNX's carry it in ``op_type``."""

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: onnx.NodeProto


@dataclass(frozen=True, slots=True)
class Edge:
    """A model's input or output."""

    name: str
    shape: Shape
    dtype: DType


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFile:
    """What is in the file, sizes known; outputs have no shape yet."""

    opset: int
    nodes: tuple[FileNode, ...]
    constants: Mapping[str, Array]
    inputs: tuple[Edge, ...]
    outputs: tuple[Edge, ...]


def decode_onnx(data: bytes, name: str, folder: Path | None) -> OnnxFile:
    """Decode a model; ``folder`` is where its external data lies.

    Raises InputError where the bytes are no ONNX model or its external data is missing, ModelError
    where sizes other than the batch are open, or the opset is too old.
    """
    model = _parse(data, name)
    if not model.HasField("graph") or model.ir_version < 1:
        raise InputError(f"'{name}' is not an ONNX model; give a .onnx file")
    opset = _opset(model, name)
    if len(model.functions) > 0:
        model = inliner.inline_local_functions(model)
    _load_external_data(model, name, folder)
    widen_floats(model)
    constants = {tensor.name: _array(tensor) for tensor in model.graph.initializer}
    if len(model.graph.sparse_initializer) > 0:
        raise ModelError(f"'{name}' has sparse weights, expected dense; export it without sparsity")
    for node in model.graph.node:
        _check_attributes(node, opset)
    return OnnxFile(
        opset=opset,
        nodes=tuple(_decode_node(node) for node in model.graph.node),
        constants=constants,
        inputs=tuple(_input(info) for info in model.graph.input if info.name not in constants),
        outputs=tuple(
            Edge(info.name, (), _dtype(info, "output", OUTPUT_DTYPES))
            for info in model.graph.output
        ),
    )


def decode_nodes(data: bytes, name: str) -> tuple[FileNode, ...]:
    """Decode the nodes alone, whatever else is wrong with the model."""
    return tuple(_decode_node(node) for node in _parse(data, name).graph.node)


def _parse(data: bytes, name: str) -> onnx.ModelProto:
    try:
        return onnx.load_from_string(data)
    except Exception as error:  # protobuf's own
        raise InputError(
            f"'{name}' is not an ONNX model, or damaged ({len(data)} bytes, {error}); give a .onnx "
            "file, or copy it again"
        ) from error


# What the library takes for a version.
LARGEST_OPSET = 2**31 - 1


def _opset(model: onnx.ModelProto, name: str) -> int:
    versions = [entry.version for entry in model.opset_import if entry.domain in MAIN_DOMAINS]
    if not versions:
        raise InputError(f"'{name}' names no ONNX opset; export it again")
    opset = int(versions[0])
    if opset < OLDEST_OPSET:
        raise ModelError(
            f"'{name}' is of ONNX opset {opset}, expected {OLDEST_OPSET} or later; export it with "
            f"opset_version={OLDEST_OPSET}, or convert it with onnx.version_converter"
        )
    if opset > LARGEST_OPSET:
        raise InputError(
            f"'{name}' is of ONNX opset {opset}, which is none; copy or export it again"
        )
    return opset


def _load_external_data(model: onnx.ModelProto, name: str, folder: Path | None) -> None:
    """Read weights that lie in files beside the model."""
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        file = _beside(entries.get("location", ""), folder)
        if file is None:
            raise InputError(
                f"'{name}' keeps the weights '{tensor.name}' in the file "
                f"'{entries.get('location', '')}', which is not beside it; copy that file there "
                "too, or save the model as one file"
            )
        with file.open("rb") as stream:
            stream.seek(int(entries.get("offset", 0)))
            tensor.raw_data = stream.read(int(entries.get("length", -1)))
        tensor.data_location = onnx.TensorProto.DEFAULT


def _beside(location: str, folder: Path | None) -> Path | None:
    """The file of that name in the model's folder or below; None where there is none."""
    if folder is None or not location:
        return None
    file = (folder / location).resolve()
    return file if file.is_file() and file.is_relative_to(folder.resolve()) else None


def _array(tensor: onnx.TensorProto) -> Array:
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except TypeError as error:  # that is how onnx says that an element type stands for nothing
        raise ValueError(f"the tensor '{tensor.name}' cannot be decoded: {error}") from error


def _decode_node(node: onnx.NodeProto) -> FileNode:
    is_main = node.domain in MAIN_DOMAINS
    inputs = list(node.input)
    while inputs and not inputs[-1]:
        inputs.pop()
    outputs = list(node.output)
    while outputs and not outputs[-1]:
        outputs.pop()
    return FileNode(
        op_type=node.op_type if is_main else f"{node.domain}.{node.op_type}",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        attributes={a.name: _attribute(a) for a in node.attribute},
        proto=node,
    )


def _check_attributes(node: onnx.NodeProto, opset: int) -> None:
    """Hold attributes to the types that ONNX declares, which their readers rely on."""
    if not isinstance(node.op_type, str):  # protobuf gives bytes for what is no UTF-8
        raise ModelError(f"a node's operator is {node.op_type!r}, which is no text")
    if node.domain not in MAIN_DOMAINS or not onnx.defs.has(node.op_type, opset):
        return  # refused later, by its name
    declared = onnx.defs.get_schema(node.op_type, opset).attributes
    for attribute in node.attribute:
        if attribute.name not in declared:
            continue
        expected = declared[attribute.name].type.value  # type: ignore[attr-defined]  # stub lacks it
        if expected != attribute.type:
            names = [onnx.AttributeProto.AttributeType.Name(n) for n in (attribute.type, expected)]
            raise ModelError(
                f"{node.op_type} '{node.output[0] if node.output else node.name}': the attribute "
                f"'{attribute.name}' is {names[0]}, expected {names[1]}; export the model again"
            )


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, onnx.TensorProto):
        return _array(value)
    return value


# --------------------------------------------------------------------------- inputs and outputs


def _input(info: onnx.ValueInfoProto) -> Edge:
    """Only the batch, the first dimension, may be open: the device runs one sample at a time."""
    sizes = []
    for place, dim in enumerate(info.type.tensor_type.shape.dim):
        is_static = dim.HasField("dim_value") and dim.dim_value > 0
        if not is_static and place > 0:
            raise ModelError(
                f"input '{info.name}' has the dynamic shape ({_shown(info)}), expected static "
                "sizes after the batch; export the model with a fixed input shape"
            )
        sizes.append(int(dim.dim_value) if is_static else 1)
    if not info.type.tensor_type.HasField("shape"):
        raise ModelError(f"input '{info.name}' has no shape; export the model with one")
    if math.prod(sizes) > LARGEST_INPUT:
        raise ModelError(f"input '{info.name}' has shape {tuple(sizes)}, too large for any device")
    return Edge(info.name, tuple(sizes), _dtype(info, "input", INPUT_DTYPES))


def _shown(info: onnx.ValueInfoProto) -> str:
    dims = info.type.tensor_type.shape.dim
    return ", ".join(
        str(dim.dim_value) if dim.dim_value > 0 else dim.dim_param or "?" for dim in dims
    )


def _dtype(info: onnx.ValueInfoProto, kind: str, allowed: Mapping[int, DType]) -> DType:
    element = info.type.tensor_type.elem_type
    if element not in allowed:
        known = {value: key for key, value in onnx.TensorProto.DataType.items()}
        names = " or ".join(known[code] for code in allowed)
        raise ModelError(
            f"{kind} '{info.name}' has type {known.get(element, element)}, expected {names}; "
            f"export the model with such {kind}s"
        )
    return allowed[element]
