"""What QuantizeLinear and DequantizeLinear say, as quantization parameters of the graph.

The graph is int8: uint8 values and their zero points are moved down by 128, which changes neither
a real number nor a step between two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from tinyml.errors import ModelError
from tinyml.frontend.onnx_file import FileNode
from tinyml.frontend.onnx_values import Constant, Values
from tinyml.ir.graph import Array, QuantParams

UINT8_OFFSET = 128
INTEGERS = {"int8", "uint8", "int32"}


def read_scales(node: FileNode, values: Values) -> QuantParams:
    """Read scale and zero point, which must be constants."""
    scale = _parameter(node, values, 1)
    rank = values.rank(node.inputs[0])
    if len(node.inputs) > 2 and node.inputs[2]:
        zero_point = _parameter(node, values, 2)
    else:
        zero_point = np.zeros(scale.shape, _integers(node, values))
    if zero_point.dtype.name not in INTEGERS:
        raise _error(node, f"works on {zero_point.dtype.name}, expected int8 or uint8")
    if node.attributes.get("block_size", 0) or scale.ndim > 1:
        raise _error(node, "has scales per block, expected one, or one per channel")
    offset = UINT8_OFFSET if zero_point.dtype == np.uint8 else 0
    zero_points = tuple(int(value) - offset for value in zero_point.reshape(-1))
    scales = tuple(float(value) for value in scale.reshape(-1))
    if len(scales) != len(zero_points) or not all(np.isfinite(scales)) or min(scales) <= 0:
        raise _error(node, f"has scales {scales[:4]} and zero points {zero_points[:4]}")
    if len(scales) == 1:
        return QuantParams(scales, zero_points)
    axis = int(node.attributes.get("axis", 1))
    return QuantParams(scales, zero_points, axis + rank if axis < 0 else axis)


def _integers(node: FileNode, values: Values) -> np.dtype[Any]:
    """The type a node without zero point reads or writes."""
    if node.op_type == "DequantizeLinear":
        constant = values.constants.get(node.inputs[0])
        return np.dtype(np.int8) if constant is None else constant.data.dtype
    element = node.attributes.get("output_dtype", 0) or onnx.TensorProto.UINT8
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(element))


def dequantized(node: FileNode, constant: Constant, quant: QuantParams) -> Constant:
    """Real numbers of an integer constant, in double so that no int32 loses a bit."""
    data = constant.data
    if data.dtype.name not in INTEGERS:
        raise _error(node, f"works on {data.dtype.name}, expected int8, uint8 or int32")
    offset = UINT8_OFFSET if data.dtype == np.uint8 else 0
    axis = quant.quantized_dimension
    shape = [1] * data.ndim
    if axis is not None:
        if not 0 <= axis < data.ndim or data.shape[axis] != len(quant.scale):
            raise _error(node, f"has {len(quant.scale)} scales for a constant of {data.shape}")
        shape[axis] = -1
    scale = np.array(quant.scale).reshape(shape if axis is not None else ())
    zero_point = np.array(quant.zero_point).reshape(shape if axis is not None else ())
    real = (data.astype(np.int64) - offset - zero_point) * scale
    return Constant(constant.name, real, quant)


def _parameter(node: FileNode, values: Values, index: int) -> Array:
    if index >= len(node.inputs) or node.inputs[index] not in values.constants:
        raise _error(node, f"computes input {index} at run time, expected a constant")
    return values.constants[node.inputs[index]].data


def _error(node: FileNode, message: str) -> ModelError:
    return ModelError(f"{node.op_type} '{node.outputs[0]}': {message}")
