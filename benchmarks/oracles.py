"""Prints how far apart named oracles and roundings are, as Markdown.

    python benchmarks/oracles.py [MODEL.tflite DATA.npz]

All is counted against the reference kernels of tflite-runtime or, where it is not installed, of
TFLite Micro: single layers with random weights, scales and zero points, then three ways to compute
MEAN, then every activation of MODEL over the samples.
"""

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyml.data.dataset import quantize_samples, read_dataset
from tinyml.device.run import run_on_device
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.numerics.fixed_point import quantize_multiplier, requantize
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.mean import Mean, mean_multiplier
from tinyml.passes.orders import prepare_for_device
from tinyml.pipeline import build_model
from tinyml.runtime.tflite import (
    LITERT_REFERENCE,
    Runtime,
    optimized,
    reference_runtime,
    run_tflite,
)

SEED = 20240119
LAYERS = 200
SAMPLES = 16
DEVIATION = 74  # of a uniform int8 from its mean
# What an interpreter uses where nothing is asked for: XNNPACK on x86.
DEFAULT_KERNELS = replace(LITERT_REFERENCE, resolver="AUTO")
# What most operators are held to, and which has the bytes of all that are drawn here.
REFERENCE = reference_runtime()
OTHERS = tuple(
    dict.fromkeys(
        (
            LITERT_REFERENCE,
            optimized(REFERENCE),
            optimized(LITERT_REFERENCE),
            DEFAULT_KERNELS,
        )
    )
)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("data", nargs="?", type=Path)
    options = parser.parse_args()
    print(f"{LAYERS} random layers, {SAMPLES} samples each, against {REFERENCE.label}\n")
    _print_head("operator", "computed by")
    for operator, draw in (("FULLY_CONNECTED", _fully_connected), ("CONV_2D", _conv_2d)):
        for name, difference in _layer_differences(*_drawn(draw)):
            _print_row(operator, name, difference)
    print()
    _print_head("operator", "computed as")
    for name, difference in _mean_differences(*_drawn(_mean)):
        _print_row("MEAN", name, difference)
    if options.model and options.data:
        print(f"\nActivations of {options.model}, against {REFERENCE.label}\n")
        _print_head("computed by", "activation")
        for runtime in OTHERS:
            _print_activations(options.model, options.data, runtime)


def _print_head(*columns: str) -> None:
    print(f"| {' | '.join(columns)} | bytes that differ | of | largest difference |")
    print("|---|---|--:|--:|--:|")


def _print_row(first: str, second: str, difference: Array) -> None:
    numbers = np.count_nonzero(difference), difference.size, difference.max()
    print(f"| {first} | {second} | {' | '.join(f'{int(n):,}' for n in numbers)} |")


def _difference(one: Sequence[Array], other: Sequence[Array]) -> Array:
    pairs = zip(one, other, strict=True)
    return np.concatenate([np.abs(a.astype(int) - b.astype(int)).reshape(-1) for a, b in pairs])


# --------------------------------------------------------------------------- random layers


def _drawn(draw: Callable[[np.random.Generator, str], Graph]) -> tuple[Graph, list[Array]]:
    """LAYERS graphs of one operator side by side in one, and int8 samples of each input."""
    rng = np.random.default_rng(SEED)
    parts = [draw(rng, f"layer_{number}") for number in range(LAYERS)]
    graph = Graph(
        name="layers",
        tensors={name: tensor for part in parts for name, tensor in part.tensors.items()},
        ops=tuple(op for part in parts for op in part.ops),
        inputs=tuple(name for part in parts for name in part.inputs),
        outputs=tuple(name for part in parts for name in part.outputs),
    )
    verify_quantized(graph)
    shapes = [(SAMPLES, *graph.tensor(name).shape) for name in graph.inputs]
    return graph, [rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes]


def _fully_connected(rng: np.random.Generator, name: str) -> Graph:
    features, depth = int(rng.integers(1, 65)), int(rng.integers(8, 513))
    tensors, quant = _weighted(rng, name, (1, depth), (features, depth), channels=1)
    op = FullyConnected(
        name=name,
        inputs=tuple(tensor.name for tensor in tensors),
        outputs=(name,),
        keep_num_dims=False,
        activation=Activation.NONE,
    )
    return _layer(op, tensors, quant)


def _conv_2d(rng: np.random.Generator, name: str) -> Graph:
    features, depth = int(rng.integers(2, 33)), int(rng.integers(1, 33))
    filters = (features, 3, 3, depth)
    tensors, quant = _weighted(rng, name, (1, 4, 4, depth), filters, channels=features)
    op = Conv2D(
        name=name,
        inputs=tuple(tensor.name for tensor in tensors),
        outputs=(name,),
        stride=(1, 1),
        dilation=(1, 1),
        padding=Padding.SAME,
        activation=Activation.NONE,
    )
    return _layer(op, tensors, quant)


def _mean(rng: np.random.Generator, name: str) -> Graph:
    size, channels = int(rng.integers(2, 17)), int(rng.integers(1, 33))
    source = Tensor(f"{name}/source", (1, size, size, channels), DType.INT8, _quant(rng, 0.02))
    op = Mean(name=name, inputs=(source.name,), outputs=(name,), axes=(1, 2), keep_dims=False)
    return _layer(op, (source,), _quant(rng, 0.01))


