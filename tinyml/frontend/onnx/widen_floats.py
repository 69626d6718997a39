"""Float16 and bfloat16 of an ONNX model, read as float32.

They are a way to store weights, or to compute fast on other machines; ``quantize`` starts from
float32, which holds each of their numbers.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

SMALL = frozenset({onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})


def widen_floats(model: onnx.ModelProto) -> None:
    """Change weights, inputs, outputs and casts of a model that was just parsed."""
    graph = model.graph
    for tensor in graph.initializer:
        _widen(tensor)
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.tensor_type.elem_type in SMALL:
            info.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                _widen(attribute.t)
            if (node.op_type, attribute.name) == ("Cast", "to") and attribute.i in SMALL:
                attribute.i = onnx.TensorProto.FLOAT


def _widen(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in SMALL:
        wide = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))
