"""``.keras`` and ``.h5`` files to a float32 ``.tflite``, in the process that has TensorFlow.

Keras 3 does not read all that Keras 2 wrote: layers lost arguments and changed defaults. Files of
Keras 2 are loaded by tf_keras, which is Keras 2 as it goes on, where that is installed.
"""

from __future__ import annotations

import importlib
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tinyml.errors import TinymlError
from tinyml.frontend.keras.config import (
    SUFFIXES,
    KerasFile,
    custom_parts,
    in_float32,
    layer_configs,
    read_config,
    with_config,
)
from tinyml.frontend.keras.convert_function import convert_function
from tinyml.frontend.keras.inference import one_sample
from tinyml.frontend.keras.masks import refuse_masked_steps
from tinyml.frontend.keras.names import restore_names
from tinyml.frontend.keras.refusals import (
    batch_refusal,
    custom_refusal,
    lambda_refusal,
    quantized_refusal,
    said_by,
    stateful_refusal,
    tf_keras_refusal,
    why_not_converted,
    why_not_loaded,
)


def convert_file(path: Path) -> bytes:
    """Convert a ``.keras`` or ``.h5`` file; raises InputError and ModelError."""
    file = read_config(path)
    _refuse(file)
    keras = importlib.import_module(_library(file))
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        model = _load(file, keras, Path(folder))
    return convert_model(path, keras, model, _kinds(file))


def convert_model(path: Path, keras: Any, model: Any, kinds: dict[str, str]) -> bytes:
    """Convert a model that ``keras`` loaded; ``kinds`` are its layers' names and classes."""
    try:
        fixed = one_sample(path, keras, model)
        function = _traced(fixed)
    except TinymlError:
        raise
    except Exception as error:  # a layer that takes no other batch than the one it was made for
        batch = model.inputs[0].shape[0] or 1
        if batch > 1:
            raise said_by(error, batch_refusal(path, batch)) from error
        raise why_not_converted(path, error, kinds) from error
    data = convert_function(path, function, kinds)
    refuse_masked_steps(path, data, model)
    inputs = {_input(place): tensor.name for place, tensor in enumerate(model.inputs)}
    outputs = {_output(place): name for place, name in enumerate(_output_names(model))}
    return restore_names(data, inputs, outputs, _layer_names(model))


def _traced(model: Any) -> Any:
    """A concrete function of the model whose inputs and outputs are numbered.

    Their own names need not be Python's, and outputs of one layer share its name.
    """
    import tensorflow as tf

    keys = [_input(place) for place in range(len(model.inputs))]
    specs = {
        key: tf.TensorSpec(tensor.shape, tensor.dtype)
        for key, tensor in zip(keys, model.inputs, strict=True)
    }

    def infer(**values: Any) -> dict[str, Any]:
        arguments = [values[key] for key in keys]
        results = model(arguments if len(arguments) > 1 else arguments[0], training=False)
        return {_output(place): result for place, result in enumerate(tf.nest.flatten(results))}

    return tf.function(infer).get_concrete_function(**specs)


def _input(place: int) -> str:
    return f"input_{place}"


def _output(place: int) -> str:
    return f"output_{place}"


def _refuse(file: KerasFile) -> None:
    """Raise for what the file says of its layers, before any code of a library reads it."""
    layers = list(layer_configs(file.config))
    if names := [layer.name for layer in layers if layer.kind == "Lambda"]:
        raise lambda_refusal(file.path, names)
    if names := [layer.name for layer in layers if layer.is_quantized]:
        raise quantized_refusal(file.path, names)
    if names := [layer.name for layer in layers if layer.config.get("stateful")]:
        raise stateful_refusal(file.path, names)


def _library(file: KerasFile) -> str:
    """The package that reads the file."""
    return "tf_keras" if file.is_of_keras_2 and find_spec("tf_keras") else "keras"


def _load(file: KerasFile, keras: Any, folder: Path) -> Any:
    """Load the model, its policies made float32."""
    config = in_float32(file.config)
    as_it_is = config == file.config and file.path.suffix.lower() == SUFFIXES[file.kind]
    try:
        path = file.path if as_it_is else with_config(file, config, folder)
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the broken part happened to raise
        reader = f"{keras.__name__} {keras.__version__}"
        writer = f"Keras {file.version}" if file.version else ""
        if file.is_of_keras_2 and keras.__name__ == "keras":
            raise said_by(error, tf_keras_refusal(file.path, writer)) from error
        if parts := custom_parts(file.config):
            first = next(iter(parts.values()))
            names = [name for name, part in parts.items() if part == first]
            raise custom_refusal(file.path, first, names) from error
        raise why_not_loaded(file.path, error, _kinds(file), reader, writer) from error


def _kinds(file: KerasFile) -> dict[str, str]:
    return {layer.name: layer.kind for layer in layer_configs(file.config)}


def _output_names(model: Any) -> list[str]:
    """Return the name of each output in the order of the flattened outputs.

    A dict's are its keys, which flattening sorts.
    """
    output = getattr(model, "output", None)
    if isinstance(output, dict) and len(output) == len(model.outputs):
        return sorted(output)
    return list(getattr(model, "output_names", None) or [model.layers[-1].name])


def _layer_names(model: Any) -> set[str]:
    """Return the names of all layers of ``model``, those of models inside it included."""
    inner = [_layer_names(layer) for layer in getattr(model, "layers", [])]
    return {model.name}.union(*inner)