def _weighted(
    rng: np.random.Generator, name: str, shape: Shape, filters: Shape, *, channels: int
) -> tuple[tuple[Tensor, Tensor, Tensor], QuantParams]:
    """Input, weights and bias, and output parameters that use most of the int8 range."""
    source = Tensor(f"{name}/source", shape, DType.INT8, _quant(rng, 0.02))
    axis = 0 if channels > 1 else None
    scales = tuple(rng.uniform(0.002, 0.01, channels).astype(np.float32).tolist())
    data = rng.integers(-127, 128, filters).astype(np.int8)
    quant = QuantParams(scales, (0,) * channels, axis)
    weights = Tensor(f"{name}/weights", filters, DType.INT8, quant, data)
    bias_quant = QuantParams(tuple(source.scale * s for s in scales), (0,) * channels, axis)
    bias_data = rng.integers(-5000, 5000, filters[0]).astype(np.int32)
    bias = Tensor(f"{name}/bias", filters[:1], DType.INT32, bias_quant, bias_data)
    deviation = DEVIATION**2 * math.prod(filters[1:]) ** 0.5 * source.scale * np.mean(scales)
    output = QuantParams.per_tensor(float(deviation) / 50, int(rng.integers(-20, 21)))
    return (source, weights, bias), output


def _quant(rng: np.random.Generator, scale: float) -> QuantParams:
    return QuantParams.per_tensor(scale * float(rng.uniform(1, 3)), int(rng.integers(-128, 128)))


def _layer(op: Operator, tensors: Sequence[Tensor], quant: QuantParams) -> Graph:
    inputs = op.inputs[:1]
    by_name = {tensor.name: tensor for tensor in tensors}
    (spec,) = op.infer(Graph(op.name, by_name, (), inputs, ()))
    by_name[op.name] = Tensor(op.name, spec.shape, spec.dtype, quant)
    return Graph(op.name, by_name, (op,), inputs, op.outputs)


# --------------------------------------------------------------------------- the comparisons


def _layer_differences(graph: Graph, samples: list[Array]) -> Iterator[tuple[str, Array]]:
    model = write_tflite(graph)
    expected = run_tflite(model, samples, REFERENCE)
    litert = run_tflite(model, samples, LITERT_REFERENCE)
    double, single = (_on_host(graph, samples, single_rounding=s) for s in (False, True))
    yield LITERT_REFERENCE.label, _difference(litert, expected)
    yield "CMSIS-NN, double rounding", _difference(double, expected)
    yield "CMSIS-NN, single rounding", _difference(single, expected)
    yield (
        f"CMSIS-NN, single rounding, against {LITERT_REFERENCE.label}",
        _difference(single, litert),
    )


def _on_host(graph: Graph, samples: list[Array], *, single_rounding: bool) -> list[Array]:
    board = load_board("host")
    with tempfile.TemporaryDirectory() as folder:
        build = build_model(graph, board, Path(folder), single_rounding=single_rounding)
        return run_on_device(graph, build, samples, jobs=1).outputs


Rule = Callable[[Tensor, Tensor, Array], Array]


def _mean_differences(graph: Graph, samples: list[Array]) -> Iterator[tuple[str, Array]]:
    expected = run_tflite(write_tflite(graph), samples, REFERENCE)
    rules: dict[str, Rule] = {
        "the multiplier, shifted left, divided by the count": _divided_multiplier,
        "the multiplier of input scale / (output scale x count)": _exact_multiplier,
        "the sum divided by the count and rounded, then requantized": _divided_sum,
    }
    for name, rule in rules.items():
        outputs = [
            _mean_by(rule, graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0]), x)
            for op, x in zip(graph.ops, samples, strict=True)
        ]
        yield name, _difference(outputs, expected)


def _mean_by(rule: Rule, source: Tensor, output: Tensor, samples: Array) -> Array:
    sums = (samples.astype(np.int64) - source.zero_point).sum(axis=(2, 3))
    return np.asarray(np.clip(rule(source, output, sums) + output.zero_point, -128, 127))


def _divided_multiplier(source: Tensor, output: Tensor, sums: Array) -> Array:
    multiplier, shift, _ = mean_multiplier(source, output)
    return requantize(sums, multiplier, shift)


def _exact_multiplier(source: Tensor, output: Tensor, sums: Array) -> Array:
    count = source.size // output.size
    return requantize(sums, *quantize_multiplier(source.scale / (output.scale * count)))


def _divided_sum(source: Tensor, output: Tensor, sums: Array) -> Array:
    count = source.size // output.size
    means = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
    return requantize(means, *quantize_multiplier(source.scale / output.scale))


def _print_activations(path: Path, data: Path, runtime: Runtime) -> None:
    """One row for each activation that differs, or one that says that none does."""
    graph = prepare_for_device(load_quantized(path))
    inputs = [graph.tensor(name) for name in graph.inputs]
    samples = quantize_samples(read_dataset(data, inputs).samples, inputs)
    names = [output for op in graph.ops for output in op.outputs]
    model = write_tflite(replace(graph, outputs=tuple(names)))
    expected = run_tflite(model, samples, REFERENCE)
    outputs = run_tflite(model, samples, runtime)
    for name, one, other in zip(names, outputs, expected, strict=True):
        difference = _difference([one], [other])
        if difference.any():
            _print_row(runtime.label, f"`{name}`", difference)
    if not _difference(outputs, expected).any():
        _print_row(runtime.label, "all", _difference(outputs, expected))


if __name__ == "__main__":
    main()
