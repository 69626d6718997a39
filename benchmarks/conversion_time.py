"""Prints how long models of 1 to 8 MB of weights take from a .tflite file to C, as Markdown.

    python benchmarks/conversion_time.py

The models are four convolutions over an image of 8x8 pixels, as wide as the weights ask. Times are
the least of three runs, on one core.
"""

import time
from itertools import pairwise

import numpy as np

from tinyml.codegen.c_source import generate_c
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.target import Target
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.passes.orders import prepare_for_device
from tinyml.plan.plan import make_plan

MEGABYTES = (1, 2, 4, 8)
LAYERS = 4
SIZE = 3
RUNS = 3


def main() -> None:
    """Print one row per size."""
    print("| weights | file to graph | graph to C | whole | a MB |")
    print("|--:|--:|--:|--:|--:|")
    for megabytes in MEGABYTES:
        data = write_tflite(_model(megabytes * 10**6))
        runs = [_timed(data) for _ in range(RUNS)]
        reading, writing = (min(times) for times in zip(*runs, strict=True))
        times = reading, writing, reading + writing, (reading + writing) / megabytes
        print(f"| {megabytes} MB | {' | '.join(f'{seconds:.2f} s' for seconds in times)} |")


def _timed(data: bytes) -> tuple[float, float]:
    """Seconds to a graph that is ready for the device, and from there to C."""
    started = time.perf_counter()
    graph = prepare_for_device(read_tflite(data, "model"))
    read = time.perf_counter()
    generate_c(make_plan(graph, Target(cmsis_nn=5)), "model")
    return read - started, time.perf_counter() - read


def _model(weight_bytes: int) -> Graph:
    channels = round((weight_bytes / LAYERS / SIZE**2) ** 0.5)
    names = [f"activation_{number}" for number in range(LAYERS + 1)]
    quant = QuantParams.per_tensor(0.05, 3)
    tensors = {name: Tensor(name, (1, 8, 8, channels), DType.INT8, quant) for name in names}
    ops = []
    for source, output in pairwise(names):
        filters = _filters(f"{output}/weights", channels)
        tensors[filters.name] = filters
        ops.append(
            Conv2D(
                name=output,
                inputs=(source, filters.name),
                outputs=(output,),
                stride=(1, 1),
                dilation=(1, 1),
                padding=Padding.SAME,
                activation=Activation.RELU,
            )
        )
    return Graph("model", tensors, tuple(ops), (names[0],), (names[-1],))


def _filters(name: str, channels: int) -> Tensor:
    shape = (channels, SIZE, SIZE, channels)
    quant = QuantParams((0.004,) * channels, (0,) * channels, 0)
    data = np.random.default_rng(channels).integers(-127, 128, shape).astype(np.int8)
    return Tensor(name, shape, DType.INT8, quant, data)


if __name__ == "__main__":
    main()
