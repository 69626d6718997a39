"""Constant arrays as C text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinyml.ir.graph import Array

VALUES_PER_LINE = {1: 20, 2: 14, 4: 8, 8: 5}


def c_type(dtype: np.dtype[Any]) -> str:
    """C's name of an element type; a bool is stored as one byte."""
    if dtype.kind == "f":
        return "float"
    return "uint8_t" if dtype.kind == "b" else f"{dtype.name}_t"


def declaration(name: str, data: Array) -> str:
    """``const int8_t name[size]``."""
    return f"const {c_type(data.dtype)} {name}[{data.size}]"


def definition(name: str, data: Array) -> str:
    """Text of the array with its values, row after row."""
    return f"{declaration(name, data)} = {{\n{_rows(data)}\n}};\n"


def _rows(data: Array) -> str:
    texts = _texts(data)
    step = VALUES_PER_LINE[data.dtype.itemsize]
    return "\n".join(
        "    " + ", ".join(texts[start : start + step]) + ","
        for start in range(0, len(texts), step)
    )


def _texts(data: Array) -> list[str]:
    if data.dtype == np.bool_:
        data = data.astype(np.uint8)
    values = data.reshape(-1).tolist()
    if data.dtype == np.int8:
        return list(map(INT8_TEXTS.__getitem__, values))
    if data.dtype == np.int32:
        return list(_int32_texts(values))
    return list(map(str, values))


# Weights are by far the most numerous values.
INT8_TEXTS = {value: str(value) for value in range(-128, 128)}


def _int32_texts(values: list[int]) -> Iterator[str]:
    """-2**31 cannot be written as a C literal of type int."""
    return ("(-2147483647 - 1)" if value == -(2**31) else str(value) for value in values)
