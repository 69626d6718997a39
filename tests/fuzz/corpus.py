"""The valid model files that the fuzzer damages, in both formats.

Every operator, whole networks, and what converters wrote: signatures, metadata, open batches.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [
    str(TESTS / "support"),
    str(TESTS / "conformance"),
]  # for graphs and the conformance cases

from graphs import branches_int8, small_int8  # noqa: E402  # after the path is set
from random_networks import random_network  # noqa: E402
from single_operator import cases_of, operators_with_cases  # noqa: E402

from tinyml.errors import ModelError  # noqa: E402
from tinyml.export.onnx import write_onnx  # noqa: E402
from tinyml.export.tflite import write_tflite  # noqa: E402
from tinyml.ir.graph import DType, Graph, Tensor  # noqa: E402
from tinyml.ir.verify import verify_float  # noqa: E402
from tinyml.numerics.affine import dequantize  # noqa: E402

CASES_PER_OPERATOR = 6
NETWORKS = 12
LARGEST_FILE = 40_000
EXPORTS = TESTS / "conformance" / "exports"
# Of so many files one in a dozen is a converter's.
EXPORTED = 4


@dataclass(frozen=True, slots=True)
class Original:
    """A valid file; ``suffix`` is its format."""

    name: str
    suffix: str
    data: bytes


@cache
def originals() -> list[Original]:
    """All of them, the same every time."""
    made = [
        Original(name, suffix, data)
        for name, graph in _graphs()
        for suffix, data in _files(graph)
        if len(data) < LARGEST_FILE
    ]
    return made + _exported() * EXPORTED


def _exported() -> list[Original]:
    paths = sorted([*EXPORTS.glob("*.tflite"), *EXPORTS.glob("*.onnx")])
    files = [Original(path.stem, path.suffix[1:], path.read_bytes()) for path in paths]
    return [file for file in files if len(file.data) < LARGEST_FILE]


def _graphs() -> Iterator[tuple[str, Graph]]:
    """Int8 graphs, and what they are in float32."""
    for name, graph in _int8_graphs():
        yield name, graph
        twin = _float_twin(graph)
        try:
            verify_float(twin)
            write_tflite(twin)
        except ModelError:  # operators that know integers only, or functions that int8 needs
            continue
        yield f"{name}_float", twin


def _float_twin(graph: Graph) -> Graph:
    return graph.with_tensors(*map(_in_float, graph.tensors.values()))


def _in_float(tensor: Tensor) -> Tensor:
    if tensor.quant is None:
        return tensor
    data = None if tensor.data is None else dequantize(tensor.data, tensor.quant)
    return Tensor(tensor.name, tensor.shape, DType.FLOAT32, data=data)


def _int8_graphs() -> Iterator[tuple[str, Graph]]:
    yield "small_int8", small_int8()
    yield "branches", branches_int8(per_channel=True)
    for operator in operators_with_cases():
        cases = cases_of(operator)
        for case in islice(cases, None, None, max(1, len(cases) // CASES_PER_OPERATOR)):
            yield case.name, case.graph
    for seed in range(NETWORKS):
        yield f"network_{seed}", random_network(seed)


def _files(graph: Graph) -> Iterator[tuple[str, bytes]]:
    yield "tflite", write_tflite(graph)
    try:
        yield "onnx", write_onnx(graph)
    except ModelError:  # not everything TFLite says can be said in ONNX
        return
