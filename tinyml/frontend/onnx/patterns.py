"""Functions that exporters spell out in small operators, put back together.

HardSwish came with opset 14, Gelu with opset 20; before, and from some exporters after too, they
are several nodes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinyml.frontend.onnx.file import FileNode, OnnxFile
from tinyml.ir.graph import Array

CLOSE = 1e-3


def with_patterns(file: OnnxFile) -> OnnxFile:
    """Replace the last node of each pattern by the function; the others are then read by nobody."""
    finder = _Finder(file)
    nodes = tuple(finder.replaced(node) for node in file.nodes)
    return replace(file, nodes=_without_unread(nodes, [edge.name for edge in file.outputs]))


class _Finder:
    """Looks backwards from a node at what its inputs are made of."""

    def __init__(self, file: OnnxFile) -> None:
        self.producers = {name: node for node in file.nodes for name in node.outputs}
        self.constants: dict[str, Array] = dict(file.constants)
        for node in file.nodes:
            values = [v for k, v in node.attributes.items() if k in {"value", "value_float"}]
            if node.op_type == "Constant" and values:
                self.constants[node.outputs[0]] = np.asarray(values[0])

    def replaced(self, node: FileNode) -> FileNode:
        """The function whose last node this is, or the node itself."""
        source = self._hard_swish(node)
        if source is not None:
            return _function(node, "HardSwish", source)
        source = self._gelu(node)
        return node if source is None else _function(node, "Gelu", source)

    def _hard_swish(self, node: FileNode) -> str | None:
        """``x * HardSigmoid(x)`` with slope 1/6 and offset 1/2."""
        for source, other in _either_way(node, "Mul"):
            ramp = self.producers.get(other)
            if ramp is None or ramp.op_type != "HardSigmoid" or ramp.inputs[0] != source:
                continue
            slope, offset = ramp.attributes.get("alpha", 0.2), ramp.attributes.get("beta", 0.5)
            if abs(slope - 1 / 6) < CLOSE and abs(offset - 0.5) < CLOSE:
                return source
        return None

    def _gelu(self, node: FileNode) -> str | None:
        """``x * (1 + erf(x / sqrt(2))) * 0.5``, its three factors in any order."""
        factors = self._factors(node)
        halves = [name for name in factors if self._is_number(name, 0.5)]
        sums = {name: self._erf_argument(name) for name in factors}
        shifted = [name for name, argument in sums.items() if argument is not None]
        if len(factors) != 3 or len(halves) != 1 or len(shifted) != 1:
            return None
        (source,) = [name for name in factors if name not in {halves[0], shifted[0]}] or [""]
        return source if source == sums[shifted[0]] else None

    def _factors(self, node: FileNode) -> list[str]:
        """What two multiplications one after another multiply."""
        if node.op_type != "Mul" or len(node.inputs) != 2:
            return []
        for first, second in (node.inputs, node.inputs[::-1]):
            inner = self.producers.get(first)
            if (
                inner is not None
                and inner.op_type == "Mul"
                and self._is_half_of_gelu(inner, second)
            ):
                return [*inner.inputs, second]
        return []

    def _is_half_of_gelu(self, inner: FileNode, other: str) -> bool:
        names = (*inner.inputs, other)
        return any(self._erf_argument(name) is not None for name in names)

    def _erf_argument(self, name: str) -> str | None:
        """X of ``1 + erf(x / sqrt(2))``."""
        for error, one in _either_way(self.producers.get(name), "Add"):
            node = self.producers.get(error)
            if self._is_number(one, 1) and node is not None and node.op_type == "Erf":
                return self._halved_root(node.inputs[0])
        return None

    def _halved_root(self, name: str) -> str | None:
        """X of ``x / sqrt(2)``."""
        node = self.producers.get(name)
        for source, factor in _either_way(node, "Mul"):
            if self._is_number(factor, math.sqrt(0.5)):
                return source
        if node is not None and node.op_type == "Div" and self._is_number(node.inputs[1], 2**0.5):
            return node.inputs[0]
        return None

    def _is_number(self, name: str, value: float) -> bool:
        constant = self.constants.get(name)
        return (
            constant is not None
            and constant.dtype.kind == "f"
            and constant.size == 1
            and abs(float(constant.reshape(-1)[0]) - value) < CLOSE
        )


def _either_way(node: FileNode | None, op_type: str) -> Sequence[tuple[str, str]]:
    """Both orders of a node's two inputs, none where it is another node."""
    if node is None or node.op_type != op_type or len(node.inputs) != 2:
        return ()
    first, second = node.inputs
    return (first, second), (second, first)


def _function(node: FileNode, op_type: str, source: str) -> FileNode:
    attributes: Mapping[str, str] = {}
    return replace(node, op_type=op_type, inputs=(source,), attributes=attributes)


def _without_unread(nodes: Sequence[FileNode], outputs: Sequence[str]) -> tuple[FileNode, ...]:
    """Leave out nodes that nothing reads, such as the inner ones of a pattern."""
    read, kept = set(outputs), list[FileNode]()
    for node in reversed(nodes):
        if not read.isdisjoint(node.outputs):
            read.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
