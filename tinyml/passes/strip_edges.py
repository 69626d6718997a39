"""Takes QUANTIZE and DEQUANTIZE away from a model's edges, so that the device sees int8 only.

The caller quantizes and dequantizes with the helpers of the generated header, or leaves it to
``tinyml run``.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.quantize import Quantize


def strip_edges(graph: Graph) -> Graph:
    """Make quantized tensors the inputs and outputs where float ones were converted at once."""
    dropped = {op.name for op in graph.ops if _is_entry(graph, op) or _is_exit(graph, op)}
    inputs = {op.inputs[0]: op.outputs[0] for op in graph.ops if _is_entry(graph, op)}
    outputs = {op.outputs[0]: op.inputs[0] for op in graph.ops if _is_exit(graph, op)}
    return replace(
        graph,
        ops=tuple(op for op in graph.ops if op.name not in dropped),
        inputs=tuple(inputs.get(name, name) for name in graph.inputs),
        outputs=tuple(outputs.get(name, name) for name in graph.outputs),
    ).pruned()


def _is_entry(graph: Graph, op: Op) -> bool:
    """A float input's only reader that quantizes it."""
    return (
        isinstance(op, Quantize)
        and op.inputs[0] in graph.inputs
        and graph.tensor(op.inputs[0]).dtype is DType.FLOAT32
        and graph.only_reader(op.inputs[0]) is op
    )


def _is_exit(graph: Graph, op: Op) -> bool:
    """What dequantizes a tensor into an output that nothing else reads."""
    return (
        isinstance(op, Dequantize)
        and op.outputs[0] in graph.outputs
        and not graph.consumers[op.outputs[0]]
    )
