"""``tinyml quantize MODEL --data CAL.npz -o OUT.tflite``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from tinyml.cli.common import (
    check_file,
    count,
    model_argument,
    output_option,
    percent,
    print_pairs,
    progress_bar,
    warn,
)
from tinyml.cli.qat_options import Training, qat_options
from tinyml.cli.report_option import Report, report_options, write_report
from tinyml.cli.scheme_options import print_changes, scheme_options
from tinyml.data.dataset import Dataset, drawn_samples, read_dataset
from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.files import atomic_write
from tinyml.frontend.load import load_float
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, DType, Graph
from tinyml.pipeline import plan_model
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.ranges_file import SavedRanges, write_ranges
from tinyml.quantize.recipe import Calibrated, Recipe, calibrate_by
from tinyml.quantize.scheme import Scheme
from tinyml.train.quantize_aware import (
    CALIBRATION_SAMPLES,
    Agreement,
    QuantizeAwareResult,
    quantize_aware,
)

# Of the file beside the output that holds where training stands.
STATE_SUFFIX = ".qat-state.npz"


@click.command("quantize")
@model_argument
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Representative dataset: an .npz with 'x', or one array per input name.",
)
@output_option("The int8 .tflite to write.")
@scheme_options
@qat_options
@report_options
def command(
    model: Path,
    signature: str | None,
    data: Path | None,
    output: Path,
    recipe: Recipe,
    saved: SavedRanges | None,
    save_ranges: Path | None,
    training: Training | None,
    report: Report | None,
) -> None:
    """Quantize a float model (.keras, .h5, SavedModel, .tflite, .onnx) to int8 or 16x8.

    With --qat it is trained as such, from its own weights on.
    """
    _check_data(data, saved, training)
    check_file(output, ".tflite")
    state = output.with_suffix(STATE_SUFFIX)
    if training:
        _warn_of_state(state, training)
    if save_ranges:
        check_file(save_ranges, ".json")
    graph = load_float(model, signature)
    dataset = read_dataset(data, graph) if data else None
    calibrated = calibrate_by(recipe, graph, _samples(dataset, training), progress_bar, saved)
    warn(calibrated.table.warnings)
    quantized, data_bytes = _quantize_to_build(
        model, recipe.scheme, partial(quantize_graph, calibrated.graph, calibrated.table)
    )
    if report:
        write_report(report.file, calibrated, recipe.scheme, read_dataset(report.data, graph))
    if save_ranges:
        write_ranges(save_ranges, calibrated.table, calibrated.after)
    print_changes(calibrated.changes)
    lines = {"calibrated on": count(calibrated.table.samples, "samples")}
    if training and dataset:
        result = _train(calibrated, dataset, recipe.scheme, training, state)
        quantized, data_bytes = _planned(result.graph)
        lines |= _trained_lines(result)
    atomic_write(output, data_bytes)
    if training:
        state.unlink(missing_ok=True)
    print_pairs(
        {
            "model": str(output),
            "size": count(len(data_bytes), "bytes"),
            "operators": count(len(quantized.ops)),
            **lines,
        }
    )


def _check_data(data: Path | None, saved: SavedRanges | None, training: Training | None) -> None:
    if data is None and saved is None:
        raise click.UsageError("give a representative dataset (--data), or --ranges-from")
    if data is None and training is not None:
        raise click.UsageError("--qat trains on samples: give a training set (--data)")


def _warn_of_state(state: Path, training: Training) -> None:
    """An interrupted training is not begun again by mistake."""
    if state.exists() and not training.resume:
        anew = "and this one starts anew: its first epoch writes over that"
        warn([f"'{state}' holds an interrupted training, {anew}; to go on, give --resume"])


def _samples(dataset: Dataset | None, training: Training | None) -> Sequence[Array] | None:
    """What ranges are calibrated on: of a training set some samples settle them."""
    if dataset is None:
        return None
    if training is None:
        return dataset.samples
    return drawn_samples(dataset, CALIBRATION_SAMPLES, training.tuning.seed).samples


def _train(
    calibrated: Calibrated, data: Dataset, scheme: Scheme, training: Training, state: Path
) -> QuantizeAwareResult:
    with progress_bar("training", training.tuning.epochs) as update:
        return quantize_aware(
            calibrated.graph,
            data,
            calibrated.table,
            scheme,
            training.tuning,
            ranges=training.ranges,
            state=state,
            resume=training.resume,
            on_epoch=lambda epoch, _loss: update(epoch),
        )


def _trained_lines(result: QuantizeAwareResult) -> dict[str, str]:
    tuning = result.tuning
    return {
        "trained on": f"{count(tuning.samples, 'samples')}, {tuning.held_out:,} more held out",
        "held-out loss": f"{tuning.losses[0]:.4g}, {min(tuning.losses):.4g} after epoch "
        f"{tuning.kept} of {len(tuning.losses) - 1} ({tuning.loss})",
        "as trained": _agreement_line(result.agreement),
    }


def _agreement_line(agreement: Agreement | None) -> str:
    if agreement is None:
        return "not compared: no reference runtime that is installed runs the model"
    off = f", the others at most {agreement.steps:.0f} of its steps off"
    return (
        f"{percent(agreement.equal)} of the outputs of "
        f"{count(agreement.samples, 'samples')}{off if agreement.equal < 1 else ''}"
    )


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
