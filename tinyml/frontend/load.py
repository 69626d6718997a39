"""Any model file tinyml reads to a Graph, by its name's ending."""

from __future__ import annotations

from pathlib import Path

from tinyml.errors import InputError, ModelError
from tinyml.files import StrPath, as_path
from tinyml.frontend.keras.convert import convert_keras
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph, is_quantized

# What Git leaves in place of a large file that was not fetched.
LFS_POINTER = b"version https://git-lfs"

KERAS_SUFFIXES = {".keras", ".h5", ".hdf5"}


def load_model(path: StrPath, signature: str | None = None) -> Graph:
    """Read a ``.keras``, ``.h5``, SavedModel folder, ``.tflite`` or ``.onnx``.

    ``signature`` names the one to read of a ``.tflite`` that has several. Raises InputError where
    the file is missing, is not what its name says or has no such signature, ModelError where it
    asks for what tinyml cannot do.
    """
    path = as_path(path)
    if not path.exists():
        raise InputError(
            f"there is no model '{path}'; give a .keras, .h5, .tflite or .onnx file or a "
            "SavedModel folder"
        )
    if signature is not None and path.suffix.lower() != ".tflite":
        raise InputError(
            f"'{path}' is no .tflite, whose signatures --signature NAME chooses from; leave it out"
        )
    if path.is_dir() or path.suffix.lower() in KERAS_SUFFIXES:
        return _read_tflite(path, convert_keras(path), None)
    if path.suffix.lower() == ".tflite":
        return _read_tflite(path, _read_bytes(path), signature)
    if path.suffix.lower() == ".onnx":
        return _read_onnx(path)
    raise InputError(
        f"'{path}' has the ending '{path.suffix}', expected .keras, .h5, .tflite, .onnx or a "
        "SavedModel folder; convert the model to one of them"
    )


def load_quantized(path: Path, signature: str | None = None) -> Graph:
    """Read a model that must be int8."""
    graph = load_model(path, signature)
    if not is_quantized(graph):
        raise ModelError(
            f"'{path}' is a float model, expected int8; quantize it first: "
            f"tinyml quantize {path} --data CALIBRATION.npz -o {path.stem}.int8.tflite"
        )
    return graph


def load_float(path: Path, signature: str | None = None) -> Graph:
    """Read a model that must be float."""
    graph = load_model(path, signature)
    if is_quantized(graph):
        raise ModelError(
            f"'{path}' is quantized already, expected a float model; give the model it was made "
            "from"
        )
    return graph


def load_reference(path: Path, signature: str | None) -> Graph:
    """Read the float model that another was made from; ``signature`` counts for a ``.tflite``."""
    return load_float(path, signature if path.suffix.lower() == ".tflite" else None)


def _read_tflite(path: Path, data: bytes, signature: str | None) -> Graph:
    """Read a flatbuffer; messages name the file, for a command may read two."""
    try:
        return read_tflite(data, path.stem, signature)
    except (InputError, ModelError) as error:
        error.args = (f"{path}: {error}",)
        raise


def _read_onnx(path: Path) -> Graph:
    """Read an ONNX model and what lies beside it; messages name the file."""
    from tinyml.frontend.onnx.read import (
        read_onnx,  # takes a tenth of a second: not for other formats
    )

    try:
        return read_onnx(_read_bytes(path), path.stem, path.parent)
    except (InputError, ModelError) as error:
        error.args = (f"{path}: {error}",)
        raise


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}") from error
    if data.startswith(LFS_POINTER):
        raise InputError(
            f"'{path}' is a Git LFS pointer of {len(data)} bytes in place of the model; fetch the "
            "model with 'git lfs pull' in the repository it is from"
        )
    return data
