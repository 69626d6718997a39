"""The cases of the suite in real numbers, and what operators compute of them by themselves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from single_operator import Case, samples_of

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.operator import operators

# Samples of a case; more would show nothing else.
SAMPLES = 3


def float_case(case: Case) -> Case:
    """The same graph before it was quantized; integers without a scale stay."""
    tensors = {name: _in_float(tensor) for name, tensor in case.graph.tensors.items()}
    ops = tuple(map(_of_float, case.graph.ops))
    return replace(case, graph=replace(case.graph, tensors=tensors, ops=ops))


def _in_float(tensor: Tensor) -> Tensor:
    if tensor.quant is None:
        return tensor
    data = None if tensor.data is None else dequantize(tensor.data, tensor.quant)
    return replace(tensor, dtype=DType.FLOAT32, quant=None, data=data)


def _of_float(op: Op) -> Op:
    return replace(op, in_float=False) if getattr(op, "in_float", False) else op


def float_samples(case: Case) -> list[Array]:
    """Of each input (3, *shape): what the integers of the case stand for."""
    tensors = [case.graph.tensor(name) for name in case.graph.inputs]
    return [
        values[:SAMPLES] if tensor.quant is None else dequantize(values[:SAMPLES], tensor.quant)
        for values, tensor in zip(samples_of(case), tensors, strict=True)
    ]


def computed(xp: ArrayLibrary, graph: Graph, inputs: Sequence[Any]) -> list[Any]:
    """Run a graph operator by operator."""
    values = {name: tensor.data for name, tensor in graph.tensors.items()}
    values |= dict(zip(graph.inputs, inputs, strict=True))
    for op in operators(graph):
        operands = [values[name] if name else None for name in op.inputs]
        values |= zip(op.outputs, op.compute(xp, graph, *operands), strict=True)
    return [values[name] for name in graph.outputs]
