"""The table of docs/benchmarks.md, held to the limits that benchmarks/tflite_micro.py sets."""

import importlib
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"


@pytest.fixture
def benchmark(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("mlperf_tiny")


def documented_rows() -> list[str]:
    return re.findall(r"^\| \w+ \| M\d+ \|.*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def figures_of(benchmark: ModuleType, row: str):
    """What stands between a row's figures are ratios."""
    model, core, *numbers = row.strip("| ").split(" | ")
    instructions, newer, flash, ram, arena = (int(n.replace(",", "")) for n in numbers[::2])
    bound = round(arena / float(numbers[-1]))
    return benchmark.Figures(
        model=model,
        core=core,
        instructions=instructions,
        newer=newer,
        flash=flash,
        ram=ram,
        arena=arena,
        bound=bound,
    )


def test_the_table_has_every_network_on_every_core(benchmark):
    expected = [f"| {name} | {core} |" for name in benchmark.MODELS for core in benchmark.CORES]

    assert [row[: row.index("|", row.index("M"))] + "|" for row in documented_rows()] == expected


def test_the_ratios_of_the_table_are_those_of_its_figures(benchmark):
    rows = documented_rows()

    assert [benchmark.row_of(figures_of(benchmark, row)) for row in rows] == rows


def test_no_figure_of_the_table_is_above_its_limit(benchmark):
    assert [s for row in documented_rows() for s in figures_of(benchmark, row).missed()] == []


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("instructions", "instructions of TFLM's 2.00"),
        ("flash", "flash of TFLM's 1.35"),
        ("ram", "RAM of TFLM's 1.09"),
        ("arena", "arena of its bound 2.000"),
    ],
)
def test_a_figure_above_its_limit_is_said(benchmark, field, what):
    row = next(r for r in documented_rows() if r.startswith("| visual_wake_words | M4 |"))
    figures = replace(figures_of(benchmark, row), newer=None)
    doubled = replace(figures, **{field: 2 * getattr(figures, field)})

    (sentence,) = doubled.missed()

    assert sentence.startswith(f"visual_wake_words on M4: {what}")
