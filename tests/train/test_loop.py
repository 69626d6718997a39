import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tinyml.errors import InputError, ToolchainError
from tinyml.train.loop import available_models, find_model, train

# One worker trains once.
pytestmark = pytest.mark.xdist_group("keras")

# A model file of a user's own, beside which nothing of tinyml stands.
TINY = """
import numpy as np

EPOCHS = 3

def build():
    import keras
    return keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(2, activation="softmax")]
    )

def load_data():
    x = np.random.default_rng(0).uniform(-1, 1, (500, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    return (x[:400], y[:400]), (x[400:], y[400:])
"""

# TensorFlow cannot share a process with tflite-runtime, so training runs in one of its own.
TRAIN = """
import sys
import zipfile
from pathlib import Path
from tinyml.train.loop import train

model, *folders = sys.argv[1:]
for folder in folders:
    result = train(model, Path(folder), seed=1, progress=lambda *done: print(*done, flush=True))
    print(result.name, result.epochs, result.parameters, result.test_samples, result.score)
    print("a message of Python", file=sys.stderr)
"""


# An autoencoder in a folder with a helper beside it; anomalies are far from all it has seen.
AUTOENCODER = """
import numpy as np

from .helper import normal

TASK = "reconstruction"
EPOCHS = 30
LEARNING_RATE = 0.02

def build():
    import keras
    return keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(2), keras.layers.Dense(4)]
    )

def load_data():
    x, y = normal(400), normal(40)
    y[20:] = y[20:, ::-1] + 1
    return (x, np.zeros(400, int)), (y, np.repeat([0, 1], 20))

def data_source():
    return "numbers made up"
"""
HELPER = """
import numpy as np

def normal(count):
    rng = np.random.default_rng(count)
    return rng.uniform(0, 1, (count, 2)).astype(np.float32) @ np.eye(2, 4, dtype=np.float32)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """A folder with the tiny model, trained twice with one seed into ``first`` and ``second``."""
    folder = tmp_path_factory.mktemp("train")
    (folder / "tiny.py").write_text(TINY)
    process = subprocess.run(
        [sys.executable, "-c", TRAIN, "tiny.py", "first", "second"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder, process


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def weights(path: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as stored:
        file = h5py.File(io.BytesIO(stored.read()))
        file["layers"].visititems(
            lambda _, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    return found


def test_training_writes_the_model_its_calibration_data_and_its_test_data(trained):
    folder, _ = trained

    assert sorted(path.name for path in (folder / "first").iterdir()) == [
        "tiny.calibration.npz",
        "tiny.keras",
        "tiny.test.npz",
    ]


def test_calibration_data_are_training_samples_without_repetition(trained):
    folder, _ = trained

    x = arrays(folder / "first" / "tiny.calibration.npz")["x"]

    assert (x.shape, x.dtype) == ((300, 4), np.float32)
    assert len(np.unique(x, axis=0)) == 300


def test_test_data_are_all_held_out_samples_with_their_labels(trained):
    folder, _ = trained

    test = arrays(folder / "first" / "tiny.test.npz")

    assert test["x"].shape == (100, 4)
    assert np.array_equal(test["y"], test["x"][:, 0] > 0)


def test_the_same_seed_gives_the_same_weights(trained):
    folder, _ = trained

    first, second = (weights(folder / run / "tiny.keras") for run in ("first", "second"))

    assert [array.shape for array in first] == [(4, 2), (2,)]
    assert all(map(np.array_equal, first, second))


def test_the_result_says_what_was_trained_and_how_well(trained):
    _, process = trained

    result = next(line for line in process.stdout.splitlines() if line.startswith("tiny"))

    assert result.startswith("tiny 3 10 100 0.")


def test_progress_is_told_after_each_epoch(trained):
    _, process = trained

    assert process.stdout.splitlines()[:3] == ["1 3", "2 3", "3 3"]


def test_tensorflow_says_nothing_on_stderr_and_python_still_can(trained):
    _, process = trained

    assert process.stderr == "a message of Python\n" * 2


def test_an_autoencoder_learns_its_inputs_and_is_judged_by_its_errors(tmp_path):
    (tmp_path / "auto.py").write_text(AUTOENCODER)
    (tmp_path / "helper.py").write_text(HELPER)

    done = subprocess.run(
        [sys.executable, "-m", "tinyml", "train", "auto.py", "-o", "trained"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert said["data"] == "numbers made up"
    assert "float ROC AUC" in done.stdout
    assert float(said["float"].split()[-2]) > 95
    test = arrays(tmp_path / "trained" / "auto.test.npz")
    assert str(test["metric"]) == "reconstruction_auc"
    assert test["y"].tolist() == [0] * 20 + [1] * 20


def test_a_model_file_of_another_folder_has_helpers_of_its_own(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").write_text("from .helper import WORD\nraise OSError(WORD)")
        (tmp_path / name / "helper.py").write_text(f"WORD = {name!r}")

    for name in ("first", "second"):
        with pytest.raises(InputError, match=f"OSError: {name}"):
            train(str(tmp_path / name / "own.py"), tmp_path / "out")


def test_digits_come_with_tinyml():
    assert available_models()["digits"].name == "digits.py"


def test_digits_hold_out_at_least_360_images_of_every_class():
    code = (
        "from models.digits import load_data; (_, _), (x, y) = load_data(); print(len(x), *set(y))"
    )

    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    held_out, *classes = map(int, result.stdout.split())
    assert held_out >= 360
    assert sorted(classes) == list(range(10))


def test_a_model_of_the_current_folder_hides_one_of_tinyml(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "digits.py").write_text(TINY)
    monkeypatch.chdir(tmp_path)

    assert find_model("digits") == Path("models/digits.py")


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list():
    with pytest.raises(InputError, match="did you mean digits"):
        find_model("digit")


def test_a_missing_model_file_is_named():
    with pytest.raises(InputError, match=r"gone\.py does not exist"):
        find_model("gone.py")


def test_fewer_epochs_than_one_are_refused(tmp_path):
    with pytest.raises(InputError, match="0 epochs"):
        train("digits", tmp_path, epochs=0)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def build(", "failed in its code with SyntaxError"),
        ("build = None", r"no function build\(\)"),
        ("def build(): pass", r"no function load_data\(\)"),
        ("TASK = 'dreaming'\ndef build(): pass\ndef load_data(): pass", "TASK to 'dreaming'"),
        (
            "from tinyml.errors import InputError\nraise InputError('own words')",
            "^own words$",
        ),
        ("import no_such_package", "run pip install no_such_package"),
        (
            "def build(): pass\ndef load_data(): raise OSError('no data')",
            r"failed in load_data\(\) with OSError: no data",
        ),
    ],
)
def test_a_broken_model_file_is_told_and_writes_nothing(tmp_path, code, said):
    (tmp_path / "broken.py").write_text(code)

    with pytest.raises(InputError, match=said):
        train(str(tmp_path / "broken.py"), tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []


def test_without_tensorflow_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # Python's own mark for "not importable"

    with pytest.raises(ToolchainError, match=r"pip install 'tinyml\[keras\]'"):
        train("digits", tmp_path)
