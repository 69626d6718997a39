"""Turns a FULLY_CONNECTED whose weights are computed at run time into a BATCH_MATMUL.

TFLite's converter writes one where a model multiplies two activations of two dimensions, as an
attention does. With neither bias nor activation both operators are the same integers.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op, Shape
from tinyml.ops.batch_matmul import BatchMatMul
from tinyml.ops.contract.activation import Activation
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.reshape import Reshape


def multiply_computed_weights(graph: Graph) -> Graph:
    """Multiply rows of the input by rows of the weights; RESHAPEs make both matrices."""
    for op in graph.ops:
        if isinstance(op, FullyConnected) and _is_product(graph, op):
            graph = _multiplied(graph, op)
    return graph


def _is_product(graph: Graph, op: FullyConnected) -> bool:
    """Whether two activations are multiplied and nothing else is done."""
    if len(op.present_inputs) != 2 or op.activation is not Activation.NONE:
        return False
    source, weights = (graph.tensor(name) for name in op.present_inputs)
    fits = len(weights.shape) == 2 and 0 not in weights.shape
    return (
        fits
        and not weights.is_constant
        and source.dtype is weights.dtype
        and source.size % weights.shape[1] == 0
    )


def _multiplied(graph: Graph, op: FullyConnected) -> Graph:
    source, weights = (graph.tensor(name) for name in op.present_inputs)
    output = graph.tensor(op.outputs[0])
    features, depth = weights.shape
    rows = source.size // depth
    left = replace(source, name=f"{op.name}/rows", shape=(rows, depth), data=None)
    product = replace(output, name=f"{op.name}/product", shape=(rows, features))
    ops = (
        _reshape(source.name, left.name, left.shape),
        BatchMatMul(
            name=product.name,
            inputs=(left.name, weights.name),
            outputs=(product.name,),
            adj_x=False,
            adj_y=True,
        ),
        _reshape(product.name, output.name, output.shape),
    )
    graph = graph.with_tensors(left, product)
    return replace(graph, ops=tuple(_replaced(graph.ops, op, ops)))


def _reshape(source: str, output: str, shape: Shape) -> Reshape:
    return Reshape(name=output, inputs=(source,), outputs=(output,), shape=shape)


def _replaced(ops: tuple[Op, ...], old: Op, new: tuple[Op, ...]) -> list[Op]:
    return [each for op in ops for each in (new if op is old else (op,))]
