"""Anomaly detection, MLPerf Tiny: whether a machine sounds as it did when all was well.

The network is the autoencoder of MLPerf Tiny (arXiv 2106.07597), which is the baseline of DCASE
2020 task 2 (arXiv 2006.05822): it learns to reconstruct normal sounds through eight numbers, and
what it reconstructs badly is an anomaly. 269,992 parameters, 0.264 million multiply-accumulates.
The data set is ToyADMOS' toy car as DCASE 2020 has it or, where it is not at hand, computed hum.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tinyml.errors import InputError

from .shared.audio import Sound, hann, mel_filters, power_spectra, read_wav
from .shared.datasets import Samples, Split, dataset_folder, describe_source
from .shared.layers import normalized
from .shared.machines import Machine, faulty, healthy, run_machine

if TYPE_CHECKING:
    import keras

BANDS = 128
FRAMES = 5
WIDTHS = (128, 128, 128, 128, 8, 128, 128, 128, 128)
NORMAL, ANOMALY = range(2)

TASK = "reconstruction"
EPOCHS = 30
BATCH_SIZE = 128
LEARNING_RATE = 3e-3

SEED = 0  # of the data, which do not change with the training seed
DATASET = "ToyCar"
SECONDS = 2.0
HUMMING_TRAINING, HUMMING_HELD_OUT = 150, 30  # recordings; held out, as many again with a fault
# Windows overlap: every so many of a recording are enough.
TRAINING_STEP, HELD_OUT_STEP = 2, 8
RECORDED_STEP = 10


def build() -> "keras.Model":
    """Return the untrained network: log-mel windows (N, 640) in, the same reconstructed out."""
    import keras
    from keras import layers

    window = keras.Input((FRAMES * BANDS,), name="window")
    x = window
    for number, width in enumerate(WIDTHS, start=1):
        x = normalized(layers.Dense(width, name=f"dense{number}")(x), name=f"dense{number}")
    x = layers.Dense(FRAMES * BANDS, name="reconstruction")(x)
    return keras.Model(window, x, name="anomaly_detection")


def data_source() -> str:
    """Return what ``load_data`` reads or makes."""
    return describe_source(DATASET, "computed hum of machines, healthy and with faults")


def load_data(root: Path | None = None) -> Split:
    """Return windows (N, 640) and labels: 0 is normal, as is all there is to train on, 1 is not.

    A label is judged by one window, where the benchmark takes the mean over a recording.
    """
    folder = dataset_folder(DATASET, root)
    if folder is not None:
        return _recorded(folder)
    rng = np.random.default_rng(SEED)
    return (
        _labelled([(_humming(healthy, HUMMING_TRAINING, rng), NORMAL)], TRAINING_STEP),
        _labelled(
            [
                (_humming(healthy, HUMMING_HELD_OUT, rng), NORMAL),
                (_humming(faulty, HUMMING_HELD_OUT, rng), ANOMALY),
            ],
            HELD_OUT_STEP,
        ),
    )


def features(sound: Sound) -> NDArray[np.float32]:
    """Return windows (N, 640) of five frames of a recording, as MLPerf Tiny's baseline has them.

    Frames of 64 ms every 32 ms, Hann window, 128 mel bands up to 8000 Hz, powers in decibels.
    """
    powers = power_spectra(sound, hann(1024), step=512)
    filters = mel_filters(BANDS, powers.shape[1], low=0, high=8000)
    decibels = 10 * np.log10(powers @ filters + np.finfo(np.float64).eps)
    windows = sliding_window_view(decibels, (FRAMES, BANDS)).reshape(-1, FRAMES * BANDS)
    return windows.astype(np.float32)


def _humming(
    make: Callable[[np.random.Generator], Machine], count: int, rng: np.random.Generator
) -> Iterable[Sound]:
    return (run_machine(make(rng), SECONDS, rng) for _ in range(count))


def _recorded(folder: Path) -> Split:
    """Return the recordings of DCASE 2020, of which the names tell what is normal."""
    return (
        _labelled([(_files(folder / "train", "normal"), NORMAL)], RECORDED_STEP),
        _labelled(
            [
                (_files(folder / "test", "normal"), NORMAL),
                (_files(folder / "test", "anomaly"), ANOMALY),
            ],
            RECORDED_STEP,
        ),
    )


def _files(folder: Path, kind: str) -> Iterable[Sound]:
    files = sorted(folder.glob(f"{kind}_id_*.wav"))
    if not files:
        raise InputError(
            f"{folder} has no {kind}_id_*.wav: expected ToyCar of DCASE 2020 task 2, unpacked"
        )
    return map(read_wav, files)


def _labelled(kinds: Iterable[tuple[Iterable[Sound], int]], step: int) -> Samples:
    """Return every ``step``-th window of all sounds with the labels of their kinds."""
    x, y = [], []
    for sounds, label in kinds:
        for sound in sounds:
            windows = features(sound)[::step]
            x.append(windows)
            y.append(np.full(len(windows), label))
    return np.concatenate(x), np.concatenate(y)
