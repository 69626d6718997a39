"""Runs the node tests of onnx (1.23 and later) on the importer.

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
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from tinyml.errors import TinymlError
from tinyml.evaluate.oracle import run_float
from tinyml.frontend.onnx.read import read_onnx
from tinyml.ir.graph import Array, DType

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test: ``passed``, ``refused`` or ``wrong``."""

    name: str
    verdict: str
    reason: str = ""


def node_tests() -> list[Any]:
    """All tests in order of their names."""
    return sorted(load_model_tests(kind="node"), key=lambda test: test.name)


def run_node_test(test: Any) -> Outcome:
    """Read a test's model and compare what it computes with what the test states."""
    name, model = test.name, test.model
    given, expected = test.data_sets[0]
    inputs = dict(zip([info.name for info in model.graph.input], given, strict=False))
    outputs = dict(zip([info.name for info in model.graph.output], expected, strict=True))
    values = (*inputs.values(), *outputs.values())
    if len(given) < len(model.graph.input) or not all(
        isinstance(v, np.ndarray | np.generic) for v in values
    ):
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


def main() -> None:
    """Print one line per test that is refused or wrong, and the counts."""
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for test in node_tests():
        outcome = run_node_test(test)
        counts[outcome.verdict] += 1
        if "-v" in sys.argv or outcome.verdict == "wrong":
            print(f"{outcome.verdict:8} {outcome.name}: {outcome.reason.splitlines()[-1:]}")
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
