"""Keras models and SavedModel folders -> float32 ``.tflite``, through TensorFlow's converter.

The converter already folds batch normalization, fuses activations and lowers layers, so it is the
one road from Keras to the Graph. It gets the model with its batch fixed to 1: with an open batch,
Flatten would bring SHAPE, STRIDED_SLICE and PACK.

TensorFlow runs in a process of its own (``python -m tinyml.frontend.keras MODEL RESULT``). It
writes to stderr as it pleases, takes seconds to start, and crashes beside tflite-runtime; here the
caller never notices. That process leaves in RESULT the flatbuffer (exit status 0) or the error as
JSON (exit status 2).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tinyml.errors import InputError, ModelError, TinymlError, ToolchainError
from tinyml.frontend.keras.names import restore_names

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
SIGNATURES = ("serving_default", "serve")
FAILED = 2
ADVICE = "save the model with model.save('model.keras') of Keras 3, or convert it to .tflite"


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
    raise ModelError(
        f"TensorFlow's converter failed on {path} ({_last_line(process)}): {ADVICE} elsewhere"
    )


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
    if suffix == ".keras" and not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a Keras model (expected a zip archive): {ADVICE}")
    if suffix in {".h5", ".hdf5"} and not _starts_with(path, HDF5_SIGNATURE):
        raise InputError(f"{path} is not a Keras model (expected an HDF5 file): {ADVICE}")


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
    command = [sys.executable, "-P", "-m", "tinyml.frontend.keras.convert", str(path), str(result)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


def _read_error(result: Path) -> TinymlError:
    """Return the error that the converting process left in ``result``."""
    report = json.loads(result.read_text(encoding="utf-8"))
    kind = ModelError if report["error"] == "ModelError" else InputError
    return kind(report["message"])


def _last_line(process: "subprocess.CompletedProcess[str]") -> str:
    """Return what there is to say about a process that failed without a word to us."""
    if process.returncode < 0:
        return f"ended by signal {-process.returncode}"
    lines = process.stderr.strip().splitlines()
    return lines[-1].strip() if lines else f"exit status {process.returncode}"


# From here on: the converting process, the only one that imports TensorFlow.


def _main(path: Path, result: Path) -> int:
    """Convert ``path``; leave the flatbuffer or the error in ``result``; return the status."""
    try:
        data = _convert_saved_model(path) if path.is_dir() else _convert_file(path)
    except TinymlError as error:
        report = {"error": type(error).__name__, "message": str(error)}
        result.write_text(json.dumps(report), encoding="utf-8")
        return FAILED
    result.write_bytes(data)
    return 0


def _convert_file(path: Path) -> bytes:
    """Convert a ``.keras`` or ``.h5`` file."""
    import keras
    import tensorflow as tf

    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the broken part happened to raise
        raise InputError(_why_not_loaded(path, error)) from error
    _unroll(model)
    fixed = _with_batch_of_one(path, model)
    data = _convert(path, tf.lite.TFLiteConverter.from_keras_model(fixed))
    return restore_names(
        data, [tensor.name for tensor in model.inputs], _outputs(model), _layers(model)
    )


def _with_batch_of_one(path: Path, model: Any) -> Any:
    """Return ``model`` behind inputs of the same names, shapes and dtypes whose batch is 1."""
    import keras

    if not getattr(model, "inputs", None):
        raise ModelError(
            f"{path} has no input shape, which firmware must know: "
            "make keras.Input(shape) its first layer and save it again"
        )
    inputs = [
        keras.Input(
            batch_shape=_static_shape(path, tensor.name, tensor.shape),
            dtype=tensor.dtype,
            name=tensor.name,
        )
        for tensor in model.inputs
    ]
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    outputs = model(keras.tree.pack_sequence_as(structure, inputs))
    return keras.Model(inputs, outputs, name=model.name)


def _unroll(layer: Any) -> None:
    """Let recurrent layers spell out their steps, whose operators can be quantized.

    Converted as they are, an LSTM would be one float operator and a GRU a loop.
    """
    halves = (getattr(layer, name, None) for name in ("forward_layer", "backward_layer"))
    for inner in (*getattr(layer, "layers", ()), *filter(None, halves)):
        _unroll(inner)
    if hasattr(layer, "unroll"):
        layer.unroll = True


def _outputs(model: Any) -> dict[str, str]:
    """Return the converter's name of each output, in order, and the model's own.

    The converter keeps the keys of a dict and otherwise counts.
    """
    if isinstance(getattr(model, "output", None), dict):
        return {name: name for name in model.output}
    names = getattr(model, "output_names", None) or [model.layers[-1].name]
    return {f"output_{index}": name for index, name in enumerate(names)}


def _layers(model: Any) -> set[str]:
    """Return the names of all layers of ``model``, those of models inside it included."""
    inner = [_layers(layer) for layer in getattr(model, "layers", [])]
    return {model.name}.union(*inner)


def _static_shape(path: Path, name: str, shape: Any) -> tuple[int, ...]:
    """Return ``shape`` with an open batch made 1; any other open dimension is a ModelError."""
    sizes = list(shape)
    if None in sizes[1:]:
        shown = ", ".join("?" if size is None else str(size) for size in sizes)
        raise ModelError(
            f"input {name!r} of {path} has the open shape ({shown}) and firmware needs every size "
            "but the batch: give keras.Input a full shape and save the model again"
        )
    return (1, *sizes[1:])


def _convert_saved_model(path: Path) -> bytes:
    """Convert a SavedModel folder through its serving signature."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # as above: a damaged folder can raise anything
        raise InputError(_why_not_loaded(path, error)) from error
    signature = _serving_signature(path, loaded.signatures)
    inputs = {
        name: tf.TensorSpec(_static_spec(path, name, spec), spec.dtype, name)
        for name, spec in sorted(signature.structured_input_signature[1].items())
    }

    def serve(**arguments: Any) -> Any:
        return signature(**arguments)

    function = tf.function(serve).get_concrete_function(**inputs)
    data = _convert(path, tf.lite.TFLiteConverter.from_concrete_functions([function], loaded))
    outputs = {name: name for name in signature.structured_outputs}
    return restore_names(data, list(inputs), outputs, layers=())


