"""The runtimes that are installed: tflite-runtime has no wheel for Python 3.12 and later."""

from tinyml.ir.graph import Graph
from tinyml.ops.contract.operator import operators
from tinyml.runtime.tflite import (
    REFERENCE_RUNTIMES,
    RUNTIMES,
    Runtime,
    float_runtime,
)

REFERENCES = [runtime for runtime in REFERENCE_RUNTIMES if runtime.is_installed]


def references_of(graph: Graph) -> list[Runtime]:
    """Those whose kernels have the bytes of all operators, the first choice first."""
    counting = [{RUNTIMES[each] for each in op.oracles_in(graph)} for op in operators(graph)]
    installed = [runtime for runtime in RUNTIMES.values() if runtime.is_installed]
    return [runtime for runtime in installed if all(runtime in each for each in counting)]


def reference_of(graph: Graph) -> Runtime:
    """The first of them; what runs float graphs where there is none."""
    return next(iter(references_of(graph)), float_runtime(graph))
