"""ONNX models made by hand, in the ways PyTorch and tf2onnx write them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray
OPSET = 17
IMAGE = {"x": (1, 3, 9, 8)}


def node(op_type: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node; inputs and outputs are names parted by spaces, '-' for an absent input."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op_type, names, outputs.split(), **attributes)


def spread(*shape: int, seed: int = 0) -> Array:
    """Normal numbers, smaller where more of them are added up."""
    rng = np.random.default_rng(seed)
    depth = max(1, int(np.prod(shape[1:])))
    return (rng.normal(size=shape) / np.sqrt(depth)).astype(np.float32)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: str,
    constants: Mapping[str, Any] | None = None,
    *,
    opset: int = OPSET,
    dtypes: Mapping[str, int] | None = None,
) -> onnx.ModelProto:
    """A model whose outputs state no shape; constants are float32 unless they are integers."""
    types = {**dict.fromkeys([*inputs, *outputs.split()], TensorProto.FLOAT), **(dtypes or {})}
    initializers = [
        numpy_helper.from_array(_as_stored(value), name)
        for name, value in (constants or {}).items()
    ]
    graph = helper.make_graph(
        list(nodes),
        "model",
        [helper.make_tensor_value_info(name, types[name], shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, types[name], None) for name in outputs.split()],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _as_stored(value: Any) -> Array:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def normalization(name: str, channels: int, seed: int = 0) -> dict[str, Array]:
    """The four parameters of a BatchNormalization."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.5, 1.5, (4, channels)).astype(np.float32)
    return {f"{name}/{part}": values[i] for i, part in enumerate(("scale", "bias", "mean", "var"))}


def normalize(source: str, output: str, name: str) -> onnx.NodeProto:
    parameters = " ".join(f"{name}/{part}" for part in ("scale", "bias", "mean", "var"))
    return node("BatchNormalization", f"{source} {parameters}", output)


