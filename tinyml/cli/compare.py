"""``tinyml compare MODEL --data TEST.npz --board BOARD``."""

from __future__ import annotations

from pathlib import Path

import click

from tinyml.cli.common import (
    board_option,
    console_option,
    count,
    goal_option,
    jobs_option,
    json_option,
    kernels_option,
    model_argument,
    percent,
    print_pairs,
    progress_bar,
    warn,
    write_json,
)
from tinyml.data.dataset import read_dataset
from tinyml.data.metrics import Metric
from tinyml.evaluate.compare import Comparison, compare_model
from tinyml.evaluate.oracle import PACKAGES
from tinyml.firmware.boards import Console, load_board
from tinyml.frontend.load import load_quantized, load_reference

CHECK_FAILED = 1


@click.command("compare")
@model_argument
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Test data: an .npz with 'x' (or one array per input name) and labels 'y'.",
)
@board_option
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="The float model MODEL was made from.",
)
@click.option(
    "--oracle",
    type=click.Choice(PACKAGES),
    help="Whose int8 reference kernels the device must equal; without it, for each operator "
    "those that have its arithmetic, in this order.",
)
@click.option(
    "--max-accuracy-drop",
    type=click.FloatRange(min=0),
    metavar="PP",
    help="Fail where the device loses more percentage points than this.",
)
@kernels_option
@goal_option
@console_option
@jobs_option("Emulators to run at a time.")
@json_option
def command(
    model: Path,
    signature: str | None,
    data: Path,
    board: str,
    reference: Path | None,
    oracle: str | None,
    max_accuracy_drop: float | None,
    kernels: str,
    goal: str,
    console: Console,
    jobs: int,
    json_path: Path | None,
) -> int:
    """Compare float32, the int8 reference kernels and the device, sample by sample."""
    if max_accuracy_drop is not None and reference is None:
        raise click.UsageError(
            "--max-accuracy-drop is measured against the float model: give it with --reference"
        )
    target = load_board(board)
    graph = load_quantized(model, signature)
    dataset = read_dataset(data, [graph.tensor(name) for name in graph.inputs])
    float_graph = load_reference(reference, signature) if reference else None
    with progress_bar("running", len(dataset)) as update:
        comparison = compare_model(
            graph,
            dataset,
            target,
            oracle,
            float_graph=float_graph,
            max_accuracy_drop=max_accuracy_drop,
            kernels=kernels,
            goal=goal,
            console=console,
            jobs=jobs,
            on_progress=update,
        )
    write_json(json_path, comparison.to_json())
    warn(comparison.warnings)
    _print(comparison)
    return 0 if comparison.passed else CHECK_FAILED


def _print(result: Comparison) -> None:
    reference = f"{percent(result.reference_accuracy)}  ({result.reference})"
    differing = f"{count(result.mismatched_bytes)} of {count(result.compared_bytes)}"
    if result.mismatched_bytes:
        differing += f", by up to {result.max_difference}"
    metric = Metric(result.metric).label
    arena = f"of which arena {count(result.arena_bytes)}"
    click.echo(f"{result.model} on {result.board}, {count(result.samples, 'samples')}")
    print_pairs(
        {
            f"float32 {metric}": percent(result.float_accuracy),
            f"int8 {metric}, reference": reference,
            f"int8 {metric}, device": percent(result.device_accuracy),
            "same class as float32": percent(result.float_agreement),
            "bytes that differ": differing,
            "instructions per inference": count(result.instructions_per_inference),
            "flash": f"{count(result.flash_bytes, 'bytes')} for the model and its kernels",
            "RAM": f"{count(result.ram_bytes, 'bytes')}, {arena}",
            "stack": count(result.stack_bytes, "bytes"),
            "kernels": f"CMSIS-NN {result.cmsis_nn}, {result.compiler}",
        }
    )
    if result.reference_errors:
        click.echo(_reservation(result))
    click.echo("passed" if result.passed else f"FAILED: {_reasons(result)}")


def _reservation(result: Comparison) -> str:
    """Say why bytes are not judged, and how to have them judged."""
    errors = result.reference_errors.items()
    bounds = ", ".join(f"{opcode} (by up to {error} a layer)" for opcode, error in errors)
    return (
        f"bytes are not judged: of what is installed, nothing has the device's arithmetic of "
        f"{bounds}, and differences grow in the layers that follow; install tflite-micro, "
        "which has wheels for Linux on x86-64, or judge by the accuracy (--max-accuracy-drop)"
    )


def _reasons(result: Comparison) -> str:
    reasons = []
    if result.mismatched_bytes and not result.reference_errors:
        reasons.append(f"the device differs from the reference by up to {result.max_difference}")
    drop, limit = result.accuracy_drop, result.max_accuracy_drop
    if drop is not None and limit is not None and drop > limit:
        metric = Metric(result.metric).label
        reasons.append(f"the {metric} drops by {drop:.2f} percentage points, allowed are {limit}")
    return "; ".join(reasons)
