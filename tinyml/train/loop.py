"""Training a model of ``models/``: what ``tinyml train`` does.

A model file holds one network: ``build()`` returns the untrained Keras model, and ``load_data()``
returns ``(x_train, y_train), (x_test, y_test)`` with integer labels. It may set ``TASK``, by
default "classification", which wants class probabilities of the model; ``EPOCHS``, ``BATCH_SIZE``
and ``LEARNING_RATE``; and have ``data_source()``, which says in a line what data those are. It may
import files beside it relatively. The training loop is here, once: Adam, its learning rate falling
to zero along a cosine.

TensorFlow is imported inside functions, with what its C++ parts write to stderr silenced.
"""

import difflib
import importlib.util
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.data.metrics import Metric, score
from tinyml.errors import InputError, TinymlError, ToolchainError
from tinyml.files import atomic_path, reporting_os_errors
from tinyml.train.quiet import native_stderr_silenced

CALIBRATION_SAMPLES = 300
PACKAGE = Path(__file__).parents[1]
# The package a model file belongs to while it is loaded.
MODELS_PACKAGE = "tinyml_models"

Progress = Callable[[int, int], None]
Samples = tuple[NDArray[np.generic], NDArray[np.integer[Any]]]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a model learns and how well it does: its Keras loss and its metric.

    A model that reconstructs learns its own inputs; labels (1 is an anomaly) only measure it.
    """

    loss: str
    metric: Metric
    reconstructs: bool = False


TASKS = {
    "classification": Task(loss="sparse_categorical_crossentropy", metric=Metric.ACCURACY),
    "reconstruction": Task(
        loss="mean_squared_error", metric=Metric.RECONSTRUCTION_AUC, reconstructs=True
    ),
}


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What training left behind; ``score`` is the model's on held-out samples, by ``metric``.

    ``data`` is what the model file says of its data.
    """

    name: str
    model: Path
    calibration: Path
    test: Path
    parameters: int
    epochs: int
    test_samples: int
    metric: Metric
    score: float
    data: str | None
    seconds: float


