"""LOGICAL_OR of two bool tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import DType
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.elementwise import LogicalOperator


@dataclass(frozen=True, kw_only=True)
class LogicalOr(LogicalOperator):
    """Whether either element holds, with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("LOGICAL_OR",)
    onnx_type: ClassVar[str] = "Or"
    ufunc: ClassVar[np.ufunc] = np.logical_or
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Or": Operands.ANY}
    kernels: ClassVar[Kernels] = {DType.BOOL: ("tinyml_logical_or",)}
