"""MINIMUM of two tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ops.elementwise import ExtremumOperator
from tinyml.ops.onnx_node import Operands


@dataclass(frozen=True, kw_only=True)
class Minimum(ExtremumOperator):
    """The smaller of two elements, with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("MINIMUM",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Min": Operands.ANY}
    onnx_type: ClassVar[str] = "Min"
    kernel: ClassVar[str] = "tinyml_minimum_s8"
