"""Sound to the features that networks take: log-mel energies and cepstral coefficients."""

import io
import wave
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tinyml.errors import InputError

RATE = 16_000  # samples per second, of everything here

Sound = NDArray[np.float32]


def read_wav(source: Path | bytes) -> Sound:
    """Return a 16-bit ``.wav`` as float32 (samples,) in [-1, 1) at 16 kHz, its channels averaged.

    Raises:
        InputError: it is no 16-bit ``.wav``.
    """
    name = source if isinstance(source, Path) else "the sound"
    try:
        with wave.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise InputError(f"{name} cannot be read as .wav: {error}") from error
    if width != 2:
        raise InputError(f"{name} has samples of {8 * width} bits, expected 16: convert it")
    whole = len(data) - len(data) % (2 * channels)
    samples = np.frombuffer(data[:whole], "<i2").reshape(-1, channels).mean(axis=1) / 32768
    return resampled(samples.astype(np.float32), rate)


def resampled(samples: Sound, rate: int) -> Sound:
    """Return ``samples`` of ``rate`` at 16 kHz, band-limited through the Fourier transform."""
    if rate == RATE or not len(samples):
        return samples
    length = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)[: length // 2 + 1]
    return (np.fft.irfft(spectrum, length) * (length / len(samples))).astype(np.float32)


def fitted(samples: Sound, length: int, start: int = 0) -> Sound:
    """Return ``length`` samples: ``samples`` from ``start``, cut at the end, silence around."""
    result = np.zeros(length, np.float32)
    count = min(len(samples), length - start)
    result[start : start + count] = samples[:count]
    return result


def power_spectra(samples: Sound, window: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Return (frames, bins): |DFT|² of windowed frames, padded to a power of two."""
    frames = sliding_window_view(samples, len(window))[::step]
    size = 1 << (len(window) - 1).bit_length()
    return np.square(np.abs(np.fft.rfft(frames * window, size)))


def hann(length: int) -> NDArray[np.float64]:
    """Return the periodic Hann window."""
    return np.hanning(length + 1)[:-1]


def mel_filters(bands: int, bins: int, low: float, high: float) -> NDArray[np.float64]:
    """Return (bins, bands): triangles that are equally wide on HTK's mel scale.

    The scale is 2595 log10(1 + f / 700), as in the HTK book, section 5.4; ``low`` and ``high`` are
    in Hz.
    """
    frequencies = _mel(np.linspace(0, RATE / 2, bins))[:, np.newaxis]
    edges = np.linspace(_mel(low), _mel(high), bands + 2)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _mel(frequency: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def cepstrum(log_mel: NDArray[np.float64], coefficients: int) -> NDArray[np.float64]:
    """Return the first ``coefficients`` of the orthogonal DCT-II along the last axis.

    The zeroth is not divided by the square root of two, as in the HTK book, section 5.3.
    """
    bands = log_mel.shape[-1]
    angles = np.outer(np.arange(bands) + 0.5, np.arange(coefficients)) * np.pi / bands
    return log_mel @ (np.cos(angles) * np.sqrt(2 / bands))
