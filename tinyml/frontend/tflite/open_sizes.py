"""Sizes that a .tflite leaves open, worked out operator by operator for a batch of 1.

A converter writes a ``shape_signature`` with -1 for every size that it does not know, and a stored
shape in which 1 stands for it. That is the truth at the model's inputs, and beyond them as long as
nothing moves the batch: SPACE_TO_BATCH_ND, which dilated convolutions begin with, makes it 2 or 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tinyml.errors import ModelError
from tinyml.frontend.tflite.tensors import values_of
from tinyml.ir.graph import Graph, Shape, Tensor
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.tflite import TfliteNode

OPEN = -1

# Operators whose output may have any shape of its size: they are read by what the file declares.
RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
# The operand that states the output's shape, of those that have one.
STATES_SHAPE = {"RESHAPE": 1, "FILL": 0}


def open_signatures(subgraph: Any, order: list[str]) -> dict[str, Shape]:
    """The signature of each tensor of which a size is open."""
    raws = zip(order, values_of(subgraph.tensors), strict=True)
    signatures = ((name, values_of(raw.shapeSignature), values_of(raw.shape)) for name, raw in raws)
    return {
        name: tuple(int(size) for size in signature)
        for name, signature, shape in signatures
        if len(signature) == len(shape) and any(size < 0 for size in signature)
    }


def close_inputs(
    inputs: tuple[str, ...], tensors: dict[str, Tensor], signatures: dict[str, Shape]
) -> list[str]:
    """Give the inputs a batch of 1; say which have other sizes open."""
    problems: list[str] = []
    for name in inputs:
        signature = signatures.pop(name, ())
        if any(size < 0 for size in signature[1:]):
            problems.append(dynamic(name, signature))
        elif signature:
            tensors[name] = replace(tensors[name], shape=(1, *signature[1:]))
    return problems


def close_reshape(
    node: TfliteNode, tensors: dict[str, Tensor], signatures: dict[str, Shape]
) -> None:
    """Settle the output of an operator that is read by its declared shape."""
    if node.opcode not in {*RESHAPES, *STATES_SHAPE} or node.outputs[0] not in signatures:
        return
    name = node.outputs[0]
    sizes = [*_stated(node, signatures[name])]
    if sizes.count(OPEN) == 1 and node.opcode in RESHAPES:
        whole, rest = tensors[node.inputs[0]].size, math.prod(s for s in sizes if s != OPEN)
        if rest > 0 and whole % rest == 0:
            sizes[sizes.index(OPEN)] = whole // rest
    if OPEN not in sizes:
        tensors[name] = replace(tensors[name], shape=tuple(sizes))
        del signatures[name]


def _stated(node: TfliteNode, signature: Shape) -> Shape:
    """The signature, with what a constant operand says in place of what it leaves open."""
    place = STATES_SHAPE.get(node.opcode, len(node.inputs))
    name = node.inputs[place] if place < len(node.inputs) else ""
    data = node.tensors[name].data if name else None
    if data is None or data.size != len(signature):
        return signature
    stated = (int(size) for size in data.reshape(-1))
    return tuple(
        size if known == OPEN else known for known, size in zip(signature, stated, strict=True)
    )


def close_outputs(op: Operator, tensors: dict[str, Tensor], signatures: dict[str, Shape]) -> None:
    """Give the outputs the sizes that follow from the inputs.

    Where nothing follows they stay as declared, and the verification of the whole graph says why.
    """
    if signatures.keys().isdisjoint(op.outputs):
        return
    names = {*op.present_inputs, *op.outputs}
    graph = Graph(op.name, {name: tensors[name] for name in names}, (), (), ())
    with suppress(ModelError):
        for name, spec in zip(op.outputs, op.infer(graph), strict=True):
            if _fits(spec.shape, signatures.get(name, ())):
                tensors[name] = replace(tensors[name], shape=spec.shape)
                del signatures[name]


def _fits(shape: Shape, signature: Shape) -> bool:
    pairs = zip(shape, signature, strict=False)
    return len(shape) == len(signature) and all(s in {OPEN, size} for size, s in pairs)


def refuse_open(signatures: Mapping[str, Shape], graph: Graph) -> None:
    """Refuse what is open but for the batch, and follows from nothing."""
    for name, signature in signatures.items():
        if name in graph.tensors and any(size < 0 for size in signature[1:]):
            raise ModelError(dynamic(name, signature))


def dynamic(name: str, signature: Shape) -> str:
    """Only the batch, the first dimension, may be open: the device runs one sample at a time."""
    shown = ", ".join("?" if size < 0 else str(size) for size in signature)
    return (
        f"tensor '{name}' has the dynamic shape ({shown}), expected static sizes; "
        "fix the model's input shape before converting it"
    )
