"""``tinyml train NAME``."""

from __future__ import annotations

from pathlib import Path

import click

from tinyml.cli.common import check_folder, count, percent, print_pairs, progress_bar
from tinyml.train.loop import train


@click.command("train")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("build"),
    show_default=True,
    help="Folder for NAME.keras, NAME.calibration.npz and NAME.test.npz.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training data.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
def command(name: str, output: Path, epochs: int | None, seed: int) -> None:
    """Train models/NAME.py, or a model file given by its path."""
    check_folder(output)
    with progress_bar("training", 100) as update:
        result = train(
            name,
            output,
            epochs=epochs,
            seed=seed,
            progress=lambda done, total: update(100 * done // total),
        )
    data = {} if result.data is None else {"data": result.data}
    print_pairs(
        data
        | {
            "model": f"{result.model} ({count(result.parameters)} parameters)",
            "calibration data": str(result.calibration),
            "test data": f"{result.test} ({count(result.test_samples)} samples)",
            "trained": f"{result.epochs} epochs in {result.seconds:.1f} s",
            f"float {result.metric.label}": percent(result.score),
        }
    )
