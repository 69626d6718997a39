"""Quantized ONNX models of another form than QDQ, refused with what to do instead.

ONNX Runtime's quantizer writes them with ``QuantFormat.QOperator`` and with ``quantize_dynamic``.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.errors import shortened
from tinyml.frontend.onnx.file import FileNode

# They quantize activations by what these are at run time, or weights alone.
DYNAMIC = {
    *("ConvInteger", "DynamicQuantizeLSTM", "DynamicQuantizeLinear", "DynamicQuantizeMatMul"),
    *("MatMulInteger", "MatMulIntegerToFloat", "MatMulNBits", "QAttention"),
}
# Operators on integers, with their scales among their inputs, are called so: QLinearConv, QGemm.
STATIC = ("QLinear", "QGemm")

AGAIN = "quantize it with quantize_static and quant_format=QuantFormat.QDQ"


def form_refusal(node: FileNode) -> str | None:
    """Say why a node of such a form is not read, None of all others."""
    kind = _kind(node)
    if kind in DYNAMIC:
        return "quantizes while the model runs, which no device here does"
    return "is of ONNX's QOperator form, expected QDQ" if kind.startswith(STATIC) else None


def _kind(node: FileNode) -> str:
    """The operator without its domain; of a damaged file it may be no text."""
    return str(node.op_type).rsplit(".", 1)[-1]


def model_refusal(nodes: Sequence[FileNode], name: str) -> str | None:
    """Say of a model once what is wrong with all nodes of such forms; None where it has none."""
    found = [node for node in nodes if node.outputs and form_refusal(node) is not None]
    if not found:
        return None
    shown = shortened([f"{node.op_type} '{node.outputs[0]}'" for node in found])
    if any(_kind(node) in DYNAMIC for node in found):
        return (
            f"'{name}' is quantized dynamically ({shown}): the scales of activations are not known "
            f"before it runs, expected QDQ; give its float model to 'tinyml quantize', or {AGAIN}"
        )
    return (
        f"'{name}' is quantized in ONNX's QOperator form ({shown}), expected QDQ; give its float "
        f"model to 'tinyml quantize', or {AGAIN}"
    )
