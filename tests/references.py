"""The runtimes that are installed: tflite-runtime has no wheel for Python 3.12 and later."""

from tinyml.ir.graph import Graph
from tinyml.ops.base import operators
from tinyml.runtime.tflite import (
    LITERT_REFERENCE,
    RUNTIMES,
    TFLITE_MICRO,
    TFLITE_REFERENCE,
    Runtime,
)

REFERENCES = [
    runtime
    for runtime in (TFLITE_REFERENCE, TFLITE_MICRO, LITERT_REFERENCE)
    if runtime.is_installed
]


def references_of(graph: Graph) -> list[Runtime]:
    """Those of them that have the bytes of all operators."""
    counting = [{RUNTIMES[each] for each in op.oracles_in(graph)} for op in operators(graph)]
    return [runtime for runtime in REFERENCES if all(runtime in each for each in counting)]
