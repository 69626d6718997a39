"""``tinyml quantize MODEL --data CAL.npz -o OUT.tflite``."""

from __future__ import annotations

from collections.abc import Callable
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
from tinyml.quantize.recipe import Calibrated, Recipe, calibrate_by
from tinyml.quantize.scheme import Scheme
from tinyml.train.quantize_aware import (
    CALIBRATION_SAMPLES,
    QuantizeAwareResult,
    quantize_aware,
    some_of,
)


@click.command("quantize")
@model_argument
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Representative dataset: an .npz with 'x', or one array per input name.",
)
@output_option("The int8 .tflite to write.")
@scheme_options
@qat_options
def command(
    model: Path,
    signature: str | None,
    data: Path,
    output: Path,
    recipe: Recipe,
    training: Training | None,
) -> None:
    """Quantize a float model (.keras, .h5, SavedModel, .tflite, .onnx) to int8 or 16x8.

    With --qat it is trained as such, from its own weights on.
    """
    check_file(output, ".tflite")
    graph = load_float(model, signature)
    dataset = read_dataset(data, graph)
    few = some_of(dataset, CALIBRATION_SAMPLES, training.tuning.seed) if training else dataset
    calibrated = calibrate_by(recipe, graph, few.samples, progress_bar)
    warn(calibrated.table.warnings)
    quantized, data_bytes = _quantize_to_build(
        model, recipe.scheme, partial(quantize_graph, calibrated.graph, calibrated.table)
    )
    print_changes(calibrated.changes)
    lines = {"calibrated on": count(calibrated.table.samples, "samples")}
    if training:
        result = _train(calibrated, dataset, recipe.scheme, training, output)
        quantized, data_bytes = _planned(result.graph)
        lines |= _trained_lines(result)
    atomic_write(output, data_bytes)
    print_pairs(
        {
            "model": str(output),
            "size": count(len(data_bytes), "bytes"),
            "operators": count(len(quantized.ops)),
            **lines,
        }
    )


def _train(
    calibrated: Calibrated, data: Dataset, scheme: Scheme, training: Training, output: Path
) -> QuantizeAwareResult:
    with progress_bar("training", training.tuning.epochs) as update:
        return quantize_aware(
            calibrated.graph,
            data,
            calibrated.table,
            scheme,
            training.tuning,
            ranges=training.ranges,
            state=output.with_suffix(".qat.npz"),
            resume=training.resume,
            on_epoch=lambda epoch, _loss: update(epoch),
        )


def _trained_lines(result: QuantizeAwareResult) -> dict[str, str]:
    tuning, agreement = result.tuning, result.agreement
    off = f", the others at most {agreement.steps:.0f} of its steps off"
    return {
        "trained on": f"{count(tuning.samples, 'samples')}, {tuning.held_out:,} more held out",
        "held-out loss": f"{tuning.losses[0]:.4g}, {min(tuning.losses):.4g} after epoch "
        f"{tuning.kept} of {len(tuning.losses) - 1} ({tuning.loss})",
        "as trained": f"{percent(agreement.equal)} of the outputs of "
        f"{count(agreement.samples, 'samples')}{off if agreement.equal < 1 else ''}",
    }


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
