"""Small float networks that between them have the operators people train."""

import numpy as np
from graphs import (
    activation,
    concatenation,
    conv_2d,
    float_constant,
    float_weights,
    fully_connected,
    make_graph,
    relu,
    softmax,
)

from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_float
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding
from tinyml.ops.logistic import Logistic
from tinyml.ops.mul import Mul
from tinyml.ops.round import Round
from tinyml.ops.sub import Sub


def gated() -> Graph:
    """A convolution times its own logistic function, average pool, relu, concatenation."""
    tensors = [
        activation("image", (1, 4, 4, 2), None),
        float_weights("conv/w", (3, 3, 3, 2), seed=1),
        float_weights("conv/b", (3,), seed=2),
        *(activation(name, (1, 4, 4, 3), None) for name in ("conv", "gate", "gated")),
        *(activation(name, (1, 2, 2, 3), None) for name in ("pooled", "positive")),
        activation("both", (1, 2, 2, 6), None),
    ]
    ops = [
        conv_2d("conv", "image", "conv/w", "conv/b", padding=Padding.SAME),
        Logistic(name="gate", inputs=("conv",), outputs=("gate",)),
        Mul(
            name="gated",
            inputs=("conv", "gate"),
            outputs=("gated",),
            activation=Activation.NONE,
        ),
        AveragePool2D(
            name="pooled",
            inputs=("gated",),
            outputs=("pooled",),
            size=(2, 2),
            stride=(2, 2),
            padding=Padding.VALID,
            activation=Activation.NONE,
        ),
        relu("positive", "pooled"),
        concatenation("both", "pooled", "positive", axis=3),
    ]
    graph = make_graph(tensors, ops, ["image"], ["both", "gate"], "gated")
    verify_float(graph)
    return graph


def shared_weights() -> Graph:
    """Two inputs of very different ranges through the same weights; two outputs."""
    tensors = [
        activation("a", (1, 4), None),
        activation("b", (1, 4), None),
        float_weights("w", (3, 4)),
        float_constant("c", [1, 2, 3]),
        activation("p", (1, 3), None),
        activation("q", (1, 3), None),
        activation("s", (1, 6), None),
    ]
    ops = [
        fully_connected("p", "a", "w", "c"),
        fully_connected("q", "b", "w", "c"),
        concatenation("s", "p", "q", axis=1),
    ]
    return make_graph(tensors, ops, ["a", "b"], ["s", "p"], "shared")


def dense(last: str = "softmax") -> Graph:
    """One fully connected layer, and SOFTMAX, ROUND or nothing behind it."""
    tensors = [
        activation("x", (1, 4), None),
        float_weights("w", (3, 4)),
        float_weights("c", (3,), seed=1),
        activation("logits", (1, 3), None),
        activation("y", (1, 3), None),
    ]
    after = {
        "softmax": softmax("y", "logits"),
        "round": Round(name="y", inputs=("logits",), outputs=("y",)),
    }
    ops = [fully_connected("logits", "x", "w", "c"), *([after[last]] if last in after else [])]
    output = "y" if last in after else "logits"
    return make_graph(tensors, ops, ["x"], [output], "dense").pruned()


def standardizing() -> Graph:
    """Sensors of very different ranges, brought to one, and a fully connected layer."""
    tensors = [
        activation("x", (1, 4), None),
        float_constant("offset", [1000, 0, 5, 1]),
        float_constant("factor", [0.01, 50, 1, 1]),
        activation("centred", (1, 4), None),
        activation("scaled", (1, 4), None),
        float_weights("w", (3, 4)),
        float_constant("c", [1, 2, 3]),
        activation("y", (1, 3), None),
    ]
    none = Activation.NONE
    ops = [
        Sub(name="centred", inputs=("x", "offset"), outputs=("centred",), activation=none),
        Mul(name="scaled", inputs=("centred", "factor"), outputs=("scaled",), activation=none),
        fully_connected("y", "scaled", "w", "c"),
    ]
    return make_graph(tensors, ops, ["x"], ["y"], "standardizing")


def rows(count: int = 40, size: int = 4, seed: int = 0) -> np.ndarray:
    """Normal samples, (count, size)."""
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
