"""Where a training stands, in memory and in the file from which it goes on after an interrupt."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.data.dataset import Dataset
from tinyml.errors import InputError
from tinyml.files import atomic_path, reporting_os_errors
from tinyml.ir.graph import Array
from tinyml.train.numbers import in_numpy

# Samples that stand for all of them where data are told apart.
PROBES = 64
KEY = "fingerprint"
PARTS = ("now", "best", "optimizer")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """Held-out losses, and the variables of the layer, now and at its best, and the optimizer's."""

    losses: list[float]
    now: list[Array]
    best: list[Array]
    optimizer: list[Array]


@dataclass(slots=True)
class Progress:
    """Held-out losses so far, the first before any epoch, and the layer's numbers at the least."""

    losses: list[float] = field(default_factory=list)
    best: list[Array] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.losses) - 1

    @property
    def kept(self) -> int:
        """The epoch of the least loss."""
        return int(np.argmin(self.losses))

    def add(self, loss: float, variables: list[Array]) -> None:
        """Count an epoch that ended with a loss and with these numbers."""
        if loss < min(self.losses):
            self.best = variables
        self.losses.append(loss)


def fingerprint(layer: Any, data: Dataset, options: object) -> str:
    """Of what must be the same for training to go on: a layer before it, data, options."""
    digest = hashlib.sha256(repr((options, layer.ranges, layer.prepared.scheme)).encode())
    for variable in layer.variables:
        digest.update(variable.path.encode())
        _add(digest, in_numpy(variable))
    for array in (*data.samples, data.labels):
        if array is not None:
            digest.update(repr(array.shape).encode())
            _add(digest, array[:: max(1, len(array) // PROBES)])
    return digest.hexdigest()


def _add(digest: Any, array: Array) -> None:
    digest.update(repr((array.shape, array.dtype)).encode())
    digest.update(np.ascontiguousarray(array).tobytes())


def write_state(path: Path, key: str, state: TrainingState) -> None:
    """Write where training stands; ``key`` is the ``fingerprint`` of the training.

    Raises InputError where the operating system refuses.
    """
    arrays = {f"{part}_{i}": v for part in PARTS for i, v in enumerate(getattr(state, part))}
    with atomic_path(path) as temporary, reporting_os_errors(path), temporary.open("wb") as file:
        np.savez(file, **{KEY: np.array(key)}, losses=np.array(state.losses), **arrays)


def read_state(path: Path, key: str) -> TrainingState:
    """Read where training stood. Raises InputError where the file is none, or of another."""
    if not path.exists():
        raise InputError(
            f"there is no state '{path}' to go on from; leave --resume out to start anew"
        )
    arrays = _arrays(path)
    if KEY not in arrays:
        raise InputError(
            f"'{path}' cannot be read as the state of a training; leave --resume out and remove it "
            "to start anew"
        )
    if str(arrays[KEY]) != key:
        raise InputError(
            f"'{path}' is the state of another training: model, data or options differ; give "
            "the same, or leave --resume out to start anew"
        )
    parts = {part: _numbered(arrays, part) for part in PARTS}
    return TrainingState(losses=arrays["losses"].tolist(), **parts)


def refuse_other_file(path: Path) -> None:
    """Raise InputError where a file stands at ``path`` that is no state, but somebody's own."""
    if path.exists() and KEY not in _arrays(path):
        raise InputError(
            f"'{path}' is where the state of training goes, and holds something else; move it, or "
            "give another output"
        )


def _arrays(path: Path) -> dict[str, Array]:
    """All arrays of a file; none where it is no whole .npz."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile):
        return {}


def _numbered(arrays: dict[str, Array], part: str) -> list[Array]:
    count = sum(name.startswith(f"{part}_") for name in arrays)
    return [arrays[f"{part}_{index}"] for index in range(count)]
