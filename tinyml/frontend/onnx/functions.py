"""ONNX functions for which TFLite has no operator, as the operators they are made of.

Each is spelled so that int8 holds its intermediate values well: exponentials of nothing above 0,
logarithms of nothing below 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml.frontend.onnx.steps import Steps

SELU_ALPHA, SELU_GAMMA = 1.6732632423543772, 1.0507009873554805
POWERS = (3.0, 4.0)


def layer_normalization(steps: Steps) -> None:
    """Mean 0 and variance 1 over the dimensions from ``axis`` on, then scale and bias."""
    rank = len(steps.shapes[0])
    axis = int(steps.attribute("axis", -1)) % rank
    normal = _normalized(steps, steps.input(0), list(range(axis, rank)))
    _scaled(steps, normal, steps.input(1), steps.input(2))


def instance_normalization(steps: Steps) -> None:
    """Mean 0 and variance 1 of every channel's image, then scale and bias of the channel."""
    rank = len(steps.shapes[0])
    normal = _normalized(steps, steps.input(0), list(range(2, rank)))
    channels = (-1, *(1,) * (rank - 2))
    scale, bias = (steps.constant(steps.value(index).reshape(channels)) for index in (1, 2))
    _scaled(steps, normal, scale, bias)


def group_normalization(steps: Steps) -> None:
    """Mean 0 and variance 1 of every group of channels, then scale and bias.

    These are one for each channel since opset 21, for each group before.
    """
    shape = steps.shapes[0]
    groups = int(steps.attribute("num_groups", 1))
    grouped = steps.constant((shape[0], groups, -1), np.int64)
    normal = _normalized(steps, steps.add("Reshape", steps.input(0), grouped), [2])
    whole = steps.add("Reshape", normal, steps.constant(shape, np.int64))
    each = (-1, *(1,) * (len(shape) - 2))
    values = (steps.value(1), steps.value(2))
    scale, bias = (steps.constant(np.repeat(v, shape[1] // v.size).reshape(each)) for v in values)
    _scaled(steps, whole, scale, bias)


def rms_normalization(steps: Steps) -> None:
    """Mean square 1 over the dimensions from ``axis`` on, then scale."""
    rank = len(steps.shapes[0])
    axes = list(range(int(steps.attribute("axis", -1)) % rank, rank))
    source = steps.input(0)
    square = steps.reduce("ReduceMean", steps.add("Mul", source, source), axes)
    _scaled(steps, _divided(steps, source, square), steps.input(1), "")


def batch_normalization(steps: Steps) -> None:
    """A normalization whose statistics are computed, as tf2onnx writes a layer normalization."""
    if all(steps.input(index) in steps.known for index in range(1, 5)):
        return
    channels = steps.constant((-1, *(1,) * (len(steps.shapes[0]) - 2)), np.int64)
    scale, bias, mean, variance = (
        steps.add("Reshape", steps.input(index), channels) for index in range(1, 5)
    )
    _scaled(steps, _divided(steps, steps.add("Sub", steps.input(0), mean), variance), scale, bias)


def _normalized(steps: Steps, source: str, axes: list[int]) -> str:
    centred = steps.add("Sub", source, steps.reduce("ReduceMean", source, axes))
    variance = steps.reduce("ReduceMean", steps.add("Mul", centred, centred), axes)
    return _divided(steps, centred, variance)


def _divided(steps: Steps, centred: str, variance: str) -> str:
    epsilon = steps.constant(steps.attribute("epsilon", 1e-5))
    return steps.add("Div", centred, steps.add("Sqrt", steps.add("Add", variance, epsilon)))


def _scaled(steps: Steps, source: str, scale: str, bias: str) -> None:
    output = steps.node.outputs[0]
    if not bias:
        steps.write(output, "Mul", source, scale)
    else:
        steps.write(output, "Add", steps.add("Mul", source, scale), bias)


def softplus(steps: Steps) -> None:
    """``log(1 + exp(x))``."""
    _softplus(steps, steps.node.outputs[0])


def mish(steps: Steps) -> None:
    """``x * tanh(log(1 + exp(x)))``."""
    bounded = steps.add("Tanh", _softplus(steps, f"{steps.prefix}/softplus"))
    steps.write(steps.node.outputs[0], "Mul", steps.input(0), bounded)


def _softplus(steps: Steps, output: str) -> str:
    """Write ``max(x, 0) + log(1 + exp(-|x|))``."""
    source = steps.input(0)
    small = steps.add("Exp", steps.add("Neg", steps.add("Abs", source)))
    correction = steps.add("Log", steps.add("Add", small, steps.constant(1.0)))
    return steps.write(output, "Add", steps.add("Relu", source), correction)


def selu(steps: Steps) -> None:
    """``gamma * x`` above 0, ``gamma * alpha * (exp(x) - 1)`` below."""
    alpha = steps.attribute("alpha", SELU_ALPHA)
    gamma = steps.constant(steps.attribute("gamma", SELU_GAMMA))
    steps.write(steps.node.outputs[0], "Mul", _two_branches(steps, alpha, 1.0), gamma)


def celu(steps: Steps) -> None:
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` below."""
    alpha = float(steps.attribute("alpha", 1.0))
    _two_branches(steps, alpha, alpha, steps.node.outputs[0])


def elu(steps: Steps) -> None:
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below; the operator has alpha 1."""
    alpha = float(steps.attribute("alpha", 1.0))
    if alpha != 1.0:
        _two_branches(steps, alpha, 1.0, steps.node.outputs[0])


def _two_branches(steps: Steps, alpha: float, divisor: float, output: str = "") -> str:
    """Write ``max(x, 0) + alpha * elu(min(x, 0) / divisor)``."""
    source = steps.input(0)
    below = steps.add("Min", source, steps.constant(0.0))
    if divisor != 1.0:
        below = steps.add("Mul", below, steps.constant(1.0 / divisor))
    curve = steps.add("Mul", steps.add("Elu", below), steps.constant(alpha))
    above = steps.add("Relu", source)
    return steps.write(output or f"{steps.prefix}/branches", "Add", above, curve)


def log_softmax(steps: Steps) -> None:
    """``x - max(x) - log(sum(exp(x - max(x))))``."""
    axes = [int(steps.attribute("axis", -1)) % len(steps.shapes[0])]
    source = steps.input(0)
    shifted = steps.add("Sub", source, steps.reduce("ReduceMax", source, axes))
    total = steps.reduce("ReduceSum", steps.add("Exp", shifted), axes)
    steps.write(steps.node.outputs[0], "Sub", shifted, steps.add("Log", total))


def softsign(steps: Steps) -> None:
    """``x / (1 + |x|)``."""
    source = steps.input(0)
    total = steps.add("Add", steps.add("Abs", source), steps.constant(1.0))
    steps.write(steps.node.outputs[0], "Div", source, total)


def thresholded_relu(steps: Steps) -> None:
    """``x`` above alpha, else 0."""
    source = steps.input(0)
    above = steps.add("Greater", source, steps.constant(steps.attribute("alpha", 1.0)))
    steps.write(steps.node.outputs[0], "Where", above, source, steps.constant(0.0))


def shrink(steps: Steps) -> None:
    """``x + bias`` below ``-lambd``, ``x - bias`` above ``lambd``, 0 between."""
    source, limit = steps.input(0), float(steps.attribute("lambd", 0.5))
    bias, zero = steps.constant(steps.attribute("bias", 0.0)), steps.constant(0.0)
    above = steps.add("Greater", source, steps.constant(limit))
    below = steps.add("Less", source, steps.constant(-limit))
    upper = steps.add("Where", above, steps.add("Sub", source, bias), zero)
    lower = steps.add("Add", source, bias)
    steps.write(steps.node.outputs[0], "Where", below, lower, upper)


def sum_of_squares(steps: Steps) -> None:
    """The sum of ``x * x``; its root for ReduceL2."""
    node, source = steps.node, steps.input(0)
    square = steps.add("Mul", source, source)
    total = node.outputs[0] if node.op_type == "ReduceSumSquare" else f"{steps.prefix}/total"
    steps.write(total, "ReduceSum", square, *_axes(steps), **_without_axes(steps))
    if node.op_type == "ReduceL2":
        steps.write(node.outputs[0], "Sqrt", total)


def _axes(steps: Steps) -> tuple[str, ...]:
    """Axes as an input, which of ReduceSum alone they are since opset 13."""
    if steps.input(1):
        return (steps.input(1),)
    axes = steps.attribute("axes", ())
    return (steps.constant(axes, np.int64),) if axes else ()


def _without_axes(steps: Steps) -> dict[str, Any]:
    return {name: value for name, value in steps.node.attributes.items() if name != "axes"}


def power(steps: Steps) -> None:
    """Third and fourth powers as products; all others are the operators' affair."""
    exponent = steps.known.get(steps.input(1))
    if exponent is None or exponent.size != 1 or float(exponent.reshape(-1)[0]) not in POWERS:
        return
    source = steps.input(0)
    square = steps.add("Mul", source, source)
    other = source if float(exponent.reshape(-1)[0]) == POWERS[0] else square
    steps.write(steps.node.outputs[0], "Mul", square, other)


def silu(steps: Steps) -> None:
    """``x / (1 + exp(-alpha * x))``."""
    source, alpha = steps.input(0), float(steps.attribute("alpha", 1.0))
    inner = source if alpha == 1.0 else steps.add("Mul", source, steps.constant(alpha))
    steps.write(steps.node.outputs[0], "Mul", source, steps.add("Sigmoid", inner))
