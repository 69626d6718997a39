"""Prints what quantization costs and what brings it back: the tables of docs/quantization.md.

    python benchmarks/quantization.py [--folder FOLDER] [--table NAME ...]

Two small networks are trained first where FOLDER has none. Every accuracy is that of the int8
reference on the samples held out; training is seeded. ``others`` installs ai-edge-quantizer into an
environment of its own below FOLDER.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from mlperf_models import FOLDER as MLPERF
from mlperf_models import MODELS, int8_model, run_python
from quantization_networks import NAMES, with_channels_apart

from tinyml.data.dataset import (
    Dataset,
    float_samples,
    inputs_of,
    quantize_samples,
    read_dataset,
)
from tinyml.data.metrics import Metric, score
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.export.tflite import write_tflite
from tinyml.frontend.load import load_model
from tinyml.ir.graph import Array, Graph
from tinyml.numerics.affine import dequantize
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.recipe import Recipe, calibrate_by
from tinyml.quantize.scheme import Scheme
from tinyml.train.finetune import Tuning
from tinyml.train.quantize_aware import quantize_aware

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "build" / "quantization"
CALIBRATION = 200
TUNING = Tuning(epochs=8, learning_rate=5e-4, batch_size=64, patience=8)
PER_TENSOR, PER_CHANNEL = Scheme(per_channel=False), Scheme()

# Top-1 of ImageNet in arXiv 1806.08342: table 2 (post-training), 4 (training), 5 and 7 (4 bits).
PAPER = {
    "float": ("70.9", "75.2"),
    "post-training, per tensor": ("0.1", "75.0"),
    "post-training, per channel": ("59.1", "75.1"),
    "trained, per tensor": ("70.0", "75.0"),
    "trained, per channel": ("70.7", "75.0"),
    "post-training, per tensor, 4 bits": ("2.0", "0.2"),
    "post-training, per channel, 4 bits": ("0.1", "54.0"),
    "trained, per channel, 4 bits": ("65.0", "73.2"),
}


@dataclass(frozen=True)
class Subject:
    """A float graph, what it is calibrated and trained on, and what it is judged by."""

    graph: Graph
    training: Dataset
    test: Dataset

    @cached_property
    def calibration(self) -> list[Array]:
        """The first of the training samples."""
        return [array[:CALIBRATION] for array in self.training.samples]

    @cached_property
    def float_score(self) -> float:
        """Of the float graph, in [0, 1]."""
        samples = float_samples(self.test.samples, inputs_of(self.graph))
        return self._score(run_float(self.graph, samples)[0])

    def score(self, quantized: Graph) -> float:
        """Of the int8 reference, in [0, 1]."""
        prepared = prepare_for_device(quantized)
        samples = quantize_samples(self.test.samples, inputs_of(prepared))
        outputs = run_reference(prepared, samples)[0]
        return self._score(dequantize(outputs, prepared.tensor(prepared.outputs[0]).per_tensor))

    def _score(self, outputs: Array) -> float:
        return score(
            Metric(self.test.metric), self.test.samples[0], outputs, np.asarray(self.test.labels)
        )

    def post_training(self, scheme: Scheme, *methods: str) -> float:
        """Of the graph quantized after training, with these methods."""
        recipe = Recipe(scheme=scheme, methods=methods)
        found = calibrate_by(recipe, self.graph, self.calibration)
        return self.score(quantize_graph(found.graph, found.table, scheme))

    def trained(self, scheme: Scheme, ranges: str = "moving-average", **tuning: Any) -> float:
        """Of the graph that was trained with the integers in sight."""
        table = calibrate(self.graph, self.calibration)
        chosen = replace(TUNING, **tuning)
        result = quantize_aware(self.graph, self.training, table, scheme, chosen, ranges=ranges)
        return self.score(result.graph)


def main() -> int:
    """Print the tables asked for."""
    options = _parse()
    for name in options.table or TABLES:
        print(f"\n## {name}\n", flush=True)
        for line in TABLES[name](options.folder):
            print(line, flush=True)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--table", action="append", choices=TABLES)
    return parser.parse_args()


def _network(folder: Path, name: str) -> Subject:
    if not (folder / "data.npz").exists():
        run_python(REPOSITORY / "benchmarks" / "quantization_networks.py", folder)
    with np.load(folder / "data.npz") as data:
        training, test = (Dataset(data[x], data[y]) for x, y in (("x", "y"), ("xt", "yt")))
    return Subject(load_model(folder / f"{name}.keras"), training, test)


def interval(share: float, count: int) -> str:
    """95 % confidence interval of an accuracy (Wilson, 1927), in percent."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return f"{100 * (middle - half):.1f} to {100 * (middle + half):.1f}"


