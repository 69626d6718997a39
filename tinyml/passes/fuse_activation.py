"""Takes a stand-alone RELU, RELU6 or RELU_N1_TO_1 into the operator before it.

In a model that carries scales this is done only where the value between the two has none: scales
there would round and clamp it.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.activation import Activation
from tinyml.ops.relu import Relu


def fuse_activation(graph: Graph) -> Graph:
    """Fuse where nothing else reads the operator's output."""
    for relu in graph.ops:
        source = graph.producers.get(relu.inputs[0]) if isinstance(relu, Relu) else None
        if isinstance(relu, Relu) and source is not None and _may_fuse(graph, source):
            graph = _fuse(graph, source, relu)
    return graph.pruned()


def _may_fuse(graph: Graph, op: Op) -> bool:
    name = op.outputs[0]
    return (
        getattr(op, "activation", None) is Activation.NONE
        and graph.tensor(name).quant is None
        and name not in graph.outputs
        and len(graph.consumers[name]) == 1
    )


def _fuse(graph: Graph, source: Op, relu: Relu) -> Graph:
    fused = replace(
        source,
        name=relu.name,
        outputs=relu.outputs,
        activation=relu.activation,  # type: ignore[call-arg]  # it has one: see _may_fuse
    )
    ops = (fused if op is source else op for op in graph.ops if op is not relu)
    return replace(graph, ops=tuple(ops))
