"""Calibration ranges in a JSON file, to be looked at, edited and taken again."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tinyml.errors import InputError
from tinyml.files import StrPath, as_path, atomic_write
from tinyml.ir.graph import Graph
from tinyml.malformed import explain
from tinyml.quantize.calibrate import LARGEST_FLOAT, CalibrationTable, calibrated_names
from tinyml.quantize.observers import Range

SHOWN = 3


@dataclass(frozen=True, slots=True)
class SavedRanges:
    """A table from a file, and the methods after which its ranges were found."""

    path: Path
    table: CalibrationTable
    after: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file, whose keys are the fields."""

    samples: int
    after: tuple[str, ...] = ()
    infinite: tuple[str, ...] = ()
    fractions: dict[str, float] = {}
    ranges: dict[str, Any]


def write_ranges(path: StrPath, table: CalibrationTable, after: Sequence[str] = ()) -> None:
    """Write a table as JSON, a tensor a line. ``after`` names methods that were applied before."""
    fields = {
        "samples": table.samples,
        "after": list(after),
        "infinite": sorted(table.infinite),
        "fractions": dict(table.fractions),
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items()]
    ranges = [
        f"    {json.dumps(n)}: [{low!r}, {high!r}]" for n, (low, high) in table.ranges.items()
    ]
    body = ",\n".join([*lines, '  "ranges": {\n' + ",\n".join(ranges) + "\n  }"])
    atomic_write(as_path(path), "{\n" + body + "\n}\n")


def read_ranges(path: StrPath) -> SavedRanges:
    """Read a table. Raises InputError where the file is malformed, with the tensor at fault."""
    path = as_path(path)
    content = _content(path)
    try:
        file = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise InputError(
            f"'{path}' is malformed: {explain(error, content, _File)}; docs/cli.md says what each "
            "key means"
        ) from None
    ranges = {name: _range(path, name, value) for name, value in file.ranges.items()}
    table = CalibrationTable(ranges, file.samples, frozenset(file.infinite), file.fractions)
    return SavedRanges(path, table, file.after)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:  # of JSON and of UTF-8
        raise InputError(
            f"'{path}' is no JSON ({error}); write it with 'tinyml quantize --save-ranges'"
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"'{path}' holds no JSON object, expected one with 'ranges'")
    return content


def _range(path: Path, name: str, value: object) -> Range:
    """Two finite numbers in order."""
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 2 or any(type(each) not in {int, float} for each in numbers):
        raise InputError(
            f"'{path}': the range of tensor '{name}' is {json.dumps(value)}, expected two numbers "
            "[low, high]"
        )
    low, high = map(float, numbers)
    if not (math.isfinite(low) and math.isfinite(high)) or max(-low, high) > LARGEST_FLOAT:
        raise InputError(
            f"'{path}': the range of tensor '{name}' is [{low:g}, {high:g}], expected finite "
            "float32 numbers"
        )
    if low > high:
        raise InputError(
            f"'{path}': the range of tensor '{name}' is [{low:g}, {high:g}], expected the smaller "
            "number first"
        )
    return low, high


def ranges_for(saved: SavedRanges, graph: Graph, after: Sequence[str]) -> CalibrationTable:
    """Hold saved ranges to the graph they are for, and to the methods applied to it.

    Raises InputError where names differ, or where the ranges are those of other weights.
    """
    if list(saved.after) != list(after):
        raise InputError(
            f"'{saved.path}' has ranges found after {_named(saved.after)}, but now it is "
            f"{_named(after)} (--method); give the same, or save ranges again"
        )
    names = calibrated_names(graph)
    unknown = [name for name in saved.table.ranges if name not in names]
    if unknown:
        nearest = difflib.get_close_matches(unknown[0], names, n=1)
        hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
        raise InputError(
            f"'{saved.path}' has a range for {_some(unknown)}, which '{graph.name}' does not "
            f"have{hint}"
        )
    known = {*saved.table.ranges, *saved.table.infinite}
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(
            f"'{saved.path}' has no range for {_some(missing)}; add it as [low, high], or save "
            "ranges again"
        )
    return saved.table


def _named(methods: Sequence[str]) -> str:
    return ", ".join(methods) or "no method"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:SHOWN])
    others = len(names) - SHOWN
    return f"{shown} and {others} more tensors" if others > 0 else f"tensor {shown}"
