"""Makes 16x8 models with TensorFlow's own converter, in a process of its own.

Run as ``python wide_keras_models.py FOLDER``; writes ``NAME.tflite`` there.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

CALIBRATION = 20
SIXTEEN_BY_EIGHT = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8


def images():
    """A swish, an image that shrinks and grows, its channels as rows that attend to each other."""
    image = keras.Input(batch_shape=(1, 16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.Multiply()([x, layers.Activation("sigmoid")(layers.Conv2D(8, 1)(x))])
    x = layers.MaxPool2D()(x)
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="same")(x)
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    x = layers.LeakyReLU(0.2)(layers.AveragePooling2D(4)(x))
    x = layers.Reshape((6, 64))(layers.Permute((3, 1, 2))(x))
    x = layers.Activation("tanh")(layers.Dense(10)(x))
    x = layers.Softmax()(layers.Dot((2, 2))([x, x]))
    return keras.Model(image, layers.Softmax()(layers.Dense(4)(layers.Flatten()(x))))


def rows():
    """Convolutions over time and layers fully connected, with weights per channel."""
    steps = keras.Input(batch_shape=(1, 16, 8))
    x = layers.Conv1D(8, 3, padding="same", activation="relu")(steps)
    x = layers.Conv1D(8, 3, strides=2)(layers.ZeroPadding1D(1)(x))
    x = layers.Concatenate()([x, layers.ReLU()(x)])
    x = layers.Dense(16, activation="swish", bias_initializer="ones")(
        layers.GlobalAveragePooling1D()(x)
    )
    return keras.Model(steps, layers.Dense(5, use_bias=False)(x))


def convert(model, bias):
    random = np.random.default_rng(0)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [random.normal(size=model.inputs[0].shape).astype(np.float32)] for _ in range(CALIBRATION)
    )
    converter.target_spec.supported_ops = [SIXTEEN_BY_EIGHT]
    converter.inference_input_type = converter.inference_output_type = tf.int16
    if bias == "int32":
        converter._experimental_full_integer_quantization_bias_type = tf.int32
    return converter.convert()


def main(folder):
    keras.utils.set_random_seed(0)
    for name, model, bias in (
        ("images", images(), "int64"),
        ("rows", rows(), "int64"),
        ("rows_int32", rows(), "int32"),
    ):
        (folder / f"{name}.tflite").write_bytes(convert(model, bias))


main(Path(sys.argv[1]))
