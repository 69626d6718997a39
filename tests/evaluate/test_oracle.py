"""A graph of which different kernels count for different operators."""

from dataclasses import replace

import numpy as np
from graphs import activation, make_graph, relu
from stateful import FIRST, echo

from tinyml.evaluate.oracle import reference_label, run_reference
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Graph
from tinyml.ops.log import Log
from tinyml.ops.sum import Sum
from tinyml.runtime.tflite import LITERT_REFERENCE, TFLITE_REFERENCE, optimized, run_tflite

SHAPE = (1, 4)
SAMPLES = np.array([[[1, 2, 3, 4]], [[-128, 0, 90, 127]]], np.int8)


def log(output: str, source: str) -> Log:
    """LiteRT counts for it."""
    return Log(name=output, inputs=(source,), outputs=(output,))


def total(output: str, source: str) -> Sum:
    """tflite-runtime's optimized kernels count for it."""
    return Sum(name=output, inputs=(source,), outputs=(output,), axes=(1,), keep_dims=True)


def mixed() -> Graph:
    """Log, then its sum; beside them a RELU."""
    tensors = [
        activation("x", SHAPE, 0.05, -128),
        activation("logs", SHAPE, 0.03, 20),
        activation("total", (1, 1), 0.1, 3),
        activation("y", SHAPE, 0.05, -128),
    ]
    ops = [log("logs", "x"), total("total", "logs"), relu("y", "x")]
    return make_graph(tensors, ops, ["x"], ["total", "y"])


def part(graph: Graph, source: str, output: str) -> bytes:
    """The one operator between two tensors, as a model."""
    ops = (graph.producers[output],)
    return write_tflite(replace(graph, ops=ops, inputs=(source,), outputs=(output,)).pruned())


def test_each_operator_is_run_by_the_kernels_that_count_for_it():
    graph = mixed()
    (logs,) = run_tflite(part(graph, "x", "logs"), [SAMPLES], LITERT_REFERENCE)
    (totals,) = run_tflite(part(graph, "logs", "total"), [logs], optimized(TFLITE_REFERENCE))
    (kept,) = run_tflite(part(graph, "x", "y"), [SAMPLES], TFLITE_REFERENCE)

    got = run_reference(graph, [SAMPLES], TFLITE_REFERENCE)

    assert np.array_equal(got[0], totals)
    assert np.array_equal(got[1], kept)


def test_the_label_names_every_runtime_and_what_it_counts_for():
    label = reference_label(mixed(), TFLITE_REFERENCE)

    assert label == "; ".join(
        [
            TFLITE_REFERENCE.label,
            f"LOG: {LITERT_REFERENCE.label}",
            f"SUM: {optimized(TFLITE_REFERENCE).label}",
        ]
    )


def test_a_graph_of_one_oracle_bears_its_name_alone():
    assert reference_label(echo(), TFLITE_REFERENCE) == TFLITE_REFERENCE.label


def test_state_lives_on_where_what_assigns_and_what_reads_it_run_elsewhere():
    """The echo of a logarithm, one step late, and of RELU after it."""
    graph = echo()
    quant = graph.tensor("x").quant
    before = activation("given", SHAPE, 0.05, -128)
    after = replace(graph.tensor("y"), name="z")
    graph = replace(
        graph.with_tensors(before, after),
        ops=(log("x", "given"), *graph.ops, relu("z", "y")),
        inputs=("given",),
        outputs=("x", "z"),
    )

    logs, echoes = run_reference(graph, [SAMPLES], TFLITE_REFERENCE)

    assert quant is not None
    late = np.concatenate([FIRST[np.newaxis], logs[:1]])
    assert np.array_equal(echoes, np.maximum(late, quant.zero_point[0]))
