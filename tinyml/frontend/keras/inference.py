"""A loaded Keras model as a device computes it: one sample at a time, without loops over steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml.errors import ModelError

# Layers that compute every position of the last axis by itself, or every element: on the steps of
# a sequence they are themselves.
ALONG_LAST_AXIS = {"Dense"}
ELEMENTWISE = {"Activation", "Dropout", "ELU", "LeakyReLU", "ReLU", "Rescaling"}


def one_sample(path: Path, keras: Any, model: Any) -> Any:
    """Return ``model`` behind inputs of the same names, shapes and dtypes whose batch is 1.

    Its layers are changed for that: they spell out their steps. ``keras`` is the package that
    loaded it, Keras 3 or tf_keras.
    """
    if not getattr(model, "inputs", None):
        raise ModelError(
            f"{path} has no input shape, which firmware must know: "
            "make keras.Input(shape) its first layer and save it again"
        )
    if texts := [tensor.name for tensor in model.inputs if tensor.dtype == "string"]:
        raise ModelError(
            f"input {texts[0]!r} of {path} is text, expected numbers: look words up before the "
            "model, and save it from the layer behind the lookup"
        )
    for layer in every_layer(model):
        _unroll(layer)
        _distribute(layer)
    inputs = [
        keras.Input(
            batch_shape=static_shape(path, tensor.name, tensor.shape),
            dtype=tensor.dtype,
            name=tensor.name,
        )
        for tensor in model.inputs
    ]
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    outputs = model(_pack(structure, inputs), training=False)
    return keras.Model(inputs, outputs, name=model.name)


def _pack(structure: Any, inputs: list[Any]) -> Any:
    import tensorflow as tf

    return tf.nest.pack_sequence_as(structure, inputs)


def every_layer(layer: Any) -> Iterator[Any]:
    """The layer and all layers inside it: those of a model, of wrappers and of both directions."""
    yield layer
    inside = (getattr(layer, name, None) for name in ("layer", "forward_layer", "backward_layer"))
    for inner in (*getattr(layer, "layers", ()), *filter(None, inside)):
        yield from every_layer(inner)


def _unroll(layer: Any) -> None:
    """Let a recurrent layer spell out its steps, whose operators can be quantized.

    Converted as they are, an LSTM would be one float operator and a GRU a loop.
    """
    if hasattr(layer, "unroll"):
        layer.unroll = True
        layer._could_use_gpu_kernel = False  # noqa: SLF001  # Keras 2 settled it when it was made


def _distribute(layer: Any) -> None:
    """Let TimeDistributed compute all steps at once, where its layer can; else a step at a time."""
    if type(layer).__name__ != "TimeDistributed":
        return
    inner = layer.layer
    kind = type(inner).__name__
    if kind in ALONG_LAST_AXIS | ELEMENTWISE:
        layer.call = lambda inputs, training=None, mask=None: inner(inputs)  # noqa: ARG005
        return
    layer._always_use_reshape = True  # noqa: SLF001  # Keras 2 would loop


def static_shape(path: Path, name: str, shape: Any) -> tuple[int, ...]:
    """Return ``shape`` with an open batch made 1; any other open dimension is a ModelError."""
    sizes = list(shape)
    if None in sizes[1:]:
        shown = ", ".join("?" if size is None else str(size) for size in sizes)
        raise ModelError(
            f"input {name!r} of {path} has the open shape ({shown}) and firmware needs every size "
            "but the batch: give keras.Input a full shape and save the model again"
        )
    return (1, *sizes[1:])
