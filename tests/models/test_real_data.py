"""Readers of the real data sets, on small files in those data sets' formats."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recordings import tone, write_speech_commands, write_wav

from models import (
    anomaly_detection,
    image_classification,
    keyword_spotting,
    streaming_wakeword,
    visual_wake_words,
)
from models.shared import speech
from models.shared.audio import fitted
from tinyml.errors import InputError

# --------------------------------------------------------------------------- Speech Commands


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> Path:
    """A folder with Speech Commands."""
    folder = tmp_path_factory.mktemp("data")
    write_speech_commands(folder / speech.DATASET)
    return folder


def test_keywords_are_split_as_the_lists_say(spoken):
    for _, labels in keyword_spotting.load_data(spoken):
        assert np.bincount(labels).tolist() == [1] * 12


def test_a_recording_becomes_its_mfccs(spoken):
    (x, y), _ = keyword_spotting.load_data(spoken)

    recording = spoken / speech.DATASET / "down" / "train_nohash_0.wav"
    assert x.shape == (12, 49, 10, 1)
    assert np.array_equal(
        x[y == speech.KEYWORDS.index("down")],
        keyword_spotting.features([speech.read_clip(recording)]),
    )


def test_the_wake_word_has_silence_and_other_words_in_their_shares(spoken, monkeypatch):
    monkeypatch.setattr(streaming_wakeword, "SILENCE_SHARE", 2)

    for x, labels in streaming_wakeword.load_data(spoken):
        assert x.shape == (6, 30, 1, 40)
        assert np.bincount(labels).tolist() == [1, 2, 3]


def test_mfccs_do_not_depend_on_loudness_and_log_mel_energies_do():
    loud = fitted(tone(300), speech.CLIP)

    mfccs = keyword_spotting.features([loud, loud / 4])
    energies = streaming_wakeword.features([loud, loud / 4])

    assert np.array_equal(mfccs[0], mfccs[1])
    assert energies.min() >= 0
    assert energies.max() <= 1
    assert energies[0].sum() > energies[1].sum()


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("testing_list.txt", "testing_list.txt is missing"),
        ("_background_noise_/hum.wav", "_background_noise_ has no .wav"),
        ("marvin/train_nohash_0.wav", "marvin has 0 recordings to train on and 1 to test on"),
    ],
)
def test_a_part_of_speech_commands_that_is_missing_is_named(tmp_path, missing, complaint):
    write_speech_commands(tmp_path / speech.DATASET)
    (tmp_path / speech.DATASET / missing).unlink()

    with pytest.raises(InputError, match=complaint):
        streaming_wakeword.load_data(tmp_path)


# ----------------------------------------------------------------------------------- ToyCar


@pytest.fixture
def toy_car(tmp_path) -> Path:
    for path in ("train/normal_id_01_00000000.wav", "train/normal_id_02_00000000.wav",
                 "test/normal_id_01_00000000.wav", "test/anomaly_id_01_00000000.wav"):  # fmt: skip
        write_wav(tmp_path / "ToyCar" / path, tone(300 if "normal" in path else 3000, seconds=2))
    return tmp_path


def test_recordings_become_windows_and_names_their_labels(toy_car):
    (x, y), (x_test, y_test) = anomaly_detection.load_data(toy_car)

    assert (x.shape, y.tolist()) == ((12, 640), [0] * 12)
    assert (x_test.shape, y_test.tolist()) == ((12, 640), [0] * 6 + [1] * 6)
    peaks = x_test.reshape(12, 5, 128).argmax(axis=2)
    assert peaks[y_test == 0].max() < peaks[y_test == 1].min()


def test_a_window_is_five_frames_one_after_the_other():
    sweep = np.sin(np.cumsum(np.linspace(0.1, 2, 16_000))).astype(np.float32)

    windows = anomaly_detection.features(sweep).reshape(-1, 5, 128)

    assert len(windows) == 26
    assert np.array_equal(windows[1:, 0], windows[:-1, 1])


def test_a_folder_without_recordings_is_named(toy_car):
    (toy_car / "ToyCar" / "test" / "anomaly_id_01_00000000.wav").unlink()

    with pytest.raises(InputError, match=r"test has no anomaly_id_\*\.wav"):
        anomaly_detection.load_data(toy_car)


# ---------------------------------------------------------------------------------- CIFAR-10


def write_cifar(root: Path, first: object = None) -> np.ndarray:
    """Write six batches of two random pictures and return all pictures, as they are stored."""
    folder = root / image_classification.DATASET
    folder.mkdir()
    planes = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 32)).astype(np.uint8)
    names = (*image_classification.TRAINING_FILES, *image_classification.HELD_OUT_FILES)
    for number, name in enumerate(names):
        data = planes[2 * number : 2 * number + 2].reshape(2, 3072)
        batch = {b"batch_label": b"batch", b"data": data, b"labels": [number, 9]}
        (folder / name).write_bytes(pickle.dumps(first or batch, protocol=2))
    return planes


def test_batches_of_cifar_become_pictures_with_their_colours_last(tmp_path):
    planes = write_cifar(tmp_path)

    (x, y), (x_test, y_test) = image_classification.load_data(tmp_path)

    assert y.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert y_test.tolist() == [5, 9]
    pictures = np.concatenate([x, x_test])
    assert pictures.dtype == np.float32
    assert np.allclose(pictures.transpose(0, 3, 1, 2) * 255, planes)


class Malice:
    """Unpickled by the pickle module, it would make a file."""

    def __reduce__(self):
        return Path.touch, (Path("made-by-malice"),)


@pytest.mark.parametrize(
    ("batch", "complaint"),
    [
        (Malice(), "UnpicklingError: it asks for"),
        ({b"data": np.zeros((2, 5), np.uint8), b"labels": [1, 2]}, "ValueError"),
        ({b"labels": [1, 2]}, "KeyError"),
        ([1, 2], "TypeError"),
    ],
)
def test_a_file_that_is_no_batch_is_refused_and_runs_no_code(
    tmp_path, monkeypatch, batch, complaint
):
    monkeypatch.chdir(tmp_path)
    write_cifar(tmp_path, batch)

    with pytest.raises(InputError, match=f"data_batch_1 is no batch of CIFAR-10.*{complaint}"):
        image_classification.load_data(tmp_path)
    assert not Path("made-by-malice").exists()


def test_a_cut_batch_is_refused(tmp_path):
    write_cifar(tmp_path)
    path = tmp_path / image_classification.DATASET / "test_batch"
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(InputError, match="test_batch is no batch of CIFAR-10"):
        image_classification.load_data(tmp_path)


# ------------------------------------------------------------------------------- wake words


def write_photos(root: Path, count: int) -> None:
    """Write dark photos without and light photos with a person, of two sizes."""
    for name, light in (("non_person", 40), ("person", 200)):
        folder = root / visual_wake_words.DATASET / name
        folder.mkdir(parents=True)
        for number in range(count):
            size = (96, 96) if number % 2 else (120, 80)
            Image.new("RGB", size, (light, light, light + number)).save(folder / f"{number}.jpg")


def test_every_tenth_photo_is_held_out_and_its_folder_is_its_class(tmp_path):
    write_photos(tmp_path, 10)

    (x, y), (x_test, y_test) = visual_wake_words.load_data(tmp_path)

    assert (x.shape, x.dtype) == ((18, 96, 96, 3), np.float32)
    assert (np.bincount(y).tolist(), sorted(y_test)) == ([9, 9], [0, 1])
    for pictures, labels in ((x, y), (x_test, y_test)):
        assert np.array_equal(pictures.mean(axis=(1, 2, 3)) > 0.5, labels == 1)


def test_a_folder_with_too_few_photos_is_named(tmp_path):
    write_photos(tmp_path, 9)

    with pytest.raises(InputError, match=r"non_person has 9 \.jpg files, expected 10 or more"):
        visual_wake_words.load_data(tmp_path)
