"""LOGICAL_OR of two bool tensors whose shapes broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyml.ops.elementwise import LogicalOperator


@dataclass(frozen=True, kw_only=True)
class LogicalOr(LogicalOperator):
    """Whether either element holds, with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("LOGICAL_OR",)
    onnx_type: ClassVar[str] = "Or"
    kernel: ClassVar[str] = "tinyml_logical_or"
