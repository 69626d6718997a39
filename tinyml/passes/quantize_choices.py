"""Turns a choice between two float constants that a QUANTIZE follows into one of integers.

TensorFlow's converter leaves a CAST of bool to float32, and a ONE_HOT, float in an int8 model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.numerics.affine import quantize
from tinyml.ops.cast import Cast
from tinyml.ops.one_hot import OneHot
from tinyml.ops.quantize import Quantize
from tinyml.ops.select import Select


def quantize_choices(graph: Graph) -> Graph:
    """Let the choice write what the QUANTIZE does, where nothing else reads it."""
    for op in graph.ops:
        choice = graph.producers.get(op.inputs[0]) if isinstance(op, Quantize) else None
        values = _values(graph, choice)
        if choice is not None and values is not None and graph.only_reader(choice.name) is op:
            graph = _quantized(graph, choice, op, values)
    return graph


def _values(graph: Graph, op: Op | None) -> tuple[Array, Array] | None:
    """The two float constants that an operator chooses between, that for true first."""
    if isinstance(op, Cast) and graph.tensor(op.inputs[0]).dtype is DType.BOOL:
        is_real = op.dtype is DType.FLOAT32
        return (np.array(1, np.float32), np.array(0, np.float32)) if is_real else None
    if isinstance(op, OneHot):
        on, off = (graph.tensor(name) for name in op.inputs[1:])
        if on.data is not None and off.data is not None and on.dtype is DType.FLOAT32:
            return on.data, off.data
    return None


def _quantized(graph: Graph, choice: Op, reader: Op, values: tuple[Array, Array]) -> Graph:
    output = graph.tensor(reader.outputs[0])
    constants = [
        Tensor(
            f"{output.name}/{key}",
            value.shape,
            output.dtype,
            output.quant,
            np.asarray(quantize(value, output.per_tensor, output.dtype)),
        )
        for key, value in zip(("true", "false"), values, strict=True)
    ]
    inputs = (choice.inputs[0], *(tensor.name for tensor in constants))
    chosen: Op
    if isinstance(choice, OneHot):
        chosen = replace(choice, name=output.name, inputs=inputs, outputs=reader.outputs)
    else:
        chosen = Select(name=output.name, inputs=inputs, outputs=reader.outputs, by_row=False)
    ops = (chosen if op is reader else op for op in graph.ops if op is not choice)
    return replace(graph.with_tensors(*constants), ops=tuple(ops)).pruned()
