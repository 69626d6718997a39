"""Streaming wake word, MLPerf Tiny since version 1.3: whether the last second held "Marvin".

The network is the one-dimensional DS-CNN of MLPerf Tiny's streaming wake word benchmark: four
depthwise separable convolutions along time, without padding, that together see exactly the 30
frames of one second. Here it looks at a whole window at a time and keeps no state. 47,707
parameters and 0.83 million multiply-accumulates. The data set is Speech Commands (arXiv 1804.03209)
or, where it is not at hand, words that espeak-ng speaks.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .shared import speech
from .shared.audio import Sound, mel_filters, power_spectra
from .shared.datasets import Samples, Split, shuffled
from .shared.layers import normalized

if TYPE_CHECKING:
    import keras

FRAMES = 30
BANDS = 40
WORD = "marvin"
WAKE_WORD, SILENCE, OTHER = range(3)
CLASSES = 3

EPOCHS = 25
BATCH_SIZE = 50
LEARNING_RATE = 4e-3

# Words that sound like "Marvin", which the stand-in has beside those of Speech Commands.
ALIKE = ("marble", "martin", "carving", "starving", "margin", "marching", "mar", "marlin")
SPOKEN_TRAINING, SPOKEN_HELD_OUT = 600, 60  # clips of the wake word
NOISE = (0.001, 0.05)
# Shares of silence and other words, a clip of the wake word being 1: as in the reference.
SILENCE_SHARE, OTHER_SHARE = 0.5, 3.5

# Frames and channels of each block.
BLOCKS = ((3, 128), (5, 128), (10, 128), (15, 32))


def build() -> "keras.Model":
    """Return the untrained network: log-mel (N, 30, 1, 40) in, class probabilities (N, 3) out."""
    import keras
    from keras import layers

    x = frames = keras.Input((FRAMES, 1, BANDS), name="frames")
    for number, (kernel, channels) in enumerate(BLOCKS, start=1):
        name = f"block{number}"
        x = layers.DepthwiseConv2D((kernel, 1), use_bias=False, name=f"{name}_depthwise")(x)
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_pointwise")(x)
        x = layers.Dropout(0.2, name=f"{name}_dropout")(normalized(x, name=name))
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(frames, layers.Softmax(name="word")(scores), name="streaming_wakeword")


def data_source() -> str:
    """Return what ``load_data`` reads or makes."""
    return speech.data_source()


def load_data(root: Path | None = None) -> Split:
    """Return log-mel energies (N, 30, 1, 40) and classes: "Marvin", silence, any other word.

    Speech Commands is split by its own lists. Of the stand-in no voice is in both halves.
    """
    return speech.load_data(root, _recorded, _spoken, (SPOKEN_TRAINING, SPOKEN_HELD_OUT))


def features(clips: Iterable[Sound]) -> NDArray[np.float32]:
    """Return log-mel energies (N, 30, 1, 40) in [0, 1] of clips (16000,), as MLPerf Tiny has them.

    Frames of 64 ms every 32 ms of the sound with its high tones raised, Hamming window, 40 mel
    bands up to 8000 Hz; -52 dB become 0 and 12 dB become 1.
    """
    return np.stack([_log_mel(clip) for clip in clips])[:, :, np.newaxis].astype(np.float32)


def _log_mel(clip: Sound) -> NDArray[np.float64]:
    raised = clip - np.float32(1 - 2**-5) * np.concatenate([[0], clip[:-1]])
    powers = power_spectra(raised, np.hamming(1024), step=512) / 1024
    filters = mel_filters(BANDS, powers.shape[1], low=0, high=8000)
    decibels = 10 * np.log10(np.maximum(powers @ filters, 1e-30))
    return np.clip((decibels + 52) / 64, 0, 1)


def _spoken(voices: str, count: int, rng: np.random.Generator) -> Samples:
    """Return ``count`` clips of the wake word and the others' shares, all in ``voices``."""
    words = rng.choice([*_other_words(), *ALIKE], int(count * OTHER_SHARE))
    spoken = speech.speak([WORD] * count + words.tolist(), voices, rng)
    silence = [np.zeros(0, np.float32)] * int(count * SILENCE_SHARE)
    clips = [speech.recorded(sound, rng, noise=NOISE) for sound in spoken + silence]
    return _labelled(clips, (count, len(words), len(silence)), rng)


def _recorded(folder: Path, rng: np.random.Generator) -> Split:
    """Return Speech Commands, other words and silence in their shares."""
    wake_word = speech.split_files(folder, WORD)
    others = [speech.split_files(folder, word) for word in _other_words()]
    return tuple(
        _half(folder, wake_word[half], [path for split in others for path in split[half]], rng)
        for half in (0, 1)
    )


def _half(
    folder: Path, wake_word: list[Path], others: list[Path], rng: np.random.Generator
) -> Samples:
    count = min(int(len(wake_word) * OTHER_SHARE), len(others))
    files = [*wake_word, *rng.choice(np.array(others), count, replace=False)]
    silence = speech.background_clips(folder, int(len(wake_word) * SILENCE_SHARE), rng)
    clips = chain(map(speech.read_clip, files), silence)
    return _labelled(clips, (len(wake_word), count, len(silence)), rng)


def _other_words() -> list[str]:
    return [word for word in (*speech.KEYWORDS, *speech.OTHER_WORDS.split()) if word != WORD]


def _labelled(
    clips: Iterable[Sound], counts: tuple[int, int, int], rng: np.random.Generator
) -> Samples:
    """Return the samples of clips of the wake word, others and silence, so many of each."""
    return shuffled(features(clips), np.repeat([WAKE_WORD, OTHER, SILENCE], counts), rng)
