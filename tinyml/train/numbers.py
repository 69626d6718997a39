"""Numbers that leave TensorFlow."""

from __future__ import annotations

from typing import Any

from tinyml.ir.graph import Array


def in_numpy(value: Any) -> Array:
    """Give a variable or a tensor as numpy has it; Keras' own way warns of numpy 2."""
    import tensorflow as tf

    array: Array = tf.convert_to_tensor(value).numpy()
    return array
