"""``--report FILE`` of ``tinyml quantize``: what quantizing each layer costs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tinyml.cli.common import Column, check_file, print_table, progress_bar, write_json
from tinyml.data.dataset import Dataset
from tinyml.quantize.prepare import prepare_to_quantize
from tinyml.quantize.recipe import Calibrated
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.sensitivity import MOST_SAMPLES, measure_sensitivity
from tinyml.report.sensitivity import headings, layer_cells, sensitivity_json, summary_lines

# Layers that are printed; the file has them all.
SHOWN = 20

OPTIONS = (
    click.option(
        "--report",
        type=click.Path(path_type=Path),
        help="Write to this file, as JSON, what quantizing each layer costs; the table is printed.",
    ),
    click.option(
        "--report-data",
        type=click.Path(path_type=Path),
        help="Samples to report on, with labels for accuracies; those of --data by default.",
    ),
)


@dataclass(frozen=True, slots=True)
class Report:
    """The file to write, and samples of its own to report on."""

    file: Path
    data: Path


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options as one ``report``, None where none is asked for."""

    @functools.wraps(function)
    def command(
        *arguments: Any, report: Path | None, report_data: Path | None, **others: Any
    ) -> Any:
        data = _reported(report, report_data, others["data"])
        asked = Report(report, data) if report and data else None
        return function(*arguments, report=asked, **others)

    for option in reversed(OPTIONS):
        command = option(command)
    return command


def _reported(report: Path | None, report_data: Path | None, data: Path | None) -> Path | None:
    """Samples that are reported on; UsageError where there are none, or no report."""
    if report is None:
        if report_data:
            raise click.UsageError("--report-data are samples for --report: give that too")
        return None
    if report_data is None and data is None:
        raise click.UsageError("--report looks at samples: give them with --report-data")
    check_file(report)
    return report_data or data


def write_report(path: Path, calibrated: Calibrated, scheme: Scheme, data: Dataset) -> None:
    """Write and print where accuracy goes."""
    prepared, floats = (
        prepare_to_quantize(graph, calibrated.table, scheme)
        for graph in (calibrated.graph, calibrated.floats)
    )
    with progress_bar("looking at each layer", min(len(data), MOST_SAMPLES)) as update:
        result = measure_sensitivity(prepared, data, update, floats=floats.graph)
    write_json(path, sensitivity_json(result, scheme))
    first, second, *others = headings(result)
    columns: list[Column] = [(first, "left"), (second, "left"), *((n, "right") for n in others)]
    print_table(columns, (layer_cells(layer, result) for layer in result.layers[:SHOWN]))
    for line in summary_lines(result, scheme, SHOWN):
        click.echo(line)
