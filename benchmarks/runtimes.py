"""Prints which TFLite runtimes have the bytes of which operators and networks, as Markdown.

    python benchmarks/runtimes.py [--networks]

All cases of tests/conformance run on all kernels that are installed. First come the operators for
which some kernels refuse a case or give other bytes than those that count for it; then the five
MLPerf Tiny networks, untrained, as `tinyml compare` judges them on two boards; they alone with
--networks.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mlperf_models import FOLDER, MODELS, int8_model

from tinyml.data.dataset import Dataset
from tinyml.errors import ModelError
from tinyml.evaluate.compare import compare_model
from tinyml.firmware.boards import load_board
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Array
from tinyml.runtime.tflite import RUNTIMES, Runtime

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "support")]

from merged import Merged, merge, outputs_on, reference_outputs  # noqa: E402  # found there
from single_operator import Case, all_cases  # noqa: E402

RUNTIMES_HERE = [runtime for runtime in RUNTIMES.values() if runtime.is_installed]
# Board, samples: an emulator takes a second for some of the networks.
BOARDS = {"host": 200, "mps2-an386": 8}


@dataclass
class Count:
    """What became of an operator's cases on one runtime."""

    cases: int = 0
    refused: int = 0
    different: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        parts = [f"{self.refused} refused"] if self.refused else []
        if self.different:
            parts.append(f"{self.different} differ ({self.bytes:,} bytes)")
        return ", ".join(parts) or "equal"


def main() -> None:
    """Print the tables asked for."""
    print(f"Python {sys.version_info[0]}.{sys.version_info[1]}, numpy {np.__version__}\n")
    if "--networks" not in sys.argv:
        _print_operators()
    print("| network | board | reference | bytes that differ | of |")
    print("|---|---|---|--:|--:|")
    for row in _networks():
        print(f"| {' | '.join(row)} |")


def _print_operators() -> None:
    labels = [runtime.label for runtime in RUNTIMES_HERE]
    print(f"| operator | dtype | cases | {' | '.join(labels)} |")
    print(f"|---|---|--:|{'---|' * len(labels)}")
    for (operator, dtype), counts in _count().items():
        if any(count.refused or count.different for count in counts.values()):
            cells = [str(counts[runtime]) for runtime in RUNTIMES_HERE]
            cases = counts[RUNTIMES_HERE[0]].cases
            print(f"| {operator} | {dtype} | {cases} | {' | '.join(cells)} |")
    print()


def _count() -> dict[tuple[str, str], dict[Runtime, Count]]:
    counts: dict[tuple[str, str], dict[Runtime, Count]] = defaultdict(lambda: defaultdict(Count))
    for case in all_cases():
        merged = merge([case])
        (expected,) = reference_outputs(merged)
        for runtime in RUNTIMES_HERE:
            _add(counts[_group(case)][runtime], merged, expected, runtime)
    return counts


def _group(case: Case) -> tuple[str, str]:
    graph = case.graph
    names = graph.inputs or graph.outputs
    return graph.ops[0].opcodes[0], graph.tensor(names[0]).dtype.value


def _add(count: Count, merged: Merged, expected: Array, runtime: Runtime) -> None:
    count.cases += 1
    try:
        (got,) = outputs_on(merged, runtime)
    except ModelError:
        count.refused += 1
        return
    different = int(np.count_nonzero(got != expected))
    count.different += different > 0
    count.bytes += different


def _networks() -> Iterator[tuple[str, ...]]:
    for name in MODELS:
        graph = load_quantized(int8_model(name, FOLDER, trained=False))
        shape = graph.tensor(graph.inputs[0]).shape[1:]
        for board, samples in BOARDS.items():
            noise = np.random.default_rng(1).normal(size=(samples, *shape)).astype(np.float32)
            result = compare_model(graph, Dataset((noise,), None), load_board(board))
            differing, compared = result.mismatched_bytes, result.compared_bytes
            yield name, board, result.reference, f"{differing:,}", f"{compared:,}"


if __name__ == "__main__":
    main()
