"""A TensorFlow function to a ``.tflite`` by TensorFlow's converter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml.frontend.keras.refusals import why_not_converted


def convert_function(
    path: Path, function: Any, kinds: Mapping[str, str], owner: Any = None
) -> bytes:
    """Convert a concrete function; what TFLite has no operator for becomes a custom operator.

    ``kinds`` are names and classes of layers, for the ModelError that is raised where the converter
    rejects the function. ``owner`` holds the function's variables and tables; by default a module
    is made that does, for the converter leaves variables open that no TensorFlow object has.
    """
    import tensorflow as tf

    if owner is None:
        owner = tf.Module()
        owner.held = list(function.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], owner)
    converter.allow_custom_ops = True
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises its own class, ValueError and others
        raise why_not_converted(path, error, kinds) from error
