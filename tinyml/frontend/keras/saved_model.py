"""SavedModel folders to a float32 ``.tflite``, in the process that has TensorFlow.

Their signature is converted, which needs nothing of those who wrote them. Where there is none, or
it loops, as recurrent layers do, the folder is loaded as the Keras 2 model that it may be: its
layers can spell their steps out.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tinyml.errors import InputError, ModelError
from tinyml.frontend.keras.convert_function import convert_function
from tinyml.frontend.keras.inference import every_layer, static_shape
from tinyml.frontend.keras.keras_file import convert_model
from tinyml.frontend.keras.names import restore_names
from tinyml.frontend.keras.refusals import why_not_loaded

SIGNATURES = ("serving_default", "serve")
LOOPS = {"While", "StatelessWhile"}
PASS_ON = {"Identity", "IdentityN"}


def convert_saved_model(path: Path) -> bytes:
    """Convert a folder; raises InputError and ModelError."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # a damaged folder can raise anything
        raise why_not_loaded(path, error, {}, f"TensorFlow {tf.__version__}") from error
    function = _function(path, loaded)
    if (function is None or _loops(function)) and (model := _keras_2_model(path)):
        import tf_keras

        kinds = {layer.name: type(layer).__name__ for layer in every_layer(model)}
        return convert_model(path, tf_keras, model, kinds)
    if function is None:
        raise InputError(
            f"{path} has no signature serving_default (it has none): "
            "export it again with model.export()"
        )
    _refuse_halves(path, function)
    return _convert_signature(path, function, loaded)


def _function(path: Path, loaded: Any) -> Any:
    """Return the function to convert: the usual signature, the only one, or the only function.

    None where there is nothing to call; InputError where there is a choice.
    """
    names = sorted(loaded.signatures)
    for name in [*SIGNATURES, *(names if len(names) == 1 else [])]:
        if name in loaded.signatures:
            return loaded.signatures[name]
    if names:
        raise InputError(
            f"{path} has no signature serving_default (it has {', '.join(names)}): "
            "export it again with model.export()"
        )
    restored = [getattr(value, "concrete_functions", ()) for value in vars(loaded).values()]
    functions = [function for several in restored for function in several]
    return functions[0] if len(functions) == 1 else None


def _keras_2_model(path: Path) -> Any:
    """Load the folder as a model of Keras 2, None where it is none or tf_keras is not installed.

    Its Lambda layers would bring code that nobody has looked at.
    """
    metadata = path / "keras_metadata.pb"  # since TensorFlow 2.5; before, the graph's file had it
    text = (metadata if metadata.is_file() else path / "saved_model.pb").read_bytes()
    if b"_tf_keras_" not in text or b'"Lambda"' in text or not find_spec("tf_keras"):
        return None
    import tf_keras

    try:
        model = tf_keras.models.load_model(path, compile=False)
    except Exception:  # the signature is what is left, and says more
        return None
    return model if getattr(model, "inputs", None) and getattr(model, "outputs", None) else None


def _nodes(function: Any) -> Iterator[Any]:
    graph = function.graph.as_graph_def()
    yield from graph.node
    for inner in graph.library.function:
        yield from inner.node_def


def _loops(function: Any) -> bool:
    return any(node.op in LOOPS for node in _nodes(function))


def _refuse_halves(path: Path, function: Any) -> None:
    """Raise where it computes with 16-bit floats, which TFLite has no operators for.

    Weights that are only kept so are cast before anything computes, by attributes of other names.
    """
    import tensorflow as tf

    computed = {node.attr["T"].type for node in _nodes(function) if node.op not in PASS_ON}
    for dtype in (tf.float16, tf.bfloat16):
        if dtype.as_datatype_enum in computed:
            raise ModelError(
                f"{path} computes in {dtype.name}, expected float32: save the model as .keras or "
                ".h5, whose policies are made float32 here, or with the policy 'float32'"
            )


def _convert_signature(path: Path, function: Any, owner: Any) -> bytes:
    """Convert a function with its batch made 1."""
    import tensorflow as tf

    positional, named = function.structured_input_signature
    specs = {spec.name: spec for spec in (*positional, *named.values())}
    inputs = {
        name: tf.TensorSpec(_static_spec(path, name, spec), spec.dtype, name)
        for name, spec in sorted(specs.items())
    }

    def infer(**values: Any) -> Any:
        return function(**values)

    concrete = tf.function(infer).get_concrete_function(**inputs)
    data = convert_function(path, concrete, {}, owner)
    outputs = function.structured_outputs
    names = {name: name for name in outputs} if hasattr(outputs, "keys") else {}
    return restore_names(data, {name: name for name in inputs}, names, layers=())


def _static_spec(path: Path, name: str, spec: Any) -> tuple[int, ...]:
    """Return the static shape of a signature's input."""
    if spec.shape.rank is None:
        raise ModelError(
            f"input {name!r} of {path} has no shape and firmware needs one: "
            "export the model with a full input signature"
        )
    return static_shape(path, name, spec.shape.as_list())
