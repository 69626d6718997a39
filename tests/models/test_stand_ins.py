"""Stand-in data: the same each time, of the network's shape, with every class, finite."""

import numpy as np
import pytest

from models import (
    anomaly_detection,
    image_classification,
    keyword_spotting,
    streaming_wakeword,
    visual_wake_words,
)
from models.shared import datasets, scenes, shapes, speech
from models.shared.machines import FAULTS, healthy, run_machine
from tinyml.errors import InputError, ToolchainError

# How many of each kind to make in a test, and what the samples then are.
CASES = {
    keyword_spotting: ("SPOKEN", (3, 2), (49, 10, 1), [3] * 12, [2] * 12),
    streaming_wakeword: ("SPOKEN", (4, 2), (30, 1, 40), [4, 2, 14], [2, 1, 7]),
    anomaly_detection: ("HUMMING", (2, 1), (640,), [58], [8, 8]),
    image_classification: ("DRAWN", (3, 2), (32, 32, 3), [3] * 10, [2] * 10),
    visual_wake_words: ("DRAWN", (4, 2), (96, 96, 3), [4, 4], [2, 2]),
}
MODELS = {module.__name__.rpartition(".")[2]: module for module in CASES}


@pytest.fixture(params=MODELS)
def small(request, monkeypatch):
    """A model file that makes little data, whatever this machine has."""
    module = MODELS[request.param]
    monkeypatch.delenv(datasets.VARIABLE, raising=False)
    kind, (training, held_out), *_ = CASES[module]
    monkeypatch.setattr(module, f"{kind}_TRAINING", training)
    monkeypatch.setattr(module, f"{kind}_HELD_OUT", held_out)
    return module


def test_stand_in_data_have_the_networks_shape_and_every_class(small):
    *_, shape, training, held_out = CASES[small]

    halves = small.load_data()

    for (x, y), counts in zip(halves, (training, held_out), strict=True):
        assert (x.shape, x.dtype) == ((sum(counts), *shape), np.float32)
        assert np.isfinite(x).all()
        assert (y.dtype, np.bincount(y).tolist()) == (np.int64, counts)


def test_stand_in_data_are_the_same_each_time(small):
    first, second = small.load_data(), small.load_data()

    for one, other in zip(first, second, strict=True):
        assert all(map(np.array_equal, one, other))


def test_no_two_samples_are_alike(small):
    (x, _), (held_out, _) = small.load_data()

    flat = np.concatenate([x, held_out]).reshape(len(x) + len(held_out), -1)
    assert len(np.unique(flat, axis=0)) == len(flat)


def test_stand_in_data_say_that_they_are(small):
    assert small.data_source().startswith("stand-in data: ")
    assert "TINYML_DATA_DIR" in small.data_source()


def test_a_missing_espeak_is_named_with_its_package(small, monkeypatch):
    monkeypatch.setenv("PATH", "")
    if CASES[small][0] != "SPOKEN":
        small.load_data()
        return

    with pytest.raises(ToolchainError, match="apt install espeak-ng"):
        small.load_data()


def test_a_named_folder_without_the_data_set_is_no_stand_in(small, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="put the data set there, or unset"):
        small.load_data(tmp_path)
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match=f"{tmp_path} has no folder"):
        small.load_data()


def test_no_voice_is_in_both_halves():
    training, held_out = speech.TRAINING_VOICES.split(), speech.HELD_OUT_VOICES.split()

    assert not set(training) & set(held_out)


def test_a_spoken_word_has_no_silence_around_it():
    (word,) = speech.speak(["marvin"], "m1", np.random.default_rng(0))

    limit = np.abs(word).max() / 50
    assert 0.2 < len(word) / speech.CLIP < 0.8
    assert min(abs(word[0]), abs(word[-1])) > limit


def test_voices_sound_different():
    words = [speech.speak(["yes"], voice, np.random.default_rng(0))[0] for voice in ("m1", "f2")]

    assert len({word.tobytes() for word in words}) == 2


def test_noise_is_as_loud_as_asked():
    silence = np.zeros(0, np.float32)
    rng = np.random.default_rng(0)

    clips = [speech.recorded(silence, rng, noise=(0.01, 0.02)) for _ in range(20)]

    assert all(0.0099 < clip.std() < 0.0201 for clip in clips)


def test_every_fault_changes_the_sound_of_a_machine():
    machine = healthy(np.random.default_rng(0))
    sounds = [run_machine(machine, 1.0, np.random.default_rng(1))]
    for fault in FAULTS:
        broken = fault(machine, 0.5, np.random.default_rng(2))
        sounds.append(run_machine(broken, 1.0, np.random.default_rng(1)))

    assert len({sound.tobytes() for sound in sounds}) == len(FAULTS) + 1
    assert all(np.abs(sound).max() < 1 for sound in sounds)


@pytest.mark.parametrize("shape", range(10))
def test_a_shape_is_visible_and_its_pixels_are_bytes(shape):
    picture = shapes.draw(shape, np.random.default_rng(shape))

    assert picture.std() > 2 * shapes.NOISE
    assert np.allclose(picture * 255, np.round(picture * 255))


@pytest.mark.parametrize("seed", range(5))
def test_a_person_stands_upright_on_the_ground(seed):
    picture = np.zeros((scenes.SIZE, scenes.SIZE, 3))

    scenes._person(scenes.Canvas(picture, (48, 90), 80), np.random.default_rng(seed))

    rows, columns = np.nonzero(picture.any(axis=2))
    assert abs(rows.min() - 10) < 6
    assert abs(rows.max() - 90) < 6
    assert np.ptp(columns) < np.ptp(rows)