def train(
    name_or_path: str,
    directory: Path,
    *,
    epochs: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainResult:
    """Train a model and write ``NAME.keras``, ``NAME.calibration.npz`` and ``NAME.test.npz``.

    ``name_or_path`` is a name in ``models/`` (the current folder's, then the one that comes with
    tinyml) or a ``.py`` file. The calibration file holds ``x``, training samples chosen at random;
    the test file holds ``x`` and ``y``, everything held out, and the name of the ``metric``. The
    same seed gives the same weights on the same machine. ``progress`` is called after each epoch
    with the epochs done and to do.

    Raises:
        InputError: there is no such model, it fails, it lacks ``build`` or ``load_data``, a
            package it needs is not installed, or ``directory`` cannot be written.
        ToolchainError: TensorFlow is not installed.
    """
    path = find_model(name_or_path)
    if epochs is not None and epochs < 1:
        raise InputError(f"{epochs} epochs cannot be trained: give 1 or more")
    _check_tensorflow(path)
    with reporting_os_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with native_stderr_silenced():
        return _train(path, directory, epochs=epochs, seed=seed, progress=progress)


def _train(
    path: Path, directory: Path, *, epochs: int | None, seed: int, progress: Progress | None
) -> TrainResult:
    started = time.monotonic()
    module = _load_module(path)
    task = _task(path, module)
    training, held_out = _call(path, module, "load_data")
    data = _call(path, module, "data_source") if hasattr(module, "data_source") else None
    model = _fit(path, module, task, training, epochs=epochs, seed=seed, progress=progress)
    result = TrainResult(
        name=path.stem,
        model=directory / f"{path.stem}.keras",
        calibration=directory / f"{path.stem}.calibration.npz",
        test=directory / f"{path.stem}.test.npz",
        parameters=model.count_params(),
        epochs=epochs or _epochs(module),
        test_samples=len(held_out[0]),
        metric=task.metric,
        score=_score(model, task, held_out),
        data=data,
        seconds=time.monotonic() - started,
    )
    with atomic_path(result.model) as temporary:
        model.save(temporary)
    _save(result.calibration, x=_calibration_samples(training[0], seed))
    _save(result.test, x=held_out[0], y=held_out[1], metric=np.array(task.metric.value))
    return result


def find_model(name_or_path: str) -> Path:
    """Return the ``.py`` file of a model given by name or by path.

    Raises:
        InputError: there is none; the message gives the nearest name and all names.
    """
    if name_or_path.endswith(".py"):
        if Path(name_or_path).is_file():
            return Path(name_or_path)
        raise InputError(f"{name_or_path} does not exist: give a model's name or its .py file")
    models = available_models()
    if name_or_path in models:
        return models[name_or_path]
    nearest = difflib.get_close_matches(name_or_path, models, n=1)
    hint = f"did you mean {nearest[0]}? There are" if nearest else "there are"
    raise InputError(
        f"there is no model {name_or_path!r} in models/: {hint} {', '.join(models) or 'none'}"
    )


def available_models() -> dict[str, Path]:
    """Return the models that can be named, sorted; the current folder's hide tinyml's own."""
    found = {
        path.stem: path
        for folder in (_own_models(), Path("models"))
        for path in folder.glob("[!_]*.py")
    }
    return dict(sorted(found.items()))


def _own_models() -> Path:
    """Return the folder of tinyml's own models, in an installed package or in a checkout."""
    installed = PACKAGE / "_data" / "models"
    return installed if installed.is_dir() else PACKAGE.parent / "models"


def _check_tensorflow(path: Path) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise ToolchainError(
            f"training {path} needs TensorFlow, which is not installed: "
            "run pip install 'tinyml[keras]'"
        )


def _load_module(path: Path) -> ModuleType:
    """Run the model file and return it as a module that has ``build`` and ``load_data``."""
    _forget_models()
    package = ModuleType(MODELS_PACKAGE)
    package.__path__ = [str(path.parent.resolve())]
    spec = importlib.util.spec_from_file_location(f"{MODELS_PACKAGE}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file: give a model's name or its .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODELS_PACKAGE] = package
    with _reporting_model_errors(path, "its code"):
        spec.loader.exec_module(module)
    for function in ("build", "load_data"):
        if not callable(getattr(module, function, None)):
            raise InputError(f"{path} has no function {function}(): a model file needs one")
    return module


def _forget_models() -> None:
    """Forget what an earlier model file imported: the next may lie in another folder."""
    for name in [name for name in sys.modules if name.split(".")[0] == MODELS_PACKAGE]:
        del sys.modules[name]


def _task(path: Path, module: ModuleType) -> Task:
    name = getattr(module, "TASK", "classification")
    if name not in TASKS:
        raise InputError(f"{path} sets TASK to {name!r}: expected one of {', '.join(TASKS)}")
    return TASKS[name]


def _call(path: Path, module: ModuleType, function: str) -> Any:
    """Return what the model file's own ``function`` returns."""
    with _reporting_model_errors(path, f"{function}()"):
        return getattr(module, function)()


@contextmanager
def _reporting_model_errors(path: Path, place: str) -> Iterator[None]:
    """Turn whatever the user's model file raises into an InputError naming file and place."""
    try:
        yield
    except TinymlError:
        raise
    except ModuleNotFoundError as error:
        package = {"sklearn": "scikit-learn", "PIL": "pillow"}.get(error.name or "", error.name)
        raise InputError(
            f"{path} needs {package}, which is not installed: run pip install {package}"
        ) from error
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"{path} failed in {place} with {type(error).__name__}: {first_line}"
        ) from error


def _epochs(module: ModuleType) -> int:
    return int(getattr(module, "EPOCHS", 20))


def _fit(
    path: Path,
    module: ModuleType,
    task: Task,
    training: Samples,
    *,
    epochs: int | None,
    seed: int,
    progress: Progress | None,
) -> Any:
    """Return the model of ``module`` trained on ``training``."""
    keras = _import_keras(seed)
    model = _call(path, module, "build")
    epochs = epochs or _epochs(module)
    batch_size = int(getattr(module, "BATCH_SIZE", 32))
    x, y = training
    steps = epochs * math.ceil(len(x) / batch_size)
    rate = keras.optimizers.schedules.CosineDecay(getattr(module, "LEARNING_RATE", 1e-3), steps)
    model.compile(keras.optimizers.Adam(rate), loss=task.loss)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _logs: progress and progress(epoch + 1, epochs)
    )
    with _reporting_model_errors(path, "training"):
        model.fit(
            x,
            x if task.reconstructs else y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=0,
            callbacks=[report],
        )
    return model


def _import_keras(seed: int) -> Any:
    """Import Keras on TensorFlow, quiet, seeded, and with operators that repeat exactly."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return keras


def _score(model: Any, task: Task, held_out: Samples) -> float:
    """Return how well the model does on ``held_out``."""
    x, y = held_out
    return score(task.metric, x, model.predict(x, verbose=0), y)


def _calibration_samples(x: NDArray[np.generic], seed: int) -> NDArray[np.generic]:
    """Return up to 300 of the training samples ``x``, chosen at random without repetition."""
    count = min(len(x), CALIBRATION_SAMPLES)
    chosen = np.random.default_rng(seed).choice(len(x), size=count, replace=False)
    return x[np.sort(chosen)]


def _save(path: Path, **arrays: NDArray[np.generic]) -> None:
    """Write ``arrays`` to the ``.npz`` file ``path``."""
    with atomic_path(path) as temporary, reporting_os_errors(path):
        np.savez_compressed(temporary, **arrays)
