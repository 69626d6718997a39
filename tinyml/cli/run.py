"""``tinyml run MODEL --board BOARD --input X.npy -o Y.npy``."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from tinyml.cli.common import (
    board_option,
    check_file,
    console_option,
    count,
    goal_option,
    jobs_option,
    json_option,
    kernels_option,
    model_argument,
    output_option,
    print_pairs,
    progress_bar,
    warn,
    write_json,
)
from tinyml.data.dataset import plain_name, quantize_samples, read_dataset
from tinyml.data.ranges import range_warnings
from tinyml.device.run import run_codes
from tinyml.files import atomic_write
from tinyml.firmware.boards import Console, load_board
from tinyml.firmware.build import build_firmware
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Array, Graph
from tinyml.numerics.affine import dequantize
from tinyml.pipeline import generate_plan, plan_model
from tinyml.quantize.check_ids import check_ids


@click.command("run")
@model_argument
@board_option
@click.option(
    "--input",
    "input_path",
    required=True,
    type=click.Path(path_type=Path),
    help="Samples along the first axis: .npy, or .npz with one array per input. "
    "The input's own integers are taken raw, other numbers are quantized.",
)
@output_option("Raw outputs: .npy, or .npz for a model with several.")
@click.option("--dequantize", "as_float", is_flag=True, help="Write float32 outputs instead.")
@kernels_option
@goal_option
@console_option
@jobs_option("Emulators to run at a time.")
@json_option
def command(
    model: Path,
    signature: str | None,
    board: str,
    input_path: Path,
    output: Path,
    as_float: bool,  # noqa: FBT001  # click passes flags by name
    kernels: str,
    goal: str,
    console: Console,
    jobs: int,
    json_path: Path | None,
) -> None:
    """Run every sample through an int8 model's firmware on a board."""
    target = load_board(board)
    original = load_quantized(model, signature)
    check_file(output, *([".npy"] if len(original.outputs) == 1 else []), ".npz")
    data = read_dataset(input_path, [original.tensor(name) for name in original.inputs])
    plan = plan_model(original, target, kernels=kernels, goal=goal)
    graph = plan.graph
    samples = quantize_samples(data.samples, [graph.tensor(name) for name in graph.inputs])
    check_ids(graph, samples)
    warn(range_warnings(data.samples, [graph.tensor(name) for name in graph.inputs]))
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        build = build_firmware(generate_plan(plan), target, Path(folder), console=console)
        with progress_bar("running", len(samples[0])) as update:
            run = run_codes(graph, build, samples, jobs=jobs, on_progress=update)
    outputs = _dequantized(graph, run.outputs) if as_float else run.outputs
    names = [plain_name(name) for name in original.outputs]
    atomic_write(output, _serialize(dict(zip(names, outputs, strict=True)), output.suffix.lower()))
    result = run.result
    write_json(
        json_path,
        {
            "board": target.name,
            "samples": result.samples,
            "instructions_per_inference": result.instructions_per_inference,
            "instructions_min": result.instructions_min,
            "instructions_max": result.instructions_max,
            "arena_bytes": build.arena_bytes,
            "stack_bytes": result.stack_bytes,
        },
    )
    print_pairs(
        {
            "outputs": f"{output} ({count(result.samples, 'samples')})",
            "instructions per inference": count(result.instructions_per_inference),
            "arena": count(build.arena_bytes, "bytes"),
            "stack": count(result.stack_bytes, "bytes"),
        }
    )


def _dequantized(graph: Graph, outputs: list[Array]) -> list[Array]:
    quants = (graph.tensor(name).quant for name in graph.outputs)
    return [
        values if quant is None else dequantize(values, quant)
        for quant, values in zip(quants, outputs, strict=True)
    ]


def _serialize(outputs: Mapping[str, Array], suffix: str) -> bytes:
    """Serialize one array as .npy, or all as .npz under their names."""
    buffer = io.BytesIO()
    # Each output has its own leading 1, the device's batch; the samples take its place.
    rows = {
        name: array[:, 0] if array.shape[1:2] == (1,) and array.ndim > 2 else array
        for name, array in outputs.items()
    }
    if suffix == ".npz":
        np.savez(buffer, **rows)
    else:
        np.save(buffer, next(iter(rows.values())))
    return buffer.getvalue()
