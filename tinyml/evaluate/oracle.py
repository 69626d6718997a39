"""Named oracles: what the int8 graph, and the float graph before it, must answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    """Run a graph prepared for the device; int8 (N, *shape) per input and per output.

    Every activation is made an output, so that the runtime keeps it: both runtimes work in place
    on what a RESHAPE hands on even where its source is still to be read.
    """
    inner = (t.name for t in graph.tensors.values() if not t.is_constant)
    outputs = dict.fromkeys((*graph.outputs, *inner))
    kept = write_tflite(replace(graph, outputs=tuple(outputs)))
    order = list(outputs)
    rows = run_tflite(kept, samples, oracle, first=len(dict.fromkeys(graph.outputs)))
    return [rows[order.index(name)] for name in graph.outputs]


def run_float(graph: Graph, samples: Sequence[Array]) -> list[Array]:
    """Run a float graph; float32 (N, *shape) per input and per output."""
    return run_tflite(write_tflite(graph), samples, optimized(reference_runtime()))
