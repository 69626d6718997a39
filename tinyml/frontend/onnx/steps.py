"""Collects the nodes that stand in for one ONNX node, and the constants they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from tinyml.errors import ModelError
from tinyml.frontend.onnx.file import FileNode
from tinyml.ir.graph import Array, Shape


@dataclass(frozen=True, slots=True)
class Steps:
    """What ``node`` is made of; names follow its first output's.

    ``shapes`` are those of its inputs, ``known`` the values of those that are constant.
    """

    node: FileNode
    opset: int
    shapes: tuple[Shape, ...]
    known: Mapping[str, Array]
    nodes: list[FileNode] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the names of new values begin with."""
        return next(filter(None, self.node.outputs))

    def input(self, index: int) -> str:
        """Name of an input, empty where it is not there."""
        return self.node.inputs[index] if index < len(self.node.inputs) else ""

    def value(self, index: int) -> Array:
        """Value of an input that must be constant."""
        name = self.input(index)
        if name not in self.known:
            raise self.error(f"input {index} ('{name}') is computed at run time, expected constant")
        return self.known[name]

    def attribute(self, name: str, default: Any) -> Any:
        """Attribute of the node, or what it is where the node does not say."""
        return self.node.attributes.get(name, default)

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Name a new constant."""
        name = f"{self.prefix}/constant{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def add(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and name its output."""
        return self.write(f"{self.prefix}/step{len(self.nodes)}", op_type, *inputs, **attributes)

    def write(self, output: str, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Add a node whose output has this name."""
        proto = onnx.helper.make_node(op_type, inputs, (output,), **attributes)
        self.nodes.append(FileNode(op_type, inputs, (output,), attributes, proto))
        return output

    def reduce(self, op_type: str, source: str, axes: list[int]) -> str:
        """Reduce dimensions to 1; axes became an input in opset 18, of ReduceSum in 13."""
        if self.opset < 18 and op_type != "ReduceSum":
            return self.add(op_type, source, axes=axes, keepdims=1)
        return self.add(op_type, source, self.constant(axes, np.int64), keepdims=1)

    def error(self, message: str) -> ModelError:
        """Make an error that says which node it is about."""
        return ModelError(f"{self.node.op_type} '{self.prefix}': {message}")
