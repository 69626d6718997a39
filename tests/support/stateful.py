"""A small graph that keeps something: an echo of its input, one step late."""

from dataclasses import replace

import numpy as np
from graphs import activation, make_graph

from tinyml.ir.graph import Graph, State
from tinyml.ir.verify import verify_quantized
from tinyml.ops.variable import AssignVariable, ReadVariable

FIRST = np.array([[1, -2, 3, 127]], np.int8)


def echo() -> Graph:
    """Answer FIRST, then each input in the inference after its own."""
    tensors = [activation(name, (1, 4), 0.1, 3) for name in ("x", "kept", "y")]
    ops = [
        ReadVariable(name="y", inputs=("kept",), outputs=("y",)),
        AssignVariable(name="assign_variable_1", inputs=("kept", "x"), outputs=()),
    ]
    graph = make_graph(tensors, ops, ("x",), ("y",), "echo")
    graph = replace(graph, states=(State("kept", FIRST, "memory"),))
    verify_quantized(graph)
    return graph


def float_echo() -> Graph:
    """The same in float32, as models are before they are quantized."""
    floats = [activation(name, (1, 4), None) for name in ("x", "kept", "y")]
    state = State("kept", FIRST.astype(np.float32), "memory")
    return replace(echo().with_tensors(*floats), states=(state,))