def whitepaper(folder: Path) -> Iterator[str]:
    """The whitepaper's tables for two networks of ours."""
    four, four_per_tensor = Scheme(weight_bits=4), Scheme(per_channel=False, weight_bits=4)
    rows: dict[str, Callable[[Subject], float]] = {
        "float": lambda s: s.float_score,
        "post-training, per tensor": lambda s: s.post_training(PER_TENSOR),
        "post-training, per channel": lambda s: s.post_training(PER_CHANNEL),
        "trained, per tensor": lambda s: s.trained(PER_TENSOR),
        "trained, per channel": lambda s: s.trained(PER_CHANNEL),
        "post-training, per tensor, 4 bits": lambda s: s.post_training(four_per_tensor),
        "post-training, per channel, 4 bits": lambda s: s.post_training(four),
        "AdaRound, per channel, 4 bits": lambda s: s.post_training(four, "adaround"),
        "trained, per tensor, 4 bits": lambda s: s.trained(four_per_tensor, "learned"),
        "trained, per channel, 4 bits": lambda s: s.trained(four, "learned"),
    }
    subjects = [_network(folder, name) for name in NAMES]
    count = len(subjects[0].test)
    yield f"{count:,} samples held out; in brackets the 95 % confidence interval.\n"
    yield "| weights | mobilenet | paper: MobileNet-v1 | resnet | paper: ResNet-v1-50 |"
    yield "|---|---|--:|---|--:|"
    for name, measure in rows.items():
        found = [measure(subject) for subject in subjects]
        cells = [f"{value:.1%} ({interval(value, count)})" for value in found]
        paper = [f"{value} %" for value in PAPER[name]] if name in PAPER else ["-", "-"]
        yield f"| {name} | {cells[0]} | {paper[0]} | {cells[1]} | {paper[1]} |"


def apart(folder: Path) -> Iterator[str]:
    """A depthwise-separable network whose channels are scaled apart, with one scale a tensor."""
    subject = _network(folder, "mobilenet")
    scaled = replace(subject, graph=with_channels_apart(subject.graph))
    yield "| mobilenet, channels scaled apart | accuracy |"
    yield "|---|--:|"
    rows: dict[str, Callable[[], float]] = {
        "float": lambda: scaled.float_score,
        "per channel": lambda: scaled.post_training(PER_CHANNEL),
        "per tensor": lambda: scaled.post_training(PER_TENSOR),
        "per tensor, equalized": lambda: scaled.post_training(PER_TENSOR, "equalize"),
        "per tensor, equalized, biases corrected": lambda: scaled.post_training(
            PER_TENSOR, "equalize", "bias-correction"
        ),
        "per tensor, trained with learned thresholds": lambda: scaled.trained(
            PER_TENSOR, "learned", learning_rate=1e-3, epochs=16
        ),
    }
    for name, measure in rows.items():
        yield f"| {name} | {measure():.1%} |"


def _model(name: str) -> Subject:
    """A model of models/, trained as ``tinyml train`` does, with all of its own training data."""
    from tinyml.train import loop

    trained = int8_model(name, MLPERF, trained=True)
    graph = load_model(trained.with_suffix(".keras"))
    test = read_dataset(trained.with_suffix(".test.npz"), graph)
    module = loop._load_module(loop.find_model(name))  # noqa: SLF001  # as the loop reads it
    (x, y), _ = module.load_data()
    labels = y if test.metric == Metric.ACCURACY.value else None
    return Subject(graph, Dataset(np.asarray(x), labels), test)


