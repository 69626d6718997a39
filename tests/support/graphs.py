"""Small hand-made graphs, and the few lines it takes to make more.

Values come from arithmetic rather than from a random generator, so that golden files hold for every
version of numpy.
"""

from collections.abc import Sequence

import numpy as np

from tinyml.ir.graph import DType, Graph, Op, QuantParams, Tensor
from tinyml.ir.verify import verify_float, verify_quantized
from tinyml.ops.add import Add
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.max_pool_2d import MaxPool2D
from tinyml.ops.mean import Mean
from tinyml.ops.pad import Pad
from tinyml.ops.quantize import Quantize
from tinyml.ops.relu import Relu
from tinyml.ops.reshape import Reshape
from tinyml.ops.softmax import OUTPUT_QUANT, Softmax

# What the TFLite converter calls a fused layer.
CONVERTER_NAME = (
    "small/conv/Relu;small/conv/BiasAdd;small/conv/convolution;small/conv/BiasAdd/ReadVariableOp"
)


def spread(shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """Integers that cover [-127, 127] without a visible pattern, int8."""
    steps = np.arange(int(np.prod(shape)), dtype=np.int64) + 1000 * seed
    return (steps * 7919 % 10007 % 255 - 127).astype(np.int8).reshape(shape)


def activation(
    name: str, shape: Sequence[int], scale: float | None = 0.05, zero_point: int = 0
) -> Tensor:
    """An int8 tensor the network computes, or a float32 one where ``scale`` is None."""
    if scale is None:
        return Tensor(name, tuple(shape), DType.FLOAT32)
    return Tensor(name, tuple(shape), DType.INT8, QuantParams.per_tensor(scale, zero_point))


def float_constant(name: str, values: np.ndarray | Sequence[float]) -> Tensor:
    data = np.asarray(values, np.float32)
    return Tensor(name, data.shape, DType.FLOAT32, data=data)


def float_weights(name: str, shape: Sequence[int], seed: int = 0) -> Tensor:
    """Weights in [-1, 1]."""
    return float_constant(name, spread(shape, seed) / np.float32(127))


def int8_weights(
    name: str, shape: Sequence[int], axis: int | None, scale: float = 0.004, seed: int = 0
) -> Tensor:
    """Weights with one scale per slice along ``axis``, or one for all."""
    quant = QuantParams.per_tensor(scale, 0)
    if axis is not None:
        scales = tuple(scale * (1 + channel / 8) for channel in range(shape[axis]))
        quant = QuantParams(scales, (0,) * len(scales), axis)
    return Tensor(name, tuple(shape), DType.INT8, quant, spread(shape, seed))


def int32_bias(name: str, input_scale: float, weights: Tensor, size: int, seed: int = 0) -> Tensor:
    """A bias at input scale x weight scale."""
    scales = tuple(float(np.float32(input_scale)) * scale for scale in weights.quant.scale)
    quant = QuantParams(scales, (0,) * len(scales), 0 if len(scales) > 1 else None)
    return Tensor(name, (size,), DType.INT32, quant, spread((size,), seed).astype(np.int32) * 20)


def make_graph(
    tensors: Sequence[Tensor],
    ops: Sequence[Op],
    inputs: Sequence[str],
    outputs: Sequence[str],
    name: str = "hand_made",
) -> Graph:
    """A graph, not verified: tests also need broken ones."""
    return Graph(name, {t.name: t for t in tensors}, tuple(ops), tuple(inputs), tuple(outputs))


def conv_2d(output: str, *inputs: str, **fields) -> Conv2D:
    defaults = {
        "stride": (1, 1),
        "dilation": (1, 1),
        "padding": Padding.VALID,
        "activation": Activation.NONE,
    }
    return Conv2D(name=output, inputs=inputs, outputs=(output,), **{**defaults, **fields})


def depthwise_conv_2d(output: str, *inputs: str, **fields) -> DepthwiseConv2D:
    defaults = {
        "stride": (1, 1),
        "dilation": (1, 1),
        "padding": Padding.SAME,
        "multiplier": 1,
        "activation": Activation.NONE,
    }
    return DepthwiseConv2D(name=output, inputs=inputs, outputs=(output,), **{**defaults, **fields})


def fully_connected(output: str, *inputs: str, **fields) -> FullyConnected:
    defaults = {"keep_num_dims": False, "activation": Activation.NONE}
    return FullyConnected(name=output, inputs=inputs, outputs=(output,), **{**defaults, **fields})


def max_pool_2d(output: str, source: str, **fields) -> MaxPool2D:
    defaults = {
        "size": (2, 2),
        "stride": (2, 2),
        "padding": Padding.VALID,
        "activation": Activation.NONE,
    }
    return MaxPool2D(name=output, inputs=(source,), outputs=(output,), **{**defaults, **fields})


def add(output: str, first: str, second: str, fused: Activation = Activation.NONE) -> Add:
    return Add(name=output, inputs=(first, second), outputs=(output,), activation=fused)


def relu(output: str, source: str, kind: Activation = Activation.RELU) -> Relu:
    return Relu(name=output, inputs=(source,), outputs=(output,), activation=kind)


def reshape(output: str, source: str, shape: Sequence[int]) -> Reshape:
    return Reshape(name=output, inputs=(source,), outputs=(output,), shape=tuple(shape))


def softmax(output: str, source: str) -> Softmax:
    return Softmax(name=output, inputs=(source,), outputs=(output,), beta=1.0)


def concatenation(output: str, *inputs: str, axis: int) -> Concatenation:
    return Concatenation(name=output, inputs=inputs, outputs=(output,), axis=axis)


def quantize(output: str, source: str) -> Quantize:
    return Quantize(name=output, inputs=(source,), outputs=(output,))


def dequantize(output: str, source: str) -> Dequantize:
    return Dequantize(name=output, inputs=(source,), outputs=(output,))


def pad(output: str, source: str, paddings: Sequence[tuple[int, int]]) -> Pad:
    return Pad(name=output, inputs=(source,), outputs=(output,), paddings=tuple(paddings))


def mean(output: str, source: str, axes: Sequence[int], *, keep_dims: bool = False) -> Mean:
    return Mean(
        name=output, inputs=(source,), outputs=(output,), axes=tuple(axes), keep_dims=keep_dims
    )


def small_ops() -> list[Op]:
    """Pad, convolution, depthwise, add, max pool, mean, reshape, fully connected, softmax."""
    return [
        pad("padded", "image", [(0, 0), (1, 1), (1, 1), (0, 0)]),
        conv_2d(CONVERTER_NAME, "padded", "conv/w", "conv/b", activation=Activation.RELU),
        depthwise_conv_2d(
            "small/depthwise", CONVERTER_NAME, "dw/w", "dw/b", activation=Activation.RELU6
        ),
        add("sum", CONVERTER_NAME, "small/depthwise"),
        max_pool_2d("pooled", "sum"),
        mean("means", "pooled", (1, 2), keep_dims=True),
        reshape("flat", "means", (1, 4)),
        fully_connected("logits", "flat", "fc/w", "fc/b"),
        softmax("probabilities", "logits"),
    ]


def small_int8() -> Graph:
    """One layer of every kind, int8, with scales and zero points that all differ."""
    conv_weights = int8_weights("conv/w", (4, 3, 3, 2), 0, seed=1)
    depthwise_weights = int8_weights("dw/w", (1, 3, 3, 4), 3, seed=2)
    fc_weights = int8_weights("fc/w", (3, 4), None, scale=0.0012, seed=3)
    tensors = [
        activation("image", (1, 6, 6, 2), 0.05, 3),
        activation("padded", (1, 8, 8, 2), 0.05, 3),
        conv_weights,
        int32_bias("conv/b", 0.05, conv_weights, 4, seed=4),
        activation(CONVERTER_NAME, (1, 6, 6, 4), 0.05, -128),
        depthwise_weights,
        int32_bias("dw/b", 0.05, depthwise_weights, 4, seed=5),
        activation("small/depthwise", (1, 6, 6, 4), 6 / 255, -128),
        activation("sum", (1, 6, 6, 4), 0.06, -120),
        activation("pooled", (1, 3, 3, 4), 0.06, -120),
        activation("means", (1, 1, 1, 4), 0.055, -110),
        activation("flat", (1, 4), 0.055, -110),
        fc_weights,
        int32_bias("fc/b", 0.055, fc_weights, 3, seed=6),
        activation("logits", (1, 3), 0.015, 10),
        Tensor("probabilities", (1, 3), DType.INT8, OUTPUT_QUANT),
    ]
    graph = make_graph(tensors, small_ops(), ["image"], ["probabilities"], "small")
    verify_quantized(graph)
    return graph


def small_float() -> Graph:
    """The same network in float32."""
    tensors = [
        activation("image", (1, 6, 6, 2), None),
        activation("padded", (1, 8, 8, 2), None),
        float_weights("conv/w", (4, 3, 3, 2), seed=1),
        float_weights("conv/b", (4,), seed=4),
        activation(CONVERTER_NAME, (1, 6, 6, 4), None),
        float_weights("dw/w", (1, 3, 3, 4), seed=2),
        float_weights("dw/b", (4,), seed=5),
        activation("small/depthwise", (1, 6, 6, 4), None),
        activation("sum", (1, 6, 6, 4), None),
        activation("pooled", (1, 3, 3, 4), None),
        activation("means", (1, 1, 1, 4), None),
        activation("flat", (1, 4), None),
        float_weights("fc/w", (3, 4), seed=3),
        float_weights("fc/b", (3,), seed=6),
        activation("logits", (1, 3), None),
        activation("probabilities", (1, 3), None),
    ]
    graph = make_graph(tensors, small_ops(), ["image"], ["probabilities"], "small")
    verify_float(graph)
    return graph


def branches_int8(*, per_channel: bool = False) -> Graph:
    """Two inputs, two outputs, float at the edges, no bias: what ``small_int8`` lacks.

    Weights of the fully connected layer ``per_channel`` are beyond tflite-runtime 2.14.
    """
    tensors = [
        activation("a", (1, 2, 3), None),
        activation("a/q", (1, 2, 3), 0.02, -5),
        activation("b", (1, 2, 3), 0.03, 7),
        activation("b/q", (1, 2, 3), 0.02, -5),
        activation("both", (1, 4, 3), 0.02, -5),
        activation("rectified", (1, 4, 3), 0.02, -5),
        activation("halves", (1, 2, 6), 0.02, -5),
        int8_weights("fc/w", (4, 6), 0 if per_channel else None, seed=1),
        activation("fc", (2, 4), 0.1, 2),
        activation("fc/float", (2, 4), None),
    ]
    ops = [
        quantize("a/q", "a"),
        quantize("b/q", "b"),
        concatenation("both", "a/q", "b/q", axis=1),
        relu("rectified", "both"),
        reshape("halves", "rectified", (1, 2, 6)),
        fully_connected("fc", "halves", "fc/w"),
        dequantize("fc/float", "fc"),
    ]
    graph = make_graph(tensors, ops, ["a", "b"], ["fc/float", "rectified"], "branches")
    verify_quantized(graph)
    return graph
