"""Named oracles: what the int8 graph, and the float graph before it, must answer.

An oracle is named by its runtime, whose reference kernels count. Operators say where they do not
(``Operator.oracle_in``); those are run by other kernels, and the label says which.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.evaluate.stages import cut_into_stages
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, Graph
from tinyml.ops.base import Oracle, operators
from tinyml.runtime.tflite import (
    LITERT_REFERENCE,
    TFLITE_REFERENCE,
    Runtime,
    float_runtime,
    iterate_steps,
    optimized,
    run_tflite,
    stacked,
)

ORACLES = {runtime.package: runtime for runtime in (TFLITE_REFERENCE, LITERT_REFERENCE)}


def run_reference(graph: Graph, samples: Sequence[Array], oracle: Runtime) -> list[Array]:
    """Run a graph prepared for the device; int8 (N, *shape) per input and per output.

    Samples are the steps of one stream for a graph with state.
    """
    stages = cut_into_stages(graph, _runtimes(graph, oracle))
    inputs = dict(zip(graph.inputs, samples, strict=True))
    return stacked(iterate_steps(stages.steps, inputs, graph.outputs, stages.values))


def reference_label(graph: Graph, oracle: Runtime) -> str:
    """Name the oracle, then those of operators that it does not count for, with the operators.

    Raises ToolchainError where one is not installed.
    """
    found: dict[Runtime, dict[str, None]] = {}
    for op, runtime in zip(operators(graph), _runtimes(graph, oracle), strict=True):
        found.setdefault(runtime, {})[op.opcodes[0]] = None
    others = [
        f"{', '.join(sorted(opcodes))}: {runtime.label}"
        for runtime, opcodes in found.items()
        if runtime != oracle
    ]
    own = [oracle.label] if oracle in found or not others else []
    return "; ".join([*own, *sorted(others)])


def _runtimes(graph: Graph, oracle: Runtime) -> list[Runtime]:
    """Which runtime runs each operator."""
    kernels = {
        Oracle.REFERENCE: oracle,
        Oracle.OPTIMIZED: optimized(oracle),
        Oracle.LITERT: LITERT_REFERENCE,
    }
    return [kernels[op.oracle_in(graph)] for op in operators(graph)]


def run_float(graph: Graph, samples: Sequence[Array]) -> list[Array]:
    """Run a float graph; float32 (N, *shape) per input and per output."""
    return run_tflite(write_tflite(graph), samples, float_runtime(graph))
