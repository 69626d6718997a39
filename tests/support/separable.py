"""A small depthwise-separable network in float, and channels scaled apart in it."""

from dataclasses import replace

import numpy as np
from graphs import (
    activation,
    conv_2d,
    depthwise_conv_2d,
    float_constant,
    fully_connected,
    make_graph,
    mean,
    pad,
)

from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_float
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding

CHANNELS = 8
RELU = Activation.RELU


def separable(seed: int = 0, fused: Activation = RELU) -> Graph:
    """Convolution, pad, depthwise with stride 2, pointwise, mean, fully connected.

    ``fused`` is the activation of the first three.
    """
    rng = np.random.default_rng(seed)

    def normal(name: str, *shape: int):
        taps = np.prod(shape[1:3]) if shape[0] == 1 else np.prod(shape[1:])
        return float_constant(name, rng.normal(size=shape) * np.sqrt(2 / taps))

    def bias(name: str, size: int):
        return float_constant(name, rng.normal(size=size) / 10)

    tensors = [
        activation("image", (1, 8, 8, 3), None),
        normal("conv/w", CHANNELS, 3, 3, 3),
        bias("conv/b", CHANNELS),
        activation("conv", (1, 8, 8, CHANNELS), None),
        activation("padded", (1, 9, 9, CHANNELS), None),
        normal("depthwise/w", 1, 3, 3, CHANNELS),
        bias("depthwise/b", CHANNELS),
        activation("depthwise", (1, 4, 4, CHANNELS), None),
        normal("pointwise/w", CHANNELS, 1, 1, CHANNELS),
        bias("pointwise/b", CHANNELS),
        activation("pointwise", (1, 4, 4, CHANNELS), None),
        activation("means", (1, CHANNELS), None),
        normal("logits/w", 5, CHANNELS),
        bias("logits/b", 5),
        activation("logits", (1, 5), None),
    ]
    ops = [
        conv_2d("conv", "image", "conv/w", "conv/b", padding=Padding.SAME, activation=fused),
        pad("padded", "conv", [(0, 0), (0, 1), (0, 1), (0, 0)]),
        depthwise_conv_2d(
            "depthwise",
            "padded",
            "depthwise/w",
            "depthwise/b",
            stride=(2, 2),
            padding=Padding.VALID,
            activation=fused,
        ),
        conv_2d("pointwise", "depthwise", "pointwise/w", "pointwise/b", activation=fused),
        mean("means", "pointwise", (1, 2)),
        fully_connected("logits", "means", "logits/w", "logits/b"),
    ]
    graph = make_graph(tensors, ops, ["image"], ["logits"], "separable")
    verify_float(graph)
    return graph


def scaled_apart(graph: Graph, factors: np.ndarray) -> Graph:
    """The same function, with each depthwise channel scaled by a factor, and back behind it."""
    scaled = {"depthwise/w": factors, "depthwise/b": factors, "pointwise/w": 1 / factors}
    return graph.with_tensors(
        *(
            replace(graph.tensor(name), data=(graph.tensor(name).data * by).astype(np.float32))
            for name, by in scaled.items()
        )
    )


def images(count: int, seed: int = 0) -> np.ndarray:
    """Normal samples, (count, 1, 8, 8, 3)."""
    return np.random.default_rng(seed).normal(size=(count, 1, 8, 8, 3)).astype(np.float32)
