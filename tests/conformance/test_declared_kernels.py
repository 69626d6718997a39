"""What operators declare of dtypes and kernels is what ``to_c`` does, no more and no less."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest
from draw.retyped import DTYPES, moving_cases, retyped
from function_graphs import float_graph, make
from single_operator import Case, all_cases
from test_wide_softmax import SHAPES, wide_case

from tinyml.errors import ModelError
from tinyml.firmware import firmware_dir
from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.contract.registry import operator_classes
from tinyml.ops.div import Div
from tinyml.ops.log_softmax import LogSoftmax
from tinyml.ops.pow import Pow
from tinyml.passes.orders import prepare_for_device

every_class = pytest.mark.parametrize(
    "cls", [pytest.param(cls, id=cls.__name__) for cls in operator_classes()]
)


class Call(NamedTuple):
    """A call that an operator of this dtype makes; no function for an alias."""

    dtype: DType
    function: str | None
    source: str | None


@cache
def cases() -> tuple[Case, ...]:
    moves = [
        replace(case, graph=retyped(case.graph, dtype))
        for case in moving_cases()
        for dtype in DTYPES
    ]
    return (*all_cases(), *moves, *(wide_case(shape) for shape in SHAPES))


@cache
def graphs_of_classes() -> dict[type[Operator], tuple[Graph, Operator]]:
    """A graph with an operator of each class, but those that only float models have."""
    return {type(op): (case.graph, op) for case in cases() for op in operators(case.graph)}


def float_only(cls: type[Operator]) -> tuple[Graph, Operator]:
    """The same of a class that only float models have."""
    (graph,) = (graph for graph in FLOAT_ONLY if isinstance(graph.ops[0], cls))
    return graph, next(operators(graph))


PAIR = {"x": (1, 4), "z": (1, 4)}
FLOAT_ONLY = (
    float_graph(PAIR, make(Div, "x", "z", activation=Activation.NONE)),
    float_graph(PAIR, make(Pow, "x", "z")),
    float_graph({"x": (1, 4)}, make(LogSoftmax)),
)


@cache
def calls_of_classes() -> dict[type[Operator], set[Call]]:
    """All calls that the operators of all cases make by kernels of their own."""
    found: dict[type[Operator], set[Call]] = defaultdict(set)
    for case in cases():
        for op, call in calls_of(case):
            found[type(op)].add(call)
    return found


def calls_of(case: Case) -> Iterator[tuple[Operator, Call]]:
    graph = prepare_for_device(case.graph)
    for op in operators(graph):
        dtype = graph.tensor(op.inputs[op.typed_input]).dtype
        kernel = op.to_c(graph)
        for call in kernel.calls:
            yield op, Call(dtype, call.function, call.source)
        if kernel.alias:
            yield op, Call(dtype, None, None)


@every_class
def test_every_kernel_called_is_declared_for_its_dtype(cls):
    called = {(call.dtype, call.function) for call in calls_of_classes()[cls] if call.function}

    assert {pair for pair in called if pair[1] not in cls.kernels.get(pair[0], ())} == set()


@every_class
def test_every_declared_kernel_is_called_in_a_case(cls):
    called = {(call.dtype, call.function) for call in calls_of_classes()[cls]}
    declared = {(dtype, name) for dtype, names in cls.kernels.items() for name in names}

    assert declared - called == set()


@every_class
def test_an_operator_without_kernel_says_what_becomes_of_it(cls):
    is_alias = any(call.function is None for call in calls_of_classes()[cls])

    assert bool(cls.without_kernel) != any(cls.kernels.values())
    assert is_alias == (cls.without_kernel == "an alias of its input")


def test_a_kernel_of_ours_lies_in_the_file_of_its_name():
    calls = {call for calls in calls_of_classes().values() for call in calls if call.function}

    for call in calls:
        ours = (firmware_dir() / "kernels" / f"{call.function}.c").exists()
        assert call.source == (f"{call.function}.c" if ours else None), call.function


@every_class
def test_a_dtype_that_is_not_declared_is_refused(cls):
    graph, op = graphs_of_classes().get(cls) or float_only(cls)
    source = graph.tensor(op.inputs[cls.typed_input])
    assert isinstance(op, cls)

    for dtype in set(DType) - set(cls.kernels):
        other = graph.with_tensors(Tensor(source.name, source.shape, dtype, source.quant))
        with pytest.raises(ModelError):
            op.infer(other)
