"""Tensors of a .tflite file: their types, shapes, scales and constants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyml.errors import InputError, ModelError
from tinyml.frontend.tflite.int4 import unpack_int4
from tinyml.ir.graph import Array, DType, QuantParams, Shape, Tensor

RESOURCE = schema.TensorType.RESOURCE

# The least positive float32.
LEAST_SCALE = 2.0**-149

DTYPES = {
    schema.TensorType.FLOAT32: DType.FLOAT32,
    schema.TensorType.FLOAT16: DType.FLOAT16,
    schema.TensorType.INT8: DType.INT8,
    schema.TensorType.INT4: DType.INT8,  # of constants, which are unpacked
    schema.TensorType.INT16: DType.INT16,
    schema.TensorType.INT32: DType.INT32,
    schema.TensorType.INT64: DType.INT64,
    schema.TensorType.UINT8: DType.UINT8,
    schema.TensorType.BOOL: DType.BOOL,
}


def names_of(enumeration: type) -> Mapping[int, str]:
    """Names of an enumeration of the schema, by their numbers."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


TYPE_NAMES = names_of(schema.TensorType)


def values_of(values: Any) -> list[Any]:
    """Vectors of the schema are None where they are empty."""
    return [] if values is None else list(values)


def text_of(raw: Any) -> str:
    """A string of the schema, which is None where it is empty."""
    return "" if raw is None else bytes(raw).decode("utf-8", "replace")


def read_tensors(model: Any, subgraph: Any) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read every tensor in file order, under a name that is unique and not empty.

    Those that tinyml cannot have are placeholders; the second part says why, by their names.
    """
    tensors: dict[str, Tensor] = {}
    unreadable: dict[str, str] = {}
    for index, raw in enumerate(values_of(subgraph.tensors)):
        name = text_of(raw.name) or f"tensor_{index}"
        while name in tensors:
            name = f"{name}#{index}"
        try:
            tensors[name] = read_tensor(model, raw, name)
        except ModelError as error:
            unreadable[name] = str(error)
            tensors[name] = Tensor(name, _shape(raw), DTYPES.get(raw.type, DType.FLOAT32))
    return tensors, unreadable


def _shape(raw: Any) -> Shape:
    return tuple(int(size) for size in values_of(raw.shape))


def read_tensor(model: Any, raw: Any, name: str) -> Tensor:
    """Read one tensor, whose name in the graph is given; ModelError where there is no such."""
    if raw.type == RESOURCE:  # a handle, in whose place the variable's own tensor comes
        return Tensor(name, (), DType.INT32)
    if raw.type not in DTYPES:
        kind = TYPE_NAMES.get(raw.type, raw.type)
        supported = ", ".join(dict.fromkeys(dtype.value for dtype in DTYPES.values()))
        raise ModelError(f"tensor '{name}' has type {kind}, expected one of {supported}")
    if raw.sparsity is not None:
        raise ModelError(f"tensor '{name}' is sparse, expected dense; convert without sparsity")
    dtype = DTYPES[raw.type]
    shape = _shape(raw)
    if any(size < 0 for size in shape):
        raise ModelError(
            f"tensor '{name}' has the dynamic shape {shape}, expected static sizes; "
            "fix the model's input shape before converting it"
        )
    # What a converter noted of a float tensor's range means nothing to a kernel.
    quant = None if dtype is DType.FLOAT32 else _read_quant(raw, len(shape))
    data = _read_data(model, raw, name, shape, dtype)
    return with_positive_scales(Tensor(name, shape, dtype, quant, data))


def with_positive_scales(tensor: Tensor) -> Tensor:
    """Let a constant of zeros, which converters give the scale 0, have a scale that is none.

    The least positive float32 stands in, beside which every other scale is the larger.
    """
    quant = tensor.quant
    if not tensor.is_constant or quant is None or 0.0 not in quant.scale:
        return tensor
    scales = tuple(scale or LEAST_SCALE for scale in quant.scale)
    return replace(tensor, quant=replace(quant, scale=scales))


def _read_quant(raw: Any, rank: int) -> QuantParams | None:
    """Read scales and zero points.

    Converters of 2019 and 2020 gave a bias the dimension that its weights are quantized along; one
    of a single dimension has no other than that.
    """
    quant = raw.quantization
    scale = values_of(quant.scale) if quant is not None else []
    if not scale:
        return None
    zero_point = [int(value) for value in values_of(quant.zeroPoint)] or [0] * len(scale)
    dimension = int(quant.quantizedDimension) if rank > 1 else 0
    return QuantParams(
        tuple(map(float, scale)), tuple(zero_point), dimension if len(scale) > 1 else None
    )


def _read_data(model: Any, raw: Any, name: str, shape: Shape, dtype: DType) -> Array | None:
    buffers = values_of(model.buffers)
    if not 0 <= raw.buffer < len(buffers):
        raise InputError(f"tensor '{name}' refers to buffer {raw.buffer}, which does not exist")
    data = buffers[raw.buffer].data
    if data is None or len(data) == 0:
        if raw.type == schema.TensorType.INT4:
            raise ModelError(f"tensor '{name}' is int4 and no constant, expected int8 or int16")
        return None
    if raw.type == schema.TensorType.INT4:
        return unpack_int4(bytes(data), name, shape)
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise InputError(
            f"constant '{name}' {dtype.value} {shape} needs {expected} bytes, its buffer has "
            f"{len(data)}"
        )
    return np.frombuffer(bytes(data), dtype.numpy).reshape(shape)
