"""Prints in which precision the reference kernels make their multipliers, as Markdown.

    python benchmarks/multipliers.py

Scales are drawn so that some int8 input lands next to a half after rescaling, and kept where a
multiplier made in float32 and one made in double round it to different sides. Every layer has one
weight, of value 1, or none. The columns count the bytes that differ from the reference under
either precision: the one that is 0 is the reference's.
"""

from collections.abc import Callable, Iterator

import numpy as np

from tinyml.evaluate.oracle import run_reference
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, Tensor
from tinyml.numerics.fixed_point import quantize_multiplier, requantize
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.mean import Mean
from tinyml.ops.quantize import Quantize
from tinyml.ops.relu import Relu

SEED = 20240119
LAYERS = 100
ALL_INT8 = np.arange(-128, 128, dtype=np.int8)

# Scales of input, weights and output, then zero points of input and output.
Scales = tuple[np.float32, np.float32, np.float32, int, int]


def main() -> None:
    """Print one row per operator."""
    print(f"{LAYERS} layers of 256 bytes each, against the reference of each operator\n")
    print("| operator | float32 | double |")
    print("|---|--:|--:|")
    for name, (make, shape, weights) in OPERATORS.items():
        counts = _count(make, shape, weights)
        print(f"| {name} | {counts[0]:,} | {counts[1]:,} |")


def _count(make: Callable[[str], Operator], shape: Shape, weights: Shape) -> list[int]:
    """Bytes that differ from the reference with multipliers made in float32, and in double."""
    drawn = list(_drawn(make("layer"), has_weights=bool(weights)))
    expected = _reference(drawn, make, shape, weights)
    return [
        sum(
            int((_rescaled(op, scales, wide=wide) != output.reshape(-1)).sum())
            for (op, scales), output in zip(drawn, expected, strict=True)
        )
        for wide in (False, True)
    ]


def _drawn(op: Operator, *, has_weights: bool) -> Iterator[tuple[Operator, Scales]]:
    rng = np.random.default_rng(SEED)
    found = 0
    while found < LAYERS:
        source = np.float32(rng.uniform(0.01, 1))
        weight = np.float32(rng.uniform(0.001, 0.01) if has_weights else 1)
        half = (rng.integers(0, 120) + 0.5) / rng.integers(1, 256)
        output = np.float32(float(source) * float(weight) / half)
        zero_points = int(rng.integers(-128, 128)), int(rng.integers(-60, 61))
        scales = (source, weight, output, *zero_points)
        if (_rescaled(op, scales, wide=True) != _rescaled(op, scales, wide=False)).any():
            found += 1
            yield op, scales


def _rescaled(op: Operator, scales: Scales, *, wide: bool) -> Array:
    """All int8 inputs rescaled; with weights it is their product that is wide or not."""
    source, weight, output, source_zero, output_zero = scales
    real = float(source * weight) / float(output)
    if weight == 1:
        real = float(source / output)
    if wide:
        real = float(source) * float(weight) / float(output)
    moved = requantize(ALL_INT8.astype(np.int64) - source_zero, *quantize_multiplier(real))
    low = output_zero if isinstance(op, Relu) else -128
    return np.asarray(np.clip(moved + output_zero, low, 127), np.int8)


def _reference(
    drawn: list[tuple[Operator, Scales]],
    make: Callable[[str], Operator],
    shape: Shape,
    weights: Shape,
) -> list[Array]:
    """What the reference kernels answer, all layers side by side in one model."""
    tensors: dict[str, Tensor] = {}
    ops = [make(f"layer_{number}") for number in range(len(drawn))]
    for op, (_, scales) in zip(ops, drawn, strict=True):
        tensors |= {tensor.name: tensor for tensor in _tensors(op, scales, shape, weights)}
    inputs = tuple(op.inputs[0] for op in ops)
    graph = Graph("layers", tensors, tuple(ops), inputs, tuple(op.outputs[0] for op in ops))
    samples = [ALL_INT8.reshape(1, *shape)] * len(ops)
    return run_reference(graph.pruned(), samples)


def _tensors(op: Operator, scales: Scales, shape: Shape, weights: Shape) -> Iterator[Tensor]:
    source, weight, output, source_zero, output_zero = scales
    quant = QuantParams.per_tensor(float(source), source_zero)
    tensor = Tensor(op.inputs[0], shape, DType.INT8, quant)
    yield tensor
    if weights:
        one = np.ones(weights, np.int8)
        quant = QuantParams.per_tensor(float(weight), 0)
        yield Tensor(op.inputs[1], weights, DType.INT8, quant, one)
        quant = QuantParams.per_tensor(float(source) * float(weight), 0)
        yield Tensor(op.inputs[2], (1,), DType.INT32, quant, np.zeros(1, np.int32))
    out_shape = shape[:1] if isinstance(op, Mean) else shape
    quant = QuantParams.per_tensor(float(output), output_zero)
    yield Tensor(op.outputs[0], out_shape, DType.INT8, quant)


def _names(name: str, count: int) -> dict[str, tuple[str, ...]]:
    return {
        "inputs": tuple(f"{name}/input_{index}" for index in range(count)),
        "outputs": (name,),
    }


def _fully_connected(name: str) -> Operator:
    plain = Activation.NONE
    return FullyConnected(name=name, keep_num_dims=False, activation=plain, **_names(name, 3))


def _conv_2d(name: str) -> Operator:
    return Conv2D(
        name=name,
        stride=(1, 1),
        dilation=(1, 1),
        padding=Padding.VALID,
        activation=Activation.NONE,
        **_names(name, 3),
    )


def _mean(name: str) -> Operator:
    return Mean(name=name, axes=(1,), keep_dims=False, **_names(name, 1))


def _quantize(name: str) -> Operator:
    return Quantize(name=name, **_names(name, 1))


def _relu(name: str) -> Operator:
    return Relu(name=name, activation=Activation.RELU, **_names(name, 1))


# How to make one, the shape of its input, and that of its weights.
OPERATORS: dict[str, tuple[Callable[[str], Operator], Shape, Shape]] = {
    "CONV_2D": (_conv_2d, (1, 1, 256, 1), (1, 1, 1, 1)),
    "FULLY_CONNECTED": (_fully_connected, (256, 1), (1, 1)),
    "MEAN": (_mean, (256, 1), ()),
    "QUANTIZE": (_quantize, (256,), ()),
    "RELU": (_relu, (256,), ()),
}


if __name__ == "__main__":
    main()
