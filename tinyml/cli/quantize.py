"""``tinyml quantize MODEL --data CAL.npz -o OUT.tflite``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from tinyml.cli.common import (
    Column,
    check_file,
    count,
    model_argument,
    output_option,
    print_pairs,
    print_table,
    progress_bar,
    warn,
    write_json,
)
from tinyml.cli.scheme_options import print_changes, scheme_options
from tinyml.data.dataset import Dataset, read_dataset
from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.files import atomic_write
from tinyml.frontend.load import load_float
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph
from tinyml.pipeline import plan_model
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.prepare import prepare_to_quantize
from tinyml.quantize.ranges_file import SavedRanges, write_ranges
from tinyml.quantize.recipe import Calibrated, Recipe, calibrate_by
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.sensitivity import MOST_SAMPLES, measure_sensitivity
from tinyml.report.sensitivity import headings, layer_cells, sensitivity_json, summary_lines

# Layers that are printed; the file has them all.
SHOWN = 20


@click.command("quantize")
@model_argument
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Representative dataset: an .npz with 'x', or one array per input name.",
)
@output_option("The int8 .tflite to write.")
@scheme_options
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Write to this file, as JSON, what quantizing each layer costs; the table is printed.",
)
@click.option(
    "--report-data",
    type=click.Path(path_type=Path),
    help="Samples to report on, with labels for accuracies; those of --data by default.",
)
def command(
    model: Path,
    signature: str | None,
    data: Path | None,
    output: Path,
    recipe: Recipe,
    saved: SavedRanges | None,
    save_ranges: Path | None,
    report: Path | None,
    report_data: Path | None,
) -> None:
    """Quantize a float model (.keras, .h5, SavedModel, .tflite, .onnx) to int8 or 16x8."""
    if data is None and saved is None:
        raise click.UsageError("give a representative dataset (--data), or --ranges-from")
    check_file(output, ".tflite")
    if save_ranges:
        check_file(save_ranges, ".json")
    reported = _reported(report, report_data, data)
    graph = load_float(model, signature)
    samples = read_dataset(data, graph).samples if data else None
    calibrated = calibrate_by(recipe, graph, samples, progress_bar, saved)
    warn(calibrated.table.warnings)
    quantized, data_bytes = _quantize_to_build(
        model, recipe.scheme, partial(quantize_graph, calibrated.graph, calibrated.table)
    )
    if report and reported:
        _report(report, calibrated, recipe.scheme, read_dataset(reported, graph))
    if save_ranges:
        write_ranges(save_ranges, calibrated.table, calibrated.after)
    atomic_write(output, data_bytes)
    print_changes(calibrated.changes)
    print_pairs(
        {
            "model": str(output),
            "size": count(len(data_bytes), "bytes"),
            "operators": count(len(quantized.ops)),
            "calibrated on": count(calibrated.table.samples, "samples"),
        }
    )


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


def _report(path: Path, calibrated: Calibrated, scheme: Scheme, data: Dataset) -> None:
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


def _quantize_to_build(
    model: Path, scheme: Scheme, quantized: Callable[[Scheme], Graph]
) -> tuple[Graph, bytes]:
    """Give the graph and its .tflite as 'tinyml build' takes it: ModelError where it would not."""
    try:
        return _planned(quantized(scheme))
    except (InputError, ModelError) as error:
        other = {DType.INT8: DType.INT16, DType.INT16: DType.INT8}[scheme.activations]
        works = _works(partial(quantized, replace(scheme, activations=other)))
        way_out = f"; '--activations {other.value}' makes one that can be" if works else ""
        raise ModelError(
            f"'{model}' in {scheme.activations.value} could not be built, and nothing is written"
            f"{way_out}: {error}"
        ) from error


def _works(quantized: Callable[[], Graph]) -> bool:
    try:
        _planned(quantized())
    except (InputError, ModelError):
        return False
    return True


def _planned(graph: Graph) -> tuple[Graph, bytes]:
    """Give ``graph`` and its file where any class of core can run it, else raise why not.

    It is planned as 'tinyml build' will have it, read from its file.
    """
    data = write_tflite(graph)
    plan_model(read_tflite(data, graph.name))
    return graph, data