def pytorch_classifier(batch: int | str = 1) -> onnx.ModelProto:
    """Conv-BN-ReLU, depthwise-BN-ReLU6, residual, max pool, Flatten, Gemm."""
    nodes = [
        node("Conv", "x w1 b1", "c1", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        normalize("c1", "n1", "bn1"),
        node("Relu", "n1", "r1"),
        node("Conv", "r1 w2", "c2", pads=[1, 1, 1, 1], group=8),
        normalize("c2", "n2", "bn2"),
        node("Clip", "n2 zero six", "r2"),
        node("Add", "r1 r2", "sum"),
        node("Relu", "sum", "r3"),
        node("MaxPool", "r3", "p", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Dropout", "p", "d"),
        node("Flatten", "d", "f"),
        node("Gemm", "f w3 b3", "y", transB=1),
    ]
    constants = {
        "w1": spread(8, 3, 3, 3),
        "b1": spread(8, seed=1),
        "w2": spread(8, 1, 3, 3, seed=2),
        "w3": spread(10, 8 * 5 * 4, seed=3),
        "b3": spread(10, seed=4),
        "zero": np.float32(0),
        "six": np.float32(6),
        **normalization("bn1", 8),
        **normalization("bn2", 8, seed=5),
    }
    return model(nodes, {"x": (batch, 3, 9, 8)}, "y", constants)


def pytorch_view() -> onnx.ModelProto:
    """``x.view(x.size(0), -1)`` as PyTorch spells it, then a Linear as MatMul and Add."""
    nodes = [
        node("Conv", "x w b", "c", strides=[2, 2]),
        node("Shape", "c", "shape"),
        node("Constant", "", "first", value=numpy_helper.from_array(np.array(0))),
        node("Gather", "shape first", "batch", axis=0),
        node("Unsqueeze", "batch front", "batches"),
        node("Concat", "batches rest", "wanted", axis=0),
        node("Reshape", "c wanted", "f"),
        node("MatMul", "f matrix", "product"),
        node("Add", "product bias", "y"),
    ]
    constants = {
        "w": spread(4, 3, 3, 3),
        "b": spread(4),
        "front": np.array([0]),
        "rest": np.array([-1]),
        "matrix": spread(48, 5),
        "bias": spread(5),
    }
    return model(nodes, IMAGE, "y", constants)


def pytorch_audio() -> onnx.ModelProto:
    """One dimension: Conv1d, BatchNorm1d, MaxPool1d, a mean, Linear with BatchNorm1d."""
    nodes = [
        node("Conv", "x w1", "c1", pads=[2, 2], strides=[2]),
        normalize("c1", "n1", "bn1"),
        node("Relu", "n1", "r1"),
        node("MaxPool", "r1", "p1", kernel_shape=[2], strides=[2]),
        node("Conv", "p1 w2 b2", "c2", pads=[2, 2], dilations=[2], group=8),
        node("Tanh", "c2", "t"),
        node("ReduceMean", "t", "m", axes=[2], keepdims=0),
        node("Gemm", "m w3 b3", "g", transB=1),
        normalize("g", "n2", "bn2"),
        node("Relu", "n2", "y"),
    ]
    constants = {
        "w1": spread(8, 4, 5),
        "w2": spread(8, 1, 3),
        "b2": spread(8),
        "w3": spread(6, 8),
        "b3": spread(6),
        **normalization("bn1", 8),
        **normalization("bn2", 6),
    }
    return model(nodes, {"x": (1, 4, 32)}, "y", constants)


def tf2onnx_classifier() -> onnx.ModelProto:
    """NHWC at the edges, a Transpose before and after each convolution, as tf2onnx begins."""
    to_nchw, to_nhwc = [0, 3, 1, 2], [0, 2, 3, 1]
    nodes = [
        node("Transpose", "x", "x1", perm=to_nchw),
        node("Conv", "x1 w1 b1", "c1", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Transpose", "c1", "t1", perm=to_nhwc),
        node("Relu", "t1", "r1"),
        node("Transpose", "r1", "x2", perm=to_nchw),
        node("Conv", "x2 w2", "c2", auto_pad="SAME_UPPER"),
        node("Transpose", "c2", "t2", perm=to_nhwc),
        node("Add", "t2 bias", "a2"),
        node("Reshape", "a2 flat", "f"),
        node("MatMul", "f matrix", "product"),
        node("Add", "product offset", "logits"),
        node("Softmax", "logits", "y"),
    ]
    constants = {
        "w1": spread(4, 3, 3, 3),
        "b1": spread(4),
        "w2": spread(6, 4, 3, 3),
        "bias": spread(6),
        "flat": np.array([-1, 120]),
        "matrix": spread(120, 7),
        "offset": spread(7),
    }
    return model(nodes, {"x": (1, 9, 8, 3)}, "y", constants)


def tf2onnx_rows() -> onnx.ModelProto:
    """A Keras Conv1D: rows in the middle of Unsqueeze, Conv, Squeeze and Transposes."""
    nodes = [
        node("Transpose", "x", "x1", perm=[0, 2, 1]),
        node("Unsqueeze", "x1 two", "x2"),
        node("Conv", "x2 w b", "c", kernel_shape=[1, 3], pads=[0, 1, 0, 1]),
        node("Squeeze", "c two", "s"),
        node("Transpose", "s", "t", perm=[0, 2, 1]),
        node("Relu", "t", "r"),
        node("ReduceMean", "r", "y", axes=[1], keepdims=0),
    ]
    constants = {"two": np.array([2]), "w": spread(6, 4, 1, 3), "b": spread(6)}
    return model(nodes, {"x": (1, 10, 4)}, "y", constants)


NETWORKS = {
    "pytorch classifier": pytorch_classifier,
    "pytorch view": pytorch_view,
    "pytorch audio": pytorch_audio,
    "tf2onnx classifier": tf2onnx_classifier,
    "tf2onnx rows": tf2onnx_rows,
}
