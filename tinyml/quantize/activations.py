"""Scale and zero point of every activation, where operators tie some of them together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinyml.errors import InputError, ModelError
from tinyml.ir.graph import DType, Graph, Op, QuantParams
from tinyml.numerics.affine import LIMITS, range_params
from tinyml.ops.cast import Cast
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.quantize import Quantize
from tinyml.quantize.calibrate import INFINITE, CalibrationTable
from tinyml.quantize.observers import Range


@dataclass(frozen=True, slots=True)
class Group:
    """Tensors that share scale and zero point, for operators tie them together.

    ``is_fixed``: an operator's definition gives the parameters, or whole numbers that are cast to
    integers do; no range has a say.
    """

    names: tuple[str, ...]
    params: QuantParams
    is_fixed: bool


def choose_activation_params(
    graph: Graph, table: CalibrationTable, dtypes: Mapping[str, DType]
) -> tuple[Group, ...]:
    """Parameters of activations and of constants used like them, each in one group.

    ``dtypes`` has one by name; it is the same for all that operators tie together. Those share the
    widest range among them, or the parameters an operator in their midst fixes. Whole numbers that
    are cast to integers get the scale 1.
    """
    parameters = _parameter_names(graph)
    names = [
        t.name
        for t in graph.tensors.values()
        if t.dtype is DType.FLOAT32 and t.name not in parameters
    ]
    fixed = _fixed(graph, dtypes)
    return tuple(
        _group(graph, table, group, fixed, dtypes[group[0]]) for group in _tied(graph, names)
    )


def _group(
    graph: Graph,
    table: CalibrationTable,
    names: list[str],
    fixed: dict[str, QuantParams],
    dtype: DType,
) -> Group:
    given = next((fixed[name] for name in names if name in fixed), None)
    given = given or _whole_params(graph, table, names, dtype)
    params = given or _from_ranges(graph, table, names, dtype)
    return Group(tuple(names), params, is_fixed=given is not None)


def split_fixed_inputs(
    graph: Graph, table: CalibrationTable, dtypes: Mapping[str, DType]
) -> tuple[Graph, CalibrationTable]:
    """Put a QUANTIZE before inputs that would have to take parameters they cannot have.

    CONCATENATION wants all its inputs in the output's scale, but e.g. SOFTMAX fixes its own.
    """
    fixed = _spread(graph, set(_fixed(graph, dtypes)))
    ops: list[Op] = []
    tensors, ranges = dict(graph.tensors), dict(table.ranges)
    for op in operators(graph):
        if op.quantization_rule(graph).inputs_follow_output:
            for name in [n for n in dict.fromkeys(op.inputs) if n in fixed]:
                moved = f"{op.name}/requantized/{name}"
                tensors[moved] = replace(tensors[name], name=moved)
                ranges[moved] = ranges[name]
                dtype = dtypes[name]
                quantize = Quantize(name=moved, inputs=(name,), outputs=(moved,), dtype=dtype)
                ops.append(quantize)
                op = replace(op, inputs=tuple(moved if n == name else n for n in op.inputs))
        ops.append(op)
    changed = replace(graph, tensors=tensors, ops=tuple(ops))
    return changed, replace(table, ranges=ranges)


def separate_constants(graph: Graph) -> Graph:
    """Give a constant that is a weight or a bias here and an operand there a copy for the latter.

    An unrolled LSTM adds one bias to a sum, and to a product inside FULLY_CONNECTED.
    """
    parameters = _parameter_names(graph)
    tensors, ops = dict(graph.tensors), list[Op]()
    for op in operators(graph):
        places = _parameter_places(graph, op)
        inputs = list(op.inputs)
        for index, name in enumerate(op.inputs):
            if name in parameters and index not in places:
                inputs[index] = f"{name}/operand"
                tensors[inputs[index]] = replace(graph.tensor(name), name=inputs[index])
        ops.append(replace(op, inputs=tuple(inputs)))
    return replace(graph, tensors=tensors, ops=tuple(ops))


def _parameter_names(graph: Graph) -> set[str]:
    """Names of weights and biases."""
    return {
        op.inputs[index]
        for op in operators(graph)
        for index in _parameter_places(graph, op)
        if index < len(op.inputs) and op.inputs[index]
    }


def _parameter_places(graph: Graph, op: Operator) -> set[int]:
    """Places of weights and bias among the inputs."""
    rule = op.quantization_rule(graph)
    return {*rule.weights, *([] if rule.bias is None else [rule.bias])}


def _fixed(graph: Graph, dtypes: Mapping[str, DType]) -> dict[str, QuantParams]:
    outputs = ((op, op.outputs[0]) for op in operators(graph) if op.outputs)
    found = {n: op.quantization_rule(graph).fixed(dtypes[n]) for op, n in outputs}
    return {name: fixed for name, fixed in found.items() if fixed is not None}


def _spread(graph: Graph, names: set[str]) -> set[str]:
    """Add the tensors that take over the parameters of one in ``names``."""
    found = set(names)
    for op in operators(graph):
        if op.quantization_rule(graph).output_follows_input and op.inputs[0] in found:
            found.update(op.outputs)
    return found


def _ties(graph: Graph, op: Operator) -> tuple[str, ...]:
    rule = op.quantization_rule(graph)
    if rule.inputs_follow_output:
        return (*op.present_inputs, *op.outputs)
    return (op.inputs[0], *op.outputs) if rule.output_follows_input else ()


def _tied(graph: Graph, names: Iterable[str]) -> list[list[str]]:
    """Groups of tensors that share parameters, each tensor in exactly one."""
    group_of = {name: [name] for name in names}
    for op in operators(graph):
        # Integers of a float graph, such as indices, stay what they are.
        first, *others = [name for name in _ties(graph, op) if name in group_of] or [""]
        for other in others:
            if group_of[other] is not group_of[first]:
                group_of[first].extend(group_of[other])
                group_of.update(dict.fromkeys(group_of[other], group_of[first]))
    return list({id(group): group for group in group_of.values()}.values())


def _from_ranges(
    graph: Graph, table: CalibrationTable, group: list[str], dtype: DType
) -> QuantParams:
    ranges = [_range(graph, table, name) for name in group]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if low == high == 0:  # any scale holds it, but a reader's bias has steps of it
        high = 1.0
    return range_params(low, high, dtype)


def _whole_params(
    graph: Graph, table: CalibrationTable, group: list[str], dtype: DType
) -> QuantParams | None:
    """Give scale 1 to whole numbers that are cast to integers, where they fit ``dtype``.

    What computes them then rounds to whole numbers too.
    """
    if not any(_is_cast_to_integers(graph, name) for name in group):
        return None
    if any(_has_fractions(graph, table, name) for name in group):
        return None
    ranges = [_range(graph, table, name) for name in group]
    low = math.floor(min(0, *(low for low, _ in ranges)))
    high = math.ceil(max(0, *(high for _, high in ranges)))
    return whole_params(low, high, dtype)


def whole_params(low: int, high: int, dtype: DType) -> QuantParams | None:
    """Scale 1, and zero point 0 where that will do; None where the numbers do not fit."""
    first, last = LIMITS[dtype]
    if first <= low and high <= last:
        return QuantParams.per_tensor(1.0, 0)
    if high - low <= last - first and first <= first - low <= last and dtype is DType.INT8:
        return QuantParams.per_tensor(1.0, first - low)
    return None


def _is_cast_to_integers(graph: Graph, name: str) -> bool:
    casts = (op for op in graph.consumers[name] if isinstance(op, Cast))
    return any(op.dtype not in {DType.FLOAT32, DType.BOOL} for op in casts)


def _has_fractions(graph: Graph, table: CalibrationTable, name: str) -> bool:
    data = graph.tensor(name).data
    return name in table.fractions if data is None else bool((data != np.trunc(data)).any())


def _range(graph: Graph, table: CalibrationTable, name: str) -> Range:
    data = graph.tensor(name).data
    if data is not None:
        return float(data.min()), float(data.max())
    if name in table.infinite and not _may_be_infinite(graph, table, name):
        raise InputError(INFINITE.format(name=name))
    if name not in table.ranges:
        raise ModelError(f"tensor '{name}' has no calibrated range")
    return table.ranges[name]


def _may_be_infinite(graph: Graph, table: CalibrationTable, name: str) -> bool:
    """Whether it is a function's value where that has none: the end of the range stands for it.

    A LOG of 0 is the least of the logarithms then, as it is in TFLite.
    """
    function = graph.producers.get(name)
    if not isinstance(function, UnaryOperator) or name not in table.ranges:
        return False
    return function.inputs[0] not in table.infinite
