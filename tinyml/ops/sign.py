"""SIGN, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Sign(UnaryOperator):
    """-1, 0 or 1."""

    opcodes: ClassVar[tuple[str, ...]] = ("SIGN",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Sign": Operands.ANY}
    onnx_type: ClassVar[str] = "Sign"
    int8_version: ClassVar[int | None] = None

    def function(self, x: Array) -> Array:
        """Which side of 0."""
        return np.asarray(np.sign(x))
