"""Spoken words: Google's Speech Commands, and what espeak-ng says in their stead."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml.errors import InputError, ToolchainError

from .audio import RATE, Sound, fitted, read_wav
from .datasets import Samples, Split, dataset_folder, describe_source

DATASET = "speech_commands_v0.02"
CLIP = RATE  # one second
SEED = 0  # of the data, which do not change with the training seed

# The words of Speech Commands (arXiv 1804.03209, table 1).
KEYWORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
OTHER_WORDS = (
    "backward bed bird cat dog eight five follow forward four happy house learn marvin nine one "
    "seven sheila six three tree two visual wow zero"
)

ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-029")
# Voices that breathe are left out: espeak-ng 1.52 never says a word the same way twice with them.
TRAINING_VOICES = (
    "m1 m2 m3 m4 m5 m6 f1 Andy Alex adam Annie Andrea anika boris david edward Denis Gene "
    "grandma john Lee Mario max Michael norbert paul quincy rob steph travis zac klatt klatt2"
)
HELD_OUT_VOICES = "m7 m8 f4 linda benjamin Hugo belinda"


def data_source() -> str:
    """Return where the words come from."""
    return describe_source(DATASET, "words spoken by espeak-ng, in noise")


def load_data(
    root: Path | None,
    recorded: Callable[[Path, np.random.Generator], Split],
    spoken: Callable[[str, int, np.random.Generator], Samples],
    counts: tuple[int, int],
) -> Split:
    """Return what ``recorded`` makes of Speech Commands or, without them, ``spoken`` of voices.

    ``counts`` are how many clips to speak for training and to hold out, in other voices.
    """
    rng = np.random.default_rng(SEED)
    folder = dataset_folder(DATASET, root)
    if folder is not None:
        return recorded(folder, rng)
    training, held_out = counts
    return spoken(TRAINING_VOICES, training, rng), spoken(HELD_OUT_VOICES, held_out, rng)


@dataclass(frozen=True)
class Saying:
    """One word and how espeak-ng is to say it."""

    word: str
    voice: str
    words_per_minute: int
    pitch: int


def speak(words: Iterable[str], voices: str, rng: np.random.Generator) -> list[Sound]:
    """Return each word spoken by espeak-ng with a voice, accent, speed and pitch drawn by ``rng``.

    ``voices`` are names of espeak-ng's voice variants, with spaces between them.

    Raises:
        ToolchainError: espeak-ng is not installed, or fails.
    """
    if shutil.which("espeak-ng") is None:
        raise ToolchainError(
            "espeak-ng, which speaks the stand-in data, is not installed: install it with "
            "'apt install espeak-ng' or your system's package of that name"
        )
    sayings = [
        Saying(
            word,
            f"{rng.choice(ACCENTS)}+{rng.choice(voices.split())}",
            int(rng.integers(120, 220)),
            int(rng.integers(20, 80)),
        )
        for word in words
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_say, sayings))


def _say(saying: Saying) -> Sound:
    """Return the sound from its first to its last sample above a fiftieth of the loudest."""
    options = ("-v", saying.voice, "-s", str(saying.words_per_minute), "-p", str(saying.pitch))
    command = ["espeak-ng", *options, "--stdout", saying.word]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        raise ToolchainError(f"espeak-ng failed: {done.stderr.decode(errors='replace').strip()}")
    sound = read_wav(done.stdout)
    (loud,) = np.nonzero(np.abs(sound) > np.abs(sound).max() / 50)
    return sound[loud[0] : loud[-1] + 1]


def recorded(sound: Sound, rng: np.random.Generator, *, noise: tuple[float, float]) -> Sound:
    """Return a second (16000,) with ``sound`` somewhere in it at some volume, and noise.

    The noise's deviation is drawn from the range ``noise``, evenly in decibels; 1 is full scale.
    """
    start = int(rng.integers(0, max(CLIP - len(sound), 0) + 1))
    loudest = np.abs(sound).max(initial=1e-9)
    clip = fitted(sound * np.float32(rng.uniform(0.2, 0.9) / loudest), CLIP, start)
    clip += coloured_noise(CLIP, rng) * np.float32(np.exp(rng.uniform(*np.log(noise))))
    return np.clip(clip, -1, 1)


def coloured_noise(length: int, rng: np.random.Generator) -> Sound:
    """Return noise of deviation 1 that falls with frequency by 0 to 6 dB per octave."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    spectrum *= np.arange(1, len(spectrum) + 1) ** -rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, length)
    return (noise / noise.std()).astype(np.float32)


# -------------------------------------------------------------------------- Speech Commands


def read_clip(file: Path) -> Sound:
    """Return the first second (16000,) of a ``.wav``, with silence after a shorter one."""
    return fitted(read_wav(file), CLIP)


def split_files(folder: Path, word: str) -> tuple[list[Path], list[Path]]:
    """Return a word's recordings to train on and to test on, as the data set's lists tell.

    What its validation list names is in neither.

    Raises:
        InputError: a list is missing or there are no such recordings.
    """
    testing, validation = (
        _listed(folder / f"{name}_list.txt") for name in ("testing", "validation")
    )
    names = sorted(f"{word}/{path.name}" for path in (folder / word).glob("*.wav"))
    training = [folder / name for name in names if name not in testing | validation]
    held_out = [folder / name for name in names if name in testing]
    if not training or not held_out:
        raise InputError(
            f"{folder / word} has {len(training)} recordings to train on and {len(held_out)} to "
            "test on: expected Speech Commands version 0.02, unpacked"
        )
    return training, held_out


def _listed(path: Path) -> set[str]:
    if not path.is_file():
        raise InputError(f"{path} is missing: expected Speech Commands version 0.02, unpacked")
    return set(path.read_text(encoding="utf-8").split())


def background_clips(folder: Path, count: int, rng: np.random.Generator) -> list[Sound]:
    """Return ``count`` seconds (16000,) of the data set's background noise at any volume up to 1.

    Raises:
        InputError: there is no background noise that lasts a second.
    """
    files = sorted((folder / "_background_noise_").glob("*.wav"))
    noises = [noise for noise in map(read_wav, files) if len(noise) >= CLIP]
    if not noises:
        raise InputError(
            f"{folder / '_background_noise_'} has no .wav of a second or more: "
            "expected Speech Commands version 0.02, unpacked"
        )
    clips = []
    for _ in range(count):
        noise = noises[rng.integers(len(noises))]
        start = int(rng.integers(len(noise) - CLIP + 1))
        clips.append(noise[start : start + CLIP] * np.float32(rng.uniform(0, 1)))
    return clips
