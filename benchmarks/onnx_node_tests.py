"""Runs the node tests that ship with onnx on the importer.

A test counts where its operators are supported and its data are float32 tensors. Node tests give
all operands as inputs; what a model has as constants (weights, axes, shapes) becomes constant here
where the importer asks for it.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from tinyml.errors import TinymlError
from tinyml.evaluate.oracle import run_float
from tinyml.frontend.onnx import read_onnx
from tinyml.ir.graph import Array, DType

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test: ``passed``, ``refused`` or ``wrong``."""

    name: str
    verdict: str
    reason: str = ""


def node_tests() -> list[str]:
    """Names of all tests, in order."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.onnx"))


def run_node_test(name: str) -> Outcome:
    """Read a test's model and compare what it computes with what the test states."""
    model = onnx.load(FOLDER / name / "model.onnx")
    inputs = _values(name, "input", [info.name for info in model.graph.input])
    outputs = _values(name, "output", [info.name for info in model.graph.output])
    if any(value is None for value in (*inputs.values(), *outputs.values())):
        return Outcome(name, "refused", "sequences and optionals")
    reason = ""
    for variant in _variants(model, inputs):
        try:
            return _compare(name, variant, inputs, outputs)
        except TinymlError as error:
            reason = str(error)
    return Outcome(name, "refused", reason)


def _compare(
    name: str, model: onnx.ModelProto, inputs: dict[str, Array], outputs: dict[str, Array]
) -> Outcome:
    graph = read_onnx(model.SerializeToString(), name)
    samples = [inputs[key][None] for key in graph.inputs]
    if any(tensor.dtype is not DType.FLOAT32 for tensor in map(graph.tensor, graph.inputs)):
        return Outcome(name, "refused", "inputs that are not float32")
    results = run_float(graph, samples)
    for key, result in zip(graph.outputs, results, strict=True):
        expected = outputs[key]
        if result[0].shape != expected.shape:
            return Outcome(name, "wrong", f"shape {result[0].shape}, expected {expected.shape}")
        if not np.allclose(result[0], expected, **TOLERANCE, equal_nan=True):
            worst = np.abs(result[0].astype(float) - expected).max()
            return Outcome(name, "wrong", f"'{key}' is off by up to {worst:.3g}")
    return Outcome(name, "passed")


def _variants(model: onnx.ModelProto, inputs: dict[str, Array]) -> Iterator[onnx.ModelProto]:
    """The model as it stands, then with all inputs but the first as constants."""
    yield model
    if len(inputs) < 2:
        return
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    first = model.graph.input[0].name
    kept = [info for info in model.graph.input if info.name == first]
    del changed.graph.input[:]
    changed.graph.input.extend(kept)
    changed.graph.initializer.extend(
        numpy_helper.from_array(value, key) for key, value in inputs.items() if key != first
    )
    yield changed


def _values(name: str, kind: str, keys: list[str]) -> dict[str, Array | None]:
    values: dict[str, Array | None] = {}
    for index, key in enumerate(keys):
        tensor = onnx.TensorProto()
        path = FOLDER / name / "test_data_set_0" / f"{kind}_{index}.pb"
        try:
            tensor.ParseFromString(path.read_bytes())
            values[key] = numpy_helper.to_array(tensor)
        except Exception:  # a sequence, an optional, a map
            values[key] = None
    return values


def main() -> None:
    """Print one line per test that is refused or wrong, and the counts."""
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for name in node_tests():
        outcome = run_node_test(name)
        counts[outcome.verdict] += 1
        if "-v" in sys.argv or outcome.verdict == "wrong":
            print(f"{outcome.verdict:8} {name}: {outcome.reason.splitlines()[-1:]}")
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
