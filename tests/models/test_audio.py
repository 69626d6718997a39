import numpy as np
import pytest
from recordings import RATE, tone, write_wav
from scipy.fft import dct

from models.shared.audio import (
    cepstrum,
    fitted,
    hann,
    mel_filters,
    power_spectra,
    read_wav,
    resampled,
)
from tinyml.errors import InputError


def loudest(sound: np.ndarray) -> float:
    """The frequency of the largest bin, in Hz."""
    return float(np.abs(np.fft.rfft(sound)).argmax() * RATE / len(sound))


def test_a_wav_reads_as_it_was_written(tmp_path):
    write_wav(tmp_path / "a.wav", tone(440))

    sound = read_wav(tmp_path / "a.wav")

    assert (sound.shape, sound.dtype) == ((8000,), np.float32)
    assert np.abs(sound - tone(440)).max() < 1 / 32768


def test_channels_are_averaged(tmp_path):
    write_wav(tmp_path / "a.wav", tone(440), -tone(440))

    assert np.abs(read_wav(tmp_path / "a.wav")).max() < 1e-4


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_another_rate_keeps_pitch_length_and_loudness(tmp_path, rate):
    write_wav(tmp_path / "a.wav", tone(1000, seconds=1, rate=rate), rate=rate)

    sound = read_wav(tmp_path / "a.wav")

    assert len(sound) == RATE
    assert loudest(sound) == 1000
    assert sound.std() == pytest.approx(tone(1000).std(), rel=0.01)


def test_what_the_new_rate_cannot_hold_is_removed():
    assert np.abs(resampled(tone(12_000, seconds=1, rate=44_100), 44_100)).max() < 0.01


@pytest.mark.parametrize("data", [b"", b"no sound at all", b"RIFF\x04\0\0\0WAVE"])
def test_a_file_that_is_no_wav_is_named(tmp_path, data):
    (tmp_path / "bad.wav").write_bytes(data)

    with pytest.raises(InputError, match=r"bad\.wav cannot be read as \.wav"):
        read_wav(tmp_path / "bad.wav")


def test_samples_of_32_bits_are_refused(tmp_path):
    write_wav(tmp_path / "fine.wav", tone(440), width=4)

    with pytest.raises(InputError, match="32 bits, expected 16"):
        read_wav(tmp_path / "fine.wav")


def test_a_sound_is_cut_or_followed_by_silence():
    sound = np.ones(4, np.float32)

    assert fitted(sound, 6, start=1).tolist() == [0, 1, 1, 1, 1, 0]
    assert fitted(sound, 3).tolist() == [1, 1, 1]


def test_frames_are_as_many_as_fit_and_bins_reach_the_next_power_of_two():
    powers = power_spectra(tone(1000, seconds=1), hann(480), step=320)

    assert powers.shape == (49, 257)
    assert set(powers.argmax(axis=1)) == {1000 * 512 // RATE}


def test_the_hann_window_is_periodic():
    assert np.allclose(hann(8), 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8))


def test_mel_filters_are_triangles_whose_sum_is_one_between_the_first_and_last_peak():
    filters = mel_filters(40, 257, low=20, high=4000)

    sums = filters.sum(axis=1)
    peaks = filters.argmax(axis=0)
    assert filters.shape == (257, 40)
    assert np.allclose(sums[peaks[0] + 1 : peaks[-1]], 1)
    assert not sums[4000 * 512 // RATE + 1 :].any()
    assert sorted(peaks) == list(peaks)


def test_the_cepstrum_is_the_orthogonal_dct_but_for_its_zeroth_coefficient():
    log_mel = np.random.default_rng(0).normal(size=(3, 40))

    expected = dct(log_mel, norm="ortho")[:, :10]
    expected[:, 0] *= np.sqrt(2)
    assert np.allclose(cepstrum(log_mel, 10), expected)
