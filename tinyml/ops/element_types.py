"""The file formats' numbers for element types, which some operators write into their options."""

from __future__ import annotations

from tinyml.ir.graph import DType

# The schema's TensorType.
TFLITE_TYPES = {
    DType.FLOAT32: 0,
    DType.INT32: 2,
    DType.UINT8: 3,
    DType.INT64: 4,
    DType.BOOL: 6,
    DType.INT16: 7,
    DType.INT8: 9,
}

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
