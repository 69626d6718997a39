"""Arithmetic on shapes and other constants, done while reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx.reference import ReferenceEvaluator

from tinyml.errors import ModelError
from tinyml.frontend.onnx.file import FileNode
from tinyml.ir.graph import Array

# What stands in no model that is meant for a microcontroller.
LARGEST_CONSTANT = 2**26

FOLDABLE = {
    *("Abs", "Add", "And", "Cast", "CastLike", "Ceil", "Clip", "Concat", "Constant"),
    *("ConstantOfShape", "Div", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather"),
    *("GatherElements", "Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual"),
    *("Log", "MatMul", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range"),
    *("Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape"),
    *("Round", "ScatterElements", "ScatterND", "Shape", "Sign", "Size", "Slice", "Split", "Sqrt"),
    *("Squeeze", "Sub", "Sum", "Tile", "Transpose", "Trilu", "Unsqueeze", "Where"),
}


def fold(node: FileNode, inputs: Sequence[Array | None], opset: int) -> list[Array]:
    """Values of a node's outputs; absent inputs are None.

    ModelError where they are too large, or onnx's own evaluator fails.
    """
    present = [value for value in inputs if value is not None]
    if _largest_output(node, present) > LARGEST_CONSTANT:
        raise ModelError(
            f"{node.op_type} '{node.outputs[0]}': makes a constant of more than "
            f"{LARGEST_CONSTANT} elements"
        )
    named = {name: value for name, value in zip(node.inputs, inputs, strict=True) if name}
    try:
        with np.errstate(all="ignore"):  # what is not finite is found where it is used
            evaluator = ReferenceEvaluator(node.proto, opsets={"": opset})
            return [np.asarray(value) for value in evaluator.run(None, named)]
    except Exception as error:  # onnx's evaluator checks neither inputs nor attributes
        raise ModelError(
            f"{node.op_type} '{node.outputs[0]}': onnx cannot compute it from its constants "
            f"({type(error).__name__}: {error}); export the model again"
        ) from error


def _largest_output(node: FileNode, inputs: Sequence[Array]) -> float:
    """How many elements a node writes, or a bound above, without computing it."""
    estimate = _ESTIMATES.get(node.op_type)
    if estimate is not None:
        return estimate(node, inputs)
    ranks = max((value.ndim for value in inputs), default=0)
    lifted = [(1,) * (ranks - value.ndim) + value.shape for value in inputs]
    return float(math.prod(max(sizes) for sizes in zip(*lifted, strict=True)))


def _product(values: Array) -> int:
    return math.prod(max(1, int(value)) for value in values.reshape(-1))


def _constant_of_shape_size(node: FileNode, inputs: Sequence[Array]) -> float:
    del node
    return _product(inputs[0])


def _repeated_size(node: FileNode, inputs: Sequence[Array]) -> float:
    del node
    return inputs[0].size * _product(inputs[1])


def _range_size(node: FileNode, inputs: Sequence[Array]) -> float:
    del node
    start, limit, delta = (float(value.reshape(-1)[0]) for value in inputs)
    return abs(limit - start) / max(abs(delta), 1e-30)


def _concat_size(node: FileNode, inputs: Sequence[Array]) -> float:
    del node
    return sum(value.size for value in inputs)


def _gather_size(node: FileNode, inputs: Sequence[Array]) -> float:
    data, indices = inputs
    along = int(data.shape[node.attributes.get("axis", 0)])
    return float(data.size / max(1, along) * indices.size)


def _matmul_size(node: FileNode, inputs: Sequence[Array]) -> float:
    del node
    first, second = inputs
    return first.size * second.size / max(1, first.shape[-1]) ** 2


_ESTIMATES: Mapping[str, Callable[[FileNode, Sequence[Array]], float]] = {
    "Concat": _concat_size,
    "ConstantOfShape": _constant_of_shape_size,
    "Expand": _repeated_size,
    "Gather": _gather_size,
    "MatMul": _matmul_size,
    "Range": _range_size,
    "Tile": _repeated_size,
}
