"""Where the real data sets are, and what stands in for them where they are not."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import InputError

VARIABLE = "TINYML_DATA_DIR"

Samples = tuple[NDArray[np.float32], NDArray[np.int64]]
Split = tuple[Samples, Samples]


def dataset_folder(name: str, root: Path | None = None) -> Path | None:
    """Return the folder ``name`` below ``root``, by default the one TINYML_DATA_DIR names.

    None where neither names a folder: then stand-in data is wanted.

    Raises:
        InputError: the folder that is named does not hold the data set.
    """
    named = root or os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named) / name
    if not folder.is_dir():
        raise InputError(
            f"{named} has no folder {name}: put the data set there, "
            f"or unset {VARIABLE} to train on stand-in data"
        )
    return folder


def describe_source(name: str, stand_in: str) -> str:
    """Return the line that says what the data of a model are."""
    folder = dataset_folder(name)
    if folder is not None:
        return str(folder)
    return f"stand-in data: {stand_in} (the real ones: {VARIABLE}=folder that holds {name})"


def shuffled(x: NDArray[np.float32], y: NDArray[np.int64], rng: np.random.Generator) -> Samples:
    """Return the samples in an order drawn by ``rng``."""
    order = rng.permutation(len(x))
    return x[order], y[order]
