"""Holds the table of docs/functions.md to what benchmarks/functions.py prints of some rows."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "functions.md"
MARKED = re.compile(r"<!-- benchmarks/functions.py: begin -->\n(.*?)<!-- .*: end -->", re.DOTALL)
# What the page promises, whatever the source and the range.
LEAST_DECIBELS = 30
# Other runtimes may round a handful of values otherwise.
TOLERANCE = 1


@pytest.fixture
def benchmark(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("functions")


def documented() -> list[str]:
    (table,) = MARKED.findall(PAGE.read_text(encoding="utf-8"))
    return table.splitlines()


def cells(row: str) -> list[str]:
    return row.strip("| ").split(" | ")


def test_the_table_has_every_function(benchmark):
    head, alignment, *rows = documented()

    assert [head, alignment] == [benchmark.HEAD, benchmark.ALIGNMENT]
    assert [cells(row)[0] for row in rows] == list(benchmark.FUNCTIONS)


def test_no_function_of_the_table_falls_short():
    figures = [int(cell) for row in documented()[2:] for cell in cells(row)[1:] if cell != "-"]

    assert min(figures) >= LEAST_DECIBELS


@pytest.mark.parametrize("name", ["softplus", "GELU", "leaky by selection", "layer normalization"])
def test_the_figures_of_onnx_are_those_that_the_script_prints(benchmark, name):
    (documented_row,) = (row for row in documented() if cells(row)[0] == name)
    printed = benchmark.row(name, [0, 0, *benchmark.onnx_figures(name)])

    for shown, computed in zip(cells(documented_row)[3:], cells(printed)[3:], strict=True):
        assert abs(int(shown) - int(computed)) <= TOLERANCE
