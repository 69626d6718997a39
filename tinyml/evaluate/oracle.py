"""Named oracles: what the int8 graph, and the float graph before it, must answer."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, Graph
from tinyml.runtime.tflite import (
    LITERT_REFERENCE,
    TFLITE_REFERENCE,
    Runtime,
    optimized,
    reference_runtime,
    run_tflite,
)

ORACLES = {runtime.package: runtime for runtime in (TFLITE_REFERENCE, LITERT_REFERENCE)}


def run_reference(graph: Graph, samples: Sequence[Array], oracle: Runtime) -> list[Array]:
    """Run a graph prepared for the device; int8 (N, *shape) per input and per output."""
    return run_tflite(write_tflite(graph), samples, oracle)


def run_float(graph: Graph, samples: Sequence[Array]) -> list[Array]:
    """Run a float graph; float32 (N, *shape) per input and per output."""
    return run_tflite(write_tflite(graph), samples, optimized(reference_runtime()))
