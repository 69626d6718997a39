"""What QuantizeLinear and DequantizeLinear say, as quantization parameters of the graph.

Activations are int8 or int16, all of them alike: uint8 values and their zero points are moved down
by 128, which changes neither a real number nor a step between two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from tinyml.errors import ModelError
from tinyml.frontend.onnx.file import FileNode
from tinyml.frontend.onnx.values import Constant, Values
from tinyml.ir.graph import Array, DType, QuantParams
from tinyml.numerics.affine import LIMITS

UINT8_OFFSET = 128
INTEGERS = {"int8", "uint8", "int16", "int32"}


def read_scales(node: FileNode, values: Values) -> QuantParams:
    """Read scale and zero point, which must be constants."""
    scale = _parameter(node, values, 1)
    rank = values.rank(node.inputs[0])
    zero_point = _zero_point(node, values, scale)
    if zero_point.dtype.name not in INTEGERS:
        raise _error(node, f"works on {zero_point.dtype.name}, expected int8, uint8 or int16")
    if zero_point.dtype == np.int16 and zero_point.any():
        raise _error(
            node,
            f"has the zero point {zero_point.reshape(-1)[0]} of int16, expected 0; quantize with "
            "symmetric activations (ActivationSymmetric)",
        )
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


def activation_dtype(node: FileNode, values: Values) -> DType:
    """What the node makes of real numbers, or makes them of."""
    zero_point = _zero_point(node, values, _parameter(node, values, 1))
    return DType.INT16 if zero_point.dtype == np.int16 else DType.INT8


def _zero_point(node: FileNode, values: Values, scale: Array) -> Array:
    if len(node.inputs) > 2 and node.inputs[2]:
        return _parameter(node, values, 2)
    return np.zeros(scale.shape, _integers(node, values))


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
        raise _error(node, f"works on {data.dtype.name}, expected int8, uint8, int16 or int32")
    offset = UINT8_OFFSET if data.dtype == np.uint8 else 0
    scale, zero_point = _spread(node, data, quant)
    real = (data.astype(np.int64) - offset - zero_point) * scale
    return Constant(constant.name, real, quant)


def saturated(node: FileNode, values: Values, constant: Constant, quant: QuantParams) -> Constant:
    """A float constant within what its integers can say, which it is to be quantized to."""
    data = constant.data
    scale, zero_point = _spread(node, data, quant)
    low, high = LIMITS[activation_dtype(node, values)]
    limits = (low - zero_point) * scale, (high - zero_point) * scale
    return Constant(constant.name, np.clip(data, *limits).astype(data.dtype), quant)


def _spread(node: FileNode, data: Array, quant: QuantParams) -> tuple[Array, Array]:
    """Scales and zero points that broadcast over a constant."""
    axis = quant.quantized_dimension
    shape = [1] * data.ndim
    if axis is not None:
        if not 0 <= axis < data.ndim or data.shape[axis] != len(quant.scale):
            raise _error(node, f"has {len(quant.scale)} scales for a constant of {data.shape}")
        shape[axis] = -1
    scale = np.array(quant.scale).reshape(shape if axis is not None else ())
    zero_point = np.array(quant.zero_point).reshape(shape if axis is not None else ())
    return scale, zero_point


def _parameter(node: FileNode, values: Values, index: int) -> Array:
    if index >= len(node.inputs) or node.inputs[index] not in values.constants:
        raise _error(node, f"computes input {index} at run time, expected a constant")
    return values.constants[node.inputs[index]].data


def _error(node: FileNode, message: str) -> ModelError:
    return ModelError(f"{node.op_type} '{node.outputs[0]}': {message}")
