"""Constants that a file has and the graph has not."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.ir.graph import Array


@dataclass(frozen=True, slots=True)
class InlineConstant:
    """A constant the file format wants as an input where the graph has a field."""

    suffix: str
    data: Array
