"""Models of one ONNX operator between two convolutions, whose images are stored as NHWC."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx_models import model, node, spread

# The operator's first input is 'h' (1, 4, 6, 6); it writes 'o', with as many channels.
Single = tuple[onnx.NodeProto, Mapping[str, Any]]

ROW = np.arange(4, dtype=np.float32)


def one(op_type: str, inputs: str = "h", constants: Mapping[str, Any] | None = None, **attributes):
    return node(op_type, inputs, "o", **attributes), constants or {}


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def resize(mode: str, coordinates: str, *, scales: tuple[float, ...] = (1, 1, 2, 2), **more: str):
    return one(
        "Resize",
        "h - scales",
        {"scales": np.array(scales, np.float32)},
        mode=mode,
        coordinate_transformation_mode=coordinates,
        **more,
    )


IMAGE_OPERATORS: dict[str, Single] = {
    "abs": one("Abs"),
    "add a row of channels": one("Add", "h k", {"k": ROW.reshape(4, 1, 1)}),
    "add a number": one("Add", "k h", {"k": np.float32(0.5)}),
    "add itself": one("Add", "h h"),
    "add an image": one("Add", "h k", {"k": spread(1, 4, 6, 6, seed=5)}),
    "average pool": one("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "average pool that counts its pads": one(
        "AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "average pool that does not": one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "average pool rounded up": one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "batch normalization after an activation": (
        node("BatchNormalization", "h s b m v", "o"),
        {"s": 1 + ROW, "b": ROW, "m": ROW / 2, "v": 1 + ROW},
    ),
    "clip": one("Clip", "h low high", {"low": np.float32(-0.3), "high": np.float32(0.7)}),
    "clip from above": one("Clip", "h - high", {"high": np.float32(0.7)}),
    "concatenation of channels": one("Concat", "h h", axis=1),
    "concatenation of rows": one("Concat", "h h", axis=2),
    "concatenation of columns": one("Concat", "h h", axis=-1),
    "conv with uneven pads": one(
        "Conv", "h w", {"w": spread(4, 4, 2, 3)}, pads=[1, 0, 0, 2], strides=[1, 2]
    ),
    "conv dilated": one("Conv", "h w", {"w": spread(4, 4, 2, 2)}, dilations=[2, 3]),
    "conv of two groups": one(
        "Conv", "h w b", {"w": spread(6, 2, 3, 3), "b": spread(6)}, group=2, pads=[1, 1, 0, 1]
    ),
    "conv same lower": one(
        "Conv", "h w", {"w": spread(4, 4, 4, 4)}, auto_pad="SAME_LOWER", strides=[1, 1]
    ),
    "conv depthwise with multiplier": one("Conv", "h w", {"w": spread(8, 1, 3, 3)}, group=4),
    "conv transpose": one("ConvTranspose", "h w", {"w": spread(4, 4, 2, 2)}, strides=[2, 2]),
    "conv transpose with pads": one(
        "ConvTranspose",
        "h w b",
        {"w": spread(4, 4, 3, 3), "b": ROW},
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        output_padding=[1, 1],
    ),
    "depth to space": one("DepthToSpace", blocksize=2),
    "depth to space of pytorch": one("DepthToSpace", blocksize=2, mode="CRD"),
    "div by a number": one("Div", "h k", {"k": np.float32(1.7)}),
    "elu": one("Elu"),
    "exp": one("Exp"),
    "expand": one("Expand", "h shape", {"shape": whole(1, 1, 1, 1)}),
    "flatten": one("Flatten"),
    "gather rows": one("Gather", "h i", {"i": whole(5, 0, -2)}, axis=2),
    "gather one channel": one("Gather", "h i", {"i": np.array(2)}, axis=1),
    "global average pool": one("GlobalAveragePool"),
    "global max pool": one("GlobalMaxPool"),
    "hard sigmoid": one("HardSigmoid", alpha=0.25),
    "hard swish": one("HardSwish"),
    "leaky relu": one("LeakyRelu", alpha=0.2),
    "max": one("Max", "h k", {"k": np.float32(0.1)}),
    "max pool": one("MaxPool", kernel_shape=[2, 3], strides=[2, 1]),
    "max pool with pads": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "max pool rounded up": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "mul by a row of channels": one("Mul", "h k", {"k": 1 + ROW.reshape(1, 4, 1, 1)}),
    "pad": one("Pad", "h p", {"p": whole(0, 1, 2, 0, 0, 0, 1, 3)}),
    "pad with a number": one("Pad", "h p v", {"p": whole(0, 0, 1, 1).repeat(2), "v": ROW[1]}),
    "pad by reflection": one("Pad", "h p", {"p": whole(0, 0, 2, 1, 0, 0, 1, 2)}, mode="reflect"),
    "pad by the edge": one("Pad", "h p", {"p": whole(0, 0, 1, 1, 0, 0, 1, 1)}, mode="edge"),
    "pow": one("Pow", "h two", {"two": np.float32(2)}),
    "prelu": one("PRelu", "h k", {"k": ROW.reshape(4, 1, 1)}),
    "reduce max": one("ReduceMax", axes=[2, 3], keepdims=1),
    "reduce mean of channels": one("ReduceMean", axes=[1], keepdims=0),
    "reduce mean of columns": one("ReduceMean", axes=[-1], keepdims=0),
    "reduce mean of images": one("ReduceMean", axes=[2, 3], keepdims=0),
    "reduce min of rows": one("ReduceMin", axes=[2], keepdims=0),
    "reduce sum": one("ReduceSum", "h a", {"a": whole(1, 3)}, keepdims=1),
    "relu": one("Relu"),
    "reshape": one("Reshape", "h s", {"s": whole(0, 2, -1, 6)}),
    "resize linear": resize("linear", "half_pixel"),
    "resize linear of corners": resize("linear", "align_corners"),
    "resize nearest": resize("nearest", "asymmetric", nearest_mode="floor"),
    "resize nearest of pixel centers": resize("nearest", "half_pixel"),
    "sigmoid": one("Sigmoid"),
    "slice": one("Slice", "h s e a", {"s": whole(1, -4), "e": whole(3, 99), "a": whole(1, 3)}),
    "slice backwards": one(
        "Slice",
        "h s e a t",
        {"s": whole(-1), "e": whole(-99), "a": whole(2), "t": whole(-2)},
    ),
    "softmax of channels": one("Softmax", axis=1),
    "softmax of columns": one("Softmax", axis=3),
    "space to depth": one("SpaceToDepth", blocksize=2),
    "squeeze": one("Squeeze", "h a", {"a": whole(0)}),
    "sub from a number": one("Sub", "k h", {"k": np.float32(0.5)}),
    "sum": one("Sum", "h h h"),
    "tanh": one("Tanh"),
    "tile": one("Tile", "h r", {"r": whole(1, 1, 2, 3)}),
    "transpose": one("Transpose", perm=[0, 2, 1, 3]),
    "transpose to channels last": one("Transpose", perm=[0, 2, 3, 1]),
    "unsqueeze": one("Unsqueeze", "h a", {"a": whole(2)}),
}


def single(name: str) -> onnx.ModelProto:
    """x (1, 2, 6, 6) through a convolution, then the operator."""
    operator, constants = IMAGE_OPERATORS[name]
    nodes = [node("Conv", "x first bias", "h"), operator]
    values = {"first": spread(4, 2, 1, 1, seed=3), "bias": ROW / 8, **constants}
    opset = 13 if "axes" in {a.name for a in operator.attribute} else 17
    return model(nodes, {"x": (1, 2, 6, 6)}, "o", values, opset=opset)
