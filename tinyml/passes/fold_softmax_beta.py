"""Takes a constant factor before a SOFTMAX into its beta."""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.contract.activation import Activation
from tinyml.ops.mul import Mul
from tinyml.ops.softmax import Softmax


def fold_softmax_beta(graph: Graph) -> Graph:
    """Fold a positive number where nothing else reads the product, which carries no scales."""
    ops: list[Op] = []
    for op in graph.ops:
        product = graph.producers.get(op.inputs[0]) if isinstance(op, Softmax) else None
        factor = _factor(graph, product) if isinstance(product, Mul) else None
        if isinstance(op, Softmax) and product is not None and factor is not None:
            ops.remove(product)
            source, value = factor
            op = replace(op, inputs=(source,), beta=op.beta * value)
        ops.append(op)
    return replace(graph, ops=tuple(ops)).pruned()


def _factor(graph: Graph, product: Mul) -> tuple[str, float] | None:
    """What is multiplied, and by which number."""
    name = product.outputs[0]
    if graph.only_reader(name) is None or graph.tensor(name).quant is not None:
        return None
    if product.activation is not Activation.NONE:
        return None
    for source, other in (product.inputs, product.inputs[::-1]):
        constant = graph.tensor(other)
        if constant.data is not None and constant.size == 1 and constant.data.item() > 0:
            return source, float(constant.data.item())
    return None
