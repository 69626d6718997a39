"""What ONNX's reductions share: their axes, and where the dimensions left over go."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.ops.contract.onnx import OnnxNodeIn


def read_onnx_axes(node: OnnxNodeIn) -> tuple[tuple[int, ...], bool]:
    """Read the first operand's dimensions to reduce, and whether they stay as 1.

    Global pools reduce all but the first two; a reduction without axes reduces all.
    """
    if node.op_type.startswith("Global"):
        return node.axes(range(2, len(node.order))), True
    axes = node.integers("axes", 1)
    if not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            raise node.error("reduces nothing (noop_with_empty_axes without axes), expected axes")
        axes = list(range(len(node.order)))
    return node.axes(axes), bool(node.attributes.get("keepdims", 1))


def reduced_order(order: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Give the order of the dimensions left over once ``axes`` are taken out of the tensor."""
    return tuple(place - sum(axis < place for axis in axes) for place in order if place not in axes)
