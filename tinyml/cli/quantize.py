"""``tinyml quantize MODEL --data CAL.npz -o OUT.tflite``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

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
from tinyml.cli.qat_options import qat_options
from tinyml.data.dataset import Dataset, read_dataset
from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.files import atomic_write
from tinyml.frontend.load import load_float
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph
from tinyml.pipeline import plan_model
from tinyml.quantize.calibrate import CalibrationTable, calibrate
from tinyml.quantize.observers import ObserverKind, observer_factory
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.train.finetune import Tuning
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
@click.option(
    "--observer",
    type=click.Choice([kind.value for kind in ObserverKind]),
    default=ObserverKind.MIN_MAX.value,
    show_default=True,
    help="How activation ranges are found.",
)
@click.option(
    "--percentile",
    type=float,
    default=99.99,
    show_default=True,
    help="Share of values inside the range, for --observer percentile.",
)
@click.option(
    "--weights",
    type=click.Choice(["per-channel", "per-tensor"]),
    default="per-channel",
    show_default=True,
    help="One weight scale per output channel, or one in all.",
)
@click.option(
    "--weight-bits",
    type=click.Choice(["8", "4"]),
    default="8",
    show_default=True,
    help="Bits of the weights; those of depthwise convolutions keep 8.",
)
@click.option(
    "--activations",
    type=click.Choice([DType.INT8.value, DType.INT16.value]),
    default=DType.INT8.value,
    show_default=True,
    help="int16 with int8 weights is called 16x8: twice the memory, finer steps.",
)
@qat_options
def command(
    model: Path,
    signature: str | None,
    data: Path,
    output: Path,
    observer: str,
    percentile: float,
    weights: str,
    weight_bits: str,
    activations: str,
    *,
    qat: bool,
    **training: Any,
) -> None:
    """Quantize a float model (.keras, .h5, SavedModel, .tflite, .onnx) to int8 or 16x8.

    With --qat it is trained as such, from its weights on.
    """
    check_file(output, ".tflite")
    make_observer = observer_factory(ObserverKind(observer), percentile)
    graph = load_float(model, signature)
    dataset = read_dataset(data, graph)
    few = some_of(dataset, CALIBRATION_SAMPLES, training["seed"]) if qat else dataset
    with progress_bar("calibrating", len(few)) as update:
        table = calibrate(graph, few.samples, make_observer, on_progress=update)
    warn(table.warnings)
    scheme = Scheme(
        per_channel=weights == "per-channel",
        activations=DType(activations),
        weight_bits=int(weight_bits),
    )
    quantized, data_bytes = _quantize_to_build(model, scheme, partial(quantize_graph, graph, table))
    lines = {"calibrated on": count(table.samples, "samples")}
    if qat:
        result = _train(graph, dataset, table, scheme, output, training)
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
    graph: Graph,
    data: Dataset,
    table: CalibrationTable,
    scheme: Scheme,
    output: Path,
    training: Mapping[str, Any],
) -> QuantizeAwareResult:
    tuning = Tuning(
        epochs=training["epochs"],
        learning_rate=training["learning_rate"],
        batch_size=training["batch_size"],
        seed=training["seed"],
    )
    with progress_bar("training", tuning.epochs) as update:
        return quantize_aware(
            graph,
            data,
            table,
            scheme,
            tuning,
            ranges=training["ranges"],
            state=output.with_suffix(".qat.npz"),
            resume=training["resume"],
            on_epoch=lambda epoch, _loss: update(epoch),
        )


def _trained_lines(result: QuantizeAwareResult) -> dict[str, str]:
    tuning, agreement = result.tuning, result.agreement
    return {
        "trained on": f"{count(tuning.samples, 'samples')}, {tuning.held_out:,} held out",
        "loss": f"{tuning.losses[0]:.4g} before, {min(tuning.losses):.4g} after epoch "
        f"{tuning.kept} of {len(tuning.losses) - 1} ({tuning.loss}, held out)",
        "as trained": f"{percent(agreement.equal)} of the outputs, the others at most "
        f"{agreement.steps:.0f} {'step' if agreement.steps < 1.5 else 'steps'} off "
        f"({count(agreement.samples, 'samples')})",
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
