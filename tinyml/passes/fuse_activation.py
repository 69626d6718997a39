"""Takes a stand-alone RELU, RELU6 or RELU_N1_TO_1 into the operator before it.

In a model that carries scales this is done only where the value between the two has none: scales
there would round and clamp it.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.contract.activation import Activation
from tinyml.ops.relu import Relu
from tinyml.ops.reshape import Reshape


def fuse_activation(graph: Graph) -> Graph:
    """Fuse where nothing else reads the operator's output, which may be reshaped in between."""
    for relu in graph.ops:
        layer = _layer(graph, relu.inputs[0]) if isinstance(relu, Relu) else None
        if isinstance(relu, Relu) and layer is not None:
            graph = _fuse(graph, layer, relu)
    return graph.pruned()


def _layer(graph: Graph, name: str) -> Op | None:
    """The operator that writes ``name``, or what is reshaped to it, if it can be fused into."""
    op = graph.producers.get(name)
    while op is not None and _is_only_for_one(graph, name):
        if not isinstance(op, Reshape):
            return op if getattr(op, "activation", None) is Activation.NONE else None
        name = op.inputs[0]
        op = graph.producers.get(name)
    return None


def _is_only_for_one(graph: Graph, name: str) -> bool:
    return graph.only_reader(name) is not None and graph.tensor(name).quant is None


def _fuse(graph: Graph, layer: Op, relu: Relu) -> Graph:
    ops: list[Op] = []
    for op in graph.ops:
        if op is layer:
            op = replace(op, activation=relu.activation)  # type: ignore[call-arg]  # it has one
        if op.outputs == relu.inputs:  # the last before it: the layer, or a reshape
            op = replace(op, name=relu.name, outputs=relu.outputs)
        if op is not relu:
            ops.append(op)
    return replace(graph, ops=tuple(ops))