def _static_spec(path: Path, name: str, spec: Any) -> tuple[int, ...]:
    """Return the static shape of a signature's input."""
    if spec.shape.rank is None:
        raise ModelError(
            f"input {name!r} of {path} has no shape and firmware needs one: "
            "export the model with a full input signature"
        )
    return _static_shape(path, name, spec.shape.as_list())


def _serving_signature(path: Path, signatures: Any) -> Any:
    """Return the signature to convert: the usual one, or the only one."""
    names = sorted(signatures)
    for name in [*SIGNATURES, *(names if len(names) == 1 else [])]:
        if name in signatures:
            return signatures[name]
    raise InputError(
        f"{path} has no signature serving_default (it has {', '.join(names) or 'none'}): "
        "export it again with model.export()"
    )


def _convert(path: Path, converter: Any) -> bytes:
    """Run the converter; what TFLite has no operator for becomes a custom operator."""
    converter.allow_custom_ops = True
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises its own class, ValueError and others
        raise ModelError(
            f"TensorFlow's converter rejects {path} ({_first_sentence(error)}): "
            "replace the layer it names"
        ) from error


def _why_not_loaded(path: Path, error: Exception) -> str:
    """Return the sentence for a model that Keras or TensorFlow could not load."""
    text = str(error)
    if custom := re.search(r"(?:Could not locate class|Unknown layer:) '?(\w+)'?", text):
        return (
            f"{path} holds {custom[1]!r}, which is no part of Keras and whose code is not in the "
            "file: use layers of Keras, or convert the model to .tflite where its code is"
        )
    if "lambda" in text.lower():
        return (
            f"{path} holds a Lambda layer, whose code cannot be trusted: "
            "use a layer of Keras in its place, or convert the model to .tflite"
        )
    return f"{path} cannot be loaded ({_first_sentence(error)}): {ADVICE}"


def _first_sentence(error: Exception) -> str:
    """Return the first line that says something, cut at its first full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return lines[0].split(". ")[0].rstrip(".:")


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2])))
