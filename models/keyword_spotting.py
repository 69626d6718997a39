"""Keyword spotting, MLPerf Tiny: which of twelve classes one second of speech belongs to.

The network is the DS-CNN of "Hello Edge" (arXiv 1711.07128, section 4) in the size of MLPerf Tiny
(arXiv 2106.07597): 24,908 parameters and 2.66 million multiply-accumulates. The data set is
Speech Commands (arXiv 1804.03209) or, where it is not at hand, words that espeak-ng speaks.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .shared import speech
from .shared.audio import Sound, cepstrum, hann, mel_filters, power_spectra
from .shared.datasets import Samples, Split, shuffled
from .shared.layers import convolution, separable

if TYPE_CHECKING:
    import keras

FRAMES = 49
COEFFICIENTS = 10
CHANNELS = 64
BLOCKS = 4
CLASSES = len(speech.KEYWORDS) + 2  # and silence, and any other word
SILENCE, UNKNOWN = CLASSES - 2, CLASSES - 1

EPOCHS = 20
BATCH_SIZE = 50
LEARNING_RATE = 4e-3

SPOKEN_TRAINING, SPOKEN_HELD_OUT = 300, 30  # clips of each class
NOISE = (0.001, 0.1)


def build() -> "keras.Model":
    """Return the untrained network: MFCCs (N, 49, 10, 1) in, class probabilities (N, 12) out."""
    import keras
    from keras import layers

    mfcc = keras.Input((FRAMES, COEFFICIENTS, 1), name="mfcc")
    x = convolution(mfcc, channels=CHANNELS, kernel=(10, 4), stride=2, name="stem")
    x = layers.Dropout(0.2, name="stem_dropout")(x)
    for number in range(1, BLOCKS + 1):
        x = separable(x, channels=CHANNELS, name=f"block{number}")
    x = layers.Dropout(0.4, name="dropout")(x)
    # The reference halves the frames, rounding down: of 25 rows the average leaves out the last.
    x = layers.AveragePooling2D((FRAMES // 2, COEFFICIENTS // 2), name="average")(x)
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(mfcc, layers.Softmax(name="keyword")(scores), name="keyword_spotting")


def data_source() -> str:
    """Return what ``load_data`` reads or makes."""
    return speech.data_source()


def load_data(root: Path | None = None) -> Split:
    """Return MFCCs (N, 49, 10, 1) and classes: the ten keywords, silence, any other word.

    Speech Commands is split by its own lists. Of the stand-in no voice is in both halves.
    """
    return speech.load_data(root, _recorded, _spoken, (SPOKEN_TRAINING, SPOKEN_HELD_OUT))


def features(clips: Iterable[Sound]) -> NDArray[np.float32]:
    """Return the MFCCs (N, 49, 10, 1) of clips (16000,), as MLPerf Tiny computes them.

    Frames of 30 ms every 20 ms, Hann window, 40 mel bands from 20 to 4000 Hz, natural logarithm of
    the magnitudes, ten coefficients. A clip's loudest sample is brought to 1 before.
    """
    return np.stack([_mfcc(clip) for clip in clips])[..., np.newaxis].astype(np.float32)


def _mfcc(clip: Sound) -> NDArray[np.float64]:
    loudest = np.abs(clip).max()
    magnitudes = np.sqrt(power_spectra(clip / (loudest or 1), hann(480), step=320))
    filters = mel_filters(40, magnitudes.shape[1], low=20, high=4000)
    return cepstrum(np.log(magnitudes @ filters + 1e-6), COEFFICIENTS)


def _spoken(voices: str, count: int, rng: np.random.Generator) -> Samples:
    """Return ``count`` clips of each class, every word in one of ``voices``."""
    words = [*np.repeat(speech.KEYWORDS, count), *rng.choice(speech.OTHER_WORDS.split(), count)]
    labels = np.repeat([*range(len(speech.KEYWORDS)), UNKNOWN, SILENCE], count)
    sounds = [*speech.speak(words, voices, rng), *[np.zeros(0, np.float32)] * count]
    clips = (speech.recorded(sound, rng, noise=NOISE) for sound in sounds)
    return shuffled(features(clips), labels, rng)


def _recorded(folder: Path, rng: np.random.Generator) -> Split:
    """Return Speech Commands, with as much silence and other words as there is of a keyword."""
    files = [speech.split_files(folder, keyword) for keyword in speech.KEYWORDS]
    others = [speech.split_files(folder, word) for word in speech.OTHER_WORDS.split()]
    return tuple(
        _half(
            folder,
            [split[half] for split in files],
            [path for split in others for path in split[half]],
            rng,
        )
        for half in (0, 1)
    )


def _half(
    folder: Path, keywords: list[list[Path]], others: list[Path], rng: np.random.Generator
) -> Samples:
    count = sum(map(len, keywords)) // len(keywords)
    unknown = rng.choice(np.array(others), min(count, len(others)), replace=False)
    files = [path for paths in keywords for path in paths]
    labels = [label for label, paths in enumerate(keywords) for _ in paths]
    labels += [UNKNOWN] * len(unknown) + [SILENCE] * count
    silence = speech.background_clips(folder, count, rng)
    clips = chain(map(speech.read_clip, [*files, *unknown]), silence)
    return shuffled(features(clips), np.array(labels), rng)
