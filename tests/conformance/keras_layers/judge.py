"""A converted setting quantized, run by the reference and on boards, and held to Keras' answers."""

import json
import math
import re
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from networks_image import outputs_on

from tinyml.cli.quantize import command as quantize_command
from tinyml.data.dataset import quantize_samples, read_dataset
from tinyml.errors import TinymlError
from tinyml.evaluate.oracle import Oracles
from tinyml.firmware.boards import load_board
from tinyml.frontend.load import load_model
from tinyml.ir.graph import Array, Graph
from tinyml.numerics.affine import dequantize
from tinyml.passes.orders import prepare_for_device
from tinyml.pipeline import generate_model

# Networks of one image; all of them would not fit the smaller boards' flash.
IMAGE_NETWORKS = 60


@dataclass(frozen=True)
class Outcome:
    """What became of a setting; ``decibels`` are those of its worst output, infinite if exact.

    ``refusal`` is the sentence that refuses it. ``fault`` is what may not happen.
    """

    name: str
    refusal: str = ""
    fault: str = ""
    decibels: float | None = None


@dataclass(frozen=True)
class Network:
    """A quantized setting as the device gets it, its samples, and what the reference answers.

    ``off`` is how many steps the reference may be wrong by: 0 where a runtime has the right bytes.
    """

    name: str
    graph: Graph
    samples: list[Array]
    expected: list[Array]
    floats: list[Array]
    off: int


def prepared(name: str, stem: Path) -> Network | Outcome:
    """Quantize with the command and run the reference; the outcome of what is refused."""
    converted = stem.with_suffix(".tflite")
    if not converted.exists():
        return _not_converted(name, stem)
    try:
        return _network(name, stem, converted)
    except TinymlError as error:
        return Outcome(name, refusal=sentence(str(error), stem))
    except Exception:  # that is what the sweep looks for
        return Outcome(name, fault=traceback.format_exc(limit=-4))


def _not_converted(name: str, stem: Path) -> Outcome:
    report = stem.with_suffix(".json")
    if not report.exists():
        return Outcome(name, fault="the process that converts it ended without a word")
    error = json.loads(report.read_text(encoding="utf-8"))
    if error["error"] == "Keras":
        return Outcome(name, fault=f"Keras does not take the setting: {error['message']}")
    return Outcome(name, refusal=sentence(error["message"], stem))


def _network(name: str, stem: Path, converted: Path) -> Network:
    quantized = stem.with_suffix(".int8.tflite")
    calibration = stem.with_suffix(".calibration.npz")
    arguments = [str(converted), "--data", str(calibration), "-o", str(quantized)]
    with click.Context(quantize_command):
        quantize_command.main(arguments, standalone_mode=False)
    graph = prepare_for_device(load_model(quantized))
    generate_model(graph, load_board("host"))
    inputs = [graph.tensor(name) for name in graph.inputs]
    data = read_dataset(stem.with_suffix(".test.npz"), inputs)
    samples = quantize_samples(data.samples, inputs)
    oracles = Oracles(graph)
    with np.load(stem.with_suffix(".keras.npz")) as answers:
        floats = [answers[key] for key in answers.files]
    off = max(oracles.errors.values(), default=0)
    return Network(name, graph, samples, oracles.run(samples), floats, off)


def sentence(message: str, stem: Path) -> str:
    """The refusal without the names of this run's files."""
    for own in (f"{stem}.tflite", f"{stem}.keras"):
        message = message.replace(f"{own}: ", "").replace(own, "the model")
    return re.sub(r"\s*\n\s*", "; ", message.strip()).replace(":; ", ": ")


def outcomes(networks: Sequence[Network], board_name: str) -> Iterator[Outcome]:
    """Hold the board's bytes to the reference's, and what they mean to Keras' numbers."""
    for start in range(0, len(networks), IMAGE_NETWORKS):
        part = networks[start : start + IMAGE_NETWORKS]
        with tempfile.TemporaryDirectory() as folder:
            answers = outputs_on(
                load_board(board_name),
                [network.graph for network in part],
                [network.samples for network in part],
                Path(folder) / "firmware",
            )
        for network, rows in zip(part, answers, strict=True):
            yield _outcome(network, rows, board_name)


def _outcome(network: Network, rows: Array, board_name: str) -> Outcome:
    got = _arrays(network.graph, rows)
    worst = max(map(_largest_difference, got, network.expected), default=0)
    outcome = Outcome(network.name, decibels=_decibels_of(network, got))
    if worst > network.off:
        what = f"{board_name} differs from the reference by up to {worst} steps"
        return replace(outcome, fault=f"{what}, expected at most {network.off}")
    return outcome


def _arrays(graph: Graph, rows: Array) -> list[Array]:
    """The outputs in one row of bytes a sample."""
    arrays, start = [], 0
    for name in graph.outputs:
        tensor = graph.tensor(name)
        column = np.ascontiguousarray(rows[:, start : start + tensor.nbytes])
        arrays.append(column.view(tensor.dtype.numpy).reshape(len(rows), *tensor.shape))
        start += tensor.nbytes
    return arrays


def _largest_difference(got: Array, expected: Array) -> int:
    return int(np.abs(got.astype(np.int64) - expected.astype(np.int64)).max(initial=0))


def _decibels_of(network: Network, got: Sequence[Array]) -> float:
    tensors = [network.graph.tensor(name) for name in network.graph.outputs]
    real = [
        array if tensor.quant is None else dequantize(array, tensor.quant)
        for array, tensor in zip(got, tensors, strict=True)
    ]
    return min(decibels(y, x) for y, x in zip(network.floats, real, strict=True))


def decibels(expected: Array, got: Array) -> float:
    """Power of what was expected to that of the error; infinite where there is none."""
    signal = expected.astype(np.float64).reshape(-1)
    error = got.astype(np.float64).reshape(-1) - signal
    if not error.any():
        return math.inf
    return 10 * math.log10(max(float(signal @ signal), 1e-30) / float(error @ error))
