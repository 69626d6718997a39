"""What could be read of an ONNX model whose nodes cannot all be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tinyml.errors import ModelError
from tinyml.frontend.onnx.decompose import DECOMPOSED
from tinyml.frontend.onnx.file import FileNode, OnnxFile
from tinyml.frontend.onnx.fold import FOLDABLE
from tinyml.frontend.onnx.quantized_forms import form_refusal
from tinyml.frontend.onnx.values import Values
from tinyml.frontend.partial import FileOperator, PartialModel
from tinyml.ir.graph import Tensor
from tinyml.ops.contract.registry import operators_by_onnx_type

# What leaves its first input as it is.
ALIASES = {"Dropout", "Identity"}
# Nodes that become scales of tensors.
SCALES = {"QuantizeLinear", "DequantizeLinear"}


def require_known(node: FileNode) -> None:
    """Refuse nodes of kinds that are never used; ModelError says so."""
    refusal = form_refusal(node)
    if refusal is not None:
        raise ModelError(f"{node.op_type} '{node.outputs[0]}': {refusal}")
    if node.op_type not in {*operators_by_onnx_type(), *DECOMPOSED, *ALIASES, *SCALES, *FOLDABLE}:
        raise ModelError(
            f"{node.op_type} '{node.outputs[0]}': is not supported ('tinyml ops' lists what is)"
        )


def partly_lowered(
    file: OnnxFile, name: str, values: Values, reasons: Mapping[int, str]
) -> PartialModel:
    """Say of each node that computes something what is known; ``reasons`` go by their places."""
    return PartialModel(
        name=name,
        inputs={edge.name: _tensor(values, edge.name) for edge in file.inputs},
        outputs={edge.name: _tensor(values, edge.name) for edge in file.outputs},
        operators=tuple(
            file_operator(node, _tensor(values, node.outputs[0]), reasons.get(place))
            for place, node in enumerate(file.nodes)
            if place in reasons or _computes(values, node)
        ),
        tensors=values.tensors,
    )


def file_operator(node: FileNode, output: Tensor | None, reason: str | None) -> FileOperator:
    """Describe a node; what it becomes is not one operator, and hence left open."""
    name = next(filter(None, node.outputs), node.op_type)
    return FileOperator(kind=node.op_type, name=name, output=output, reason=reason)


def _computes(values: Values, node: FileNode) -> bool:
    return node.outputs[0] not in values.constants and node.op_type not in SCALES


def _tensor(values: Values, name: str) -> Tensor | None:
    """Give the tensor that holds a value, in the value's own shape; None where there is none."""
    view = values.views.get(name)
    return None if view is None else replace(values.tensors[view.tensor], shape=view.shape)
