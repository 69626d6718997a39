"""An operator in TFLite's terms: what it is read from, what it is written as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, QuantParams, Tensor
from tinyml.ops.contract.inline_constant import InlineConstant

# The schema's TensorType.
TFLITE_TYPES = {
    DType.FLOAT32: 0,
    DType.INT32: 2,
    DType.UINT8: 3,
    DType.INT64: 4,
    DType.BOOL: 6,
    DType.INT16: 7,
    DType.INT8: 9,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteNode:
    """One operator of a .tflite file, decoded to names and plain values.

    ``options`` holds the fields of the builtin options table under the schema's camelCase names,
    ``intermediates`` the parameters of what the operator computes on its way.
    """

    opcode: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    intermediates: tuple[QuantParams | None, ...] = ()

    def constant_input(self, index: int) -> Array:
        """Value of an input that must be known at build time."""
        tensor = self.tensors[self.inputs[index]]
        if tensor.data is None:
            raise ModelError(
                f"{self.opcode} '{self.name}': input {index} ('{tensor.name}') is computed at run "
                "time, expected a constant; static shapes are needed on the device"
            )
        return tensor.data


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteOp:
    """One operator to write: schema names, lowest version that says what is meant.

    ``intermediates`` are the parameters of what it computes on its way.
    """

    opcode: str
    version: int
    inputs: tuple[str | InlineConstant, ...]
    options_table: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    intermediates: tuple[QuantParams | None, ...] = ()
