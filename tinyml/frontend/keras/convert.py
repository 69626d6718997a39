"""Keras models and SavedModel folders -> float32 ``.tflite``, through TensorFlow's converter.

The converter already folds batch normalization, fuses activations and lowers layers, so it is the
one road from Keras to the Graph. It gets the model with its batch fixed to 1: with an open batch,
Flatten would bring SHAPE, STRIDED_SLICE and PACK.

TensorFlow runs in a process of its own (``worker.py``). It writes to stderr as it pleases, takes
seconds to start, and crashes beside tflite-runtime; here the caller never notices.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from tinyml.errors import InputError, ModelError, TinymlError, ToolchainError
from tinyml.frontend.keras.refusals import ADVICE, DETAILS, said_by

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
FAILED = 2


def convert_keras(path: Path) -> bytes:
    """Return the model in ``path`` (``.keras``, ``.h5`` or a SavedModel folder) as a ``.tflite``.

    The result is float32 with static shapes and batch 1. What the converter has no TFLite
    operator for stays in it as a custom operator, for the importer to list by name and place.

    Raises:
        InputError: the file is missing, is not what its name says, or Keras cannot load it.
        ToolchainError: TensorFlow is not installed.
        ModelError: an input's shape is open, or the converter rejects the model.
    """
    _check_is_a_model(path)
    if find_spec("tensorflow") is None:
        raise ToolchainError(
            f"{path} is a Keras model and reading it needs TensorFlow, which is not installed: "
            "run pip install 'tinyml[keras]', or give a .tflite or .onnx model"
        )
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        result = Path(folder) / "result"
        process = _run_converter(path, result)
        if process.returncode == 0:
            return result.read_bytes()
        if process.returncode == FAILED and result.is_file():
            raise _read_error(result)
    error = ModelError(
        f"TensorFlow's converter failed on {path} ({_ending(process)}): {ADVICE} elsewhere; "
        f"{DETAILS}"
    )
    raise said_by(process.stderr.strip(), error)


def _check_is_a_model(path: Path) -> None:
    """Raise InputError where ``path`` is not, by its first bytes, what its name says."""
    if not path.exists():
        raise InputError(f"{path} does not exist: give a .keras, .h5 or SavedModel folder")
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise InputError(
                f"{path} is a folder without saved_model.pb, a SavedModel folder holds one: "
                "give the folder that model.export() wrote"
            )
        return
    suffix = path.suffix.lower()
    # Versions of Keras 2 wrote HDF5 under either ending.
    if not (zipfile.is_zipfile(path) or _starts_with(path, HDF5_SIGNATURE)):
        form = "a zip archive" if suffix == ".keras" else "an HDF5 file"
        raise InputError(f"{path} is not a Keras model (expected {form}): {ADVICE}")


def _starts_with(path: Path, signature: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(signature)) == signature


def _run_converter(path: Path, result: Path) -> "subprocess.CompletedProcess[str]":
    """Run this module on ``path`` in a fresh interpreter with its output captured."""
    package_root = str(Path(__file__).parents[3])
    search_path = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(search_path),
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
    }
    # -P: a keras.py or tensorflow.py in the user's folder is not the library.
    command = [sys.executable, "-P", "-m", "tinyml.frontend.keras.worker", str(path), str(result)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


def _read_error(result: Path) -> TinymlError:
    """Return the error that the converting process left in ``result``."""
    report = json.loads(result.read_text(encoding="utf-8"))
    kinds = {kind.__name__: kind for kind in (InputError, ModelError, ToolchainError)}
    error = kinds[report["error"]](report["message"])
    for note in report["notes"]:
        error.add_note(note)
    return error


def _ending(process: "subprocess.CompletedProcess[str]") -> str:
    """Return how a process ended that failed without a word to us."""
    if process.returncode < 0:
        return f"ended by signal {-process.returncode}"
    return f"exit status {process.returncode}"
