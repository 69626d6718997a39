"""The cases of the suite in real numbers, a few of each operator, and what operators make of them.

TensorFlow may not be imported where TFLite's runtimes are: a process of each reads this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from merged import with_zero_biases
from single_operator import Case, cases_of, operators_with_cases, samples_of

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.cast import Cast
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.div import Div
from tinyml.ops.families.standardize import Standardize
from tinyml.ops.log_softmax import LogSoftmax
from tinyml.ops.pow import Pow
from tinyml.ops.quantize import Quantize
from tinyml.ops.shape import ShapeOf

SAMPLES = 3
# Of each operator, spread over all of its cases that take batches, and over the others.
EACH = 4
# TensorFlow broadcasts no more dimensions than these and the samples.
MOST_DIMENSIONS = 4
# Whose integers are what they are about.
OF_INTEGERS = (Quantize, Dequantize)


@dataclass(frozen=True, slots=True)
class FloatCase:
    """One operator in real numbers, and samples (3, *shape) of each input.

    ``spelled`` is the same graph as a file has it.
    """

    name: str
    parameters: Any
    graph: Graph
    spelled: Graph
    samples: list[Array]

    @property
    def op(self) -> Operator:
        (op,) = operators(self.graph)
        return op

    @property
    def takes_batches(self) -> bool:
        """Whether the leading dimension of all inputs is 1, and the outputs have one."""
        return _takes_batches(self.op, self.graph)

    @property
    def batch(self) -> list[Array]:
        """All samples in one array of each input."""
        return [np.concatenate(list(array)) for array in self.samples]


@cache
def float_cases() -> tuple[FloatCase, ...]:
    return (*_of_operators_with_cases(), *_made_by_hand())


def _of_operators_with_cases() -> Iterator[FloatCase]:
    for operator in operators_with_cases():
        own = [case for case in cases_of(operator) if _has_real_numbers(case)]
        batches = [_takes_batches(next(operators(case.graph)), case.graph) for case in own]
        for kind in (True, False):
            cases = [case for case, takes in zip(own, batches, strict=True) if takes is kind]
            yield from map(_float_case, cases[:: max(1, len(cases) // EACH)][:EACH])


def _takes_batches(op: Operator, graph: Graph) -> bool:
    if isinstance(op, ShapeOf):
        return False
    inputs = all(graph.tensor(name).shape[:1] == (1,) for name in graph.inputs)
    return inputs and all(graph.tensor(name).shape for name in graph.outputs)


def _has_real_numbers(case: Case) -> bool:
    op, graph = next(operators(case.graph)), case.graph
    if op.without_compute or isinstance(op, OF_INTEGERS):
        return False
    if isinstance(op, DepthwiseConv2D) and len(op.inputs) < 3:
        return False  # LiteRT 2.3 dies of one in float without a bias
    tensors = [tensor for tensor in graph.tensors.values() if not tensor.is_constant]
    is_wide = any(tensor.dtype is DType.INT16 and tensor.quant is not None for tensor in tensors)
    is_cast = getattr(op, "dtype", None) is not None and graph.tensor(op.outputs[0]).quant
    return not (is_wide or is_cast or max(len(t.shape) for t in tensors) > MOST_DIMENSIONS)


def _float_case(case: Case) -> FloatCase:
    graph = with_zero_biases(case.graph)
    tensors = {name: _in_float(tensor) for name, tensor in graph.tensors.items()}
    ops = tuple(map(_of_float, graph.ops))
    inputs = [graph.tensor(name) for name in graph.inputs]
    samples = [
        values[:SAMPLES] if tensor.quant is None else dequantize(values[:SAMPLES], tensor.quant)
        for values, tensor in zip(samples_of(case), inputs, strict=True)
    ]
    in_float = replace(graph, tensors=tensors, ops=ops)
    spelled = _spelled(next(operators(graph)), graph, in_float)
    return FloatCase(case.name, case.parameters, in_float, spelled, samples)


def _spelled(op: Operator, graph: Graph, in_float: Graph) -> Graph:
    """The steps that a file has in place of the operator, if any."""
    steps = op.float_steps(graph, op.inputs[0], op.outputs[0]) if op.outputs else None
    if steps is None:
        return in_float
    return replace(in_float.with_tensors(*steps.tensors), ops=steps.ops)


def _in_float(tensor: Tensor) -> Tensor:
    if tensor.quant is None:
        return tensor
    data = None if tensor.data is None else dequantize(tensor.data, tensor.quant)
    return replace(tensor, dtype=DType.FLOAT32, quant=None, data=data)


def _of_float(op: Op) -> Op:
    return replace(op, in_float=False) if getattr(op, "in_float", False) else op


def _made_by_hand() -> Iterator[FloatCase]:
    names = {"name": "y", "outputs": ("y",)}
    pair = {**names, "inputs": ("x", "constant")}
    power = np.array([[1.5]], np.float32)
    offset, factor = np.float32([[1, -2, 0.5]]), np.float32([[0.1, 3, 1]])
    yield _made(Div(**pair, activation=Activation.RELU6), (1, 5, 3), constant=offset)
    yield _made(Pow(**pair), (1, 4, 2), constant=power)
    yield _made(Cast(**names, inputs=("x",), dtype=DType.INT32), (1, 5))
    yield _made(LogSoftmax(**names, inputs=("x",)), (1, 2, 7))
    standardize = Standardize(**names, inputs=("x", "offset", "factor"))
    yield _made(standardize, (1, 4, 3), offset=offset, factor=factor)


def _made(op: Operator, shape: tuple[int, ...], **constants: Array) -> FloatCase:
    given = {n: Tensor(n, v.shape, DType.FLOAT32, data=v) for n, v in constants.items()}
    output = Tensor("y", shape, getattr(op, "dtype", DType.FLOAT32))
    tensors = {"x": Tensor("x", shape, DType.FLOAT32), "y": output, **given}
    samples = np.random.default_rng(1).uniform(0.1, 4, (SAMPLES, *shape)).astype(np.float32)
    name = op.opcodes[0].lower()
    graph = Graph(name, tensors, (op,), ("x",), ("y",))
    return FloatCase(f"{name}_made", shape, graph, _spelled(op, graph, graph), [samples])


def computed(xp: ArrayLibrary, graph: Graph, inputs: Sequence[Any]) -> list[Any]:
    """Run a graph operator by operator."""
    values: dict[str, Any] = {name: tensor.data for name, tensor in graph.tensors.items()}
    values |= dict(zip(graph.inputs, inputs, strict=True))
    for op in operators(graph):
        operands = [values[name] if name else None for name in op.inputs]
        values |= zip(op.outputs, op.compute(xp, graph, *operands), strict=True)
    return [values[name] for name in graph.outputs]