def models(folder: Path) -> Iterator[str]:
    """What post-training quantization and training lose on every model of models/."""
    del folder
    yield "| model | test samples | metric | float | post-training | trained | lost, in points |"
    yield "|---|--:|---|--:|--:|--:|--:|"
    for name in ("digits", *MODELS):
        subject = _model(name)
        tuned = {"learning_rate": 1e-4, "epochs": 4}
        found = (
            subject.float_score,
            subject.post_training(PER_CHANNEL),
            subject.trained(PER_CHANNEL, **tuned),
        )
        lost = ", ".join(f"{100 * (found[0] - value):+.2f}" for value in found[1:])
        cells = " | ".join(f"{value:.2%}" for value in found)
        yield f"| {name} | {len(subject.test):,} | {subject.test.metric} | {cells} | {lost} |"


def sources(folder: Path) -> Iterator[str]:
    """The same network from three kinds of file, trained for its integers."""
    from tinyml.export.onnx import write_onnx

    subject = _network(folder, "mobilenet")
    (folder / "float.tflite").write_bytes(write_tflite(subject.graph))
    (folder / "float.onnx").write_bytes(write_onnx(subject.graph))
    yield "| source | float | trained, per channel, 4 bits |"
    yield "|---|--:|--:|"
    for file in ("mobilenet.keras", "float.tflite", "float.onnx"):
        read = replace(subject, graph=load_model(folder / file))
        trained = read.trained(Scheme(weight_bits=4), "learned")
        yield f"| {file} | {read.float_score:.1%} | {trained:.1%} |"


def others(folder: Path) -> Iterator[str]:
    """Three quantizers on the same models and the same calibration samples."""
    yield "| model | test samples | float | TFLite converter | ai-edge-quantizer | tinyml |"
    yield "|---|--:|--:|--:|--:|--:|"
    python = _ai_edge_quantizer(folder)
    for name in (*NAMES, "digits", *MODELS):
        is_ours = name in NAMES
        subject = _network(folder, name) if is_ours else _model(name)
        keras = (folder if is_ours else MLPERF) / f"{name}.keras"
        np.savez(folder / "calibration.npz", x=subject.calibration[0])
        (folder / "float.tflite").write_bytes(write_tflite(subject.graph))
        script = REPOSITORY / "benchmarks" / "other_quantizers.py"
        run_python(script, "converter", keras, folder / "calibration.npz", folder)
        calibration = folder / "calibration.npz"
        run_python(script, "ai-edge", folder / "float.tflite", calibration, folder, python=python)
        made = [load_model(folder / file) for file in ("converter.tflite", "ai-edge.tflite")]
        found = [subject.float_score, *map(subject.score, made)]
        found.append(subject.post_training(PER_CHANNEL))
        cells = " | ".join(f"{value:.2%}" for value in found)
        yield f"| {name} | {len(subject.test):,} | {cells} |"


def _ai_edge_quantizer(folder: Path) -> Path:
    """A Python that has it: it pins a runtime that is not the one tinyml is tested with."""
    environment = folder / "ai-edge"
    python = environment / "bin" / "python"
    if not python.exists():
        run_python("-m", "venv", environment)
        run_python("-m", "pip", "install", "-q", "ai-edge-quantizer==0.10.0", python=python)
    return python


def seconds(folder: Path) -> Iterator[str]:
    """How long quantizing takes beside the converter, and a step of training beside float."""
    script = REPOSITORY / "benchmarks" / "quantization_time.py"
    yield run_python(script, folder).rstrip()


TABLES: dict[str, Callable[[Path], Iterator[str]]] = {
    "whitepaper": whitepaper,
    "apart": apart,
    "models": models,
    "sources": sources,
    "others": others,
    "seconds": seconds,
}


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"\n{time.monotonic() - started:.0f} seconds")
    sys.exit(code)
