"""Sounds and the files they are in, as the real data sets have them."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from models.shared.speech import KEYWORDS, OTHER_WORDS

RATE = 16_000


def tone(frequency: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    """A sine of half the full scale, float32."""
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def write_wav(path: Path, *channels: np.ndarray, rate: int = RATE, width: int = 2) -> None:
    """Write float samples as a .wav of as many channels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(width)
        file.setframerate(rate)
        scaled = np.stack(channels, axis=1) * (1 << (8 * width - 1))
        file.writeframes(scaled.astype(f"<i{width}").tobytes())


def write_speech_commands(folder: Path, names: Iterable[str] = ("train", "test")) -> None:
    """Write Speech Commands with three recordings of each word, one of each kind."""
    lists: dict[str, list[str]] = {"testing": [], "validation": []}
    for number, word in enumerate((*KEYWORDS, *OTHER_WORDS.split())):
        for kind in (*names, "validation"):
            write_wav(folder / word / f"{kind}_nohash_0.wav", tone(200 + 50 * number))
        lists["testing"].append(f"{word}/test_nohash_0.wav")
        lists["validation"].append(f"{word}/validation_nohash_0.wav")
    for name, files in lists.items():
        (folder / f"{name}_list.txt").write_text("\n".join(files) + "\n")
    write_wav(folder / "_background_noise_" / "hum.wav", tone(60, seconds=1.5))
    (folder / "_background_noise_" / "README.md").write_text("no sound")
