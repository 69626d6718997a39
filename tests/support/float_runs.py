"""Holds a rewritten float graph to the numbers of the one it was made from."""

import numpy as np

from tinyml.evaluate.oracle import run_float
from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_float


def assert_computes_the_same(graph: Graph, changed: Graph) -> None:
    """The same numbers for normal inputs, to the last few bits of float32."""
    verify_float(graph)
    verify_float(changed)
    rng = np.random.default_rng(5)
    shapes = [(3, *graph.tensor(name).shape) for name in graph.inputs]
    samples = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    before, after = run_float(graph, samples), run_float(changed, samples)
    for expected, got in zip(before, after, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def kinds(graph: Graph) -> list[str]:
    """Names of the operators' classes, in order."""
    return [type(op).__name__ for op in graph.ops]
