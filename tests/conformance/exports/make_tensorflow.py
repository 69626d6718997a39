"""Exports small Keras models with whatever TensorFlow this interpreter has, from 2.4 on.

python make_tensorflow.py FOLDER MODEL.SCHEME...
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
BUILTINS = tf.lite.OpsSet


def source(*shape):
    return layers.Input(shape=shape, batch_size=1)


def image():
    """Convolutions of three kinds, a residual, a pool, a softmax."""
    x = inputs = source(12, 10, 3)
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(10, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Add()([x, layers.Conv2D(10, 1)(x)])
    x = layers.GlobalAveragePooling2D()(layers.MaxPool2D(2)(x))
    return tf.keras.Model(inputs, layers.Dense(5, activation="softmax")(x))


def open_batch():
    """No size of the batch, which brings SHAPE, STRIDED_SLICE and PACK."""
    inputs = layers.Input(shape=(12, 10, 3))
    x = layers.Flatten()(layers.Conv2D(6, 3)(inputs))
    return tf.keras.Model(inputs, layers.Dense(4)(x))


def rows():
    """Convolutions over time, one of them causal and dilated."""
    x = inputs = source(20, 4)
    x = layers.Conv1D(6, 3, padding="same", activation="relu")(x)
    x = layers.Conv1D(6, 3, dilation_rate=2, padding="causal", activation="relu")(x)
    x = layers.Flatten()(layers.MaxPool1D(2)(x))
    return tf.keras.Model(inputs, layers.Dense(4, activation="sigmoid")(x))


def transposed():
    x = inputs = source(5, 6, 4)
    x = layers.Conv2DTranspose(5, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(3, 3, padding="valid")(x)
    return tf.keras.Model(inputs, layers.UpSampling2D(2, interpolation="bilinear")(x))


def several():
    """Two inputs, three outputs, one layer used twice."""
    first, second = source(6, 6, 2), source(7)
    shared = layers.Dense(8, activation="tanh")
    x = layers.Dense(7)(layers.Flatten()(layers.Conv2D(4, 3)(first)))
    joined = layers.Concatenate()([shared(x), shared(second)])
    product = layers.Multiply()([shared(x), shared(second)])
    difference = layers.Subtract()([shared(second), shared(x)])
    scores = layers.Dense(3, activation="softmax")(joined)
    return tf.keras.Model([first, second], [scores, product, difference])


def shared_weights():
    x = inputs = source(8, 8, 3)
    convolution = layers.Conv2D(3, 3, padding="same", activation="relu")
    for _ in range(3):
        x = convolution(x)
    return tf.keras.Model(inputs, x)


def lstm():
    inputs = source(8, 5)
    return tf.keras.Model(inputs, layers.Dense(3)(layers.LSTM(6, return_sequences=True)(inputs)))


def lstm_steps():
    inputs = source(3, 5)
    return tf.keras.Model(inputs, layers.Dense(3)(layers.LSTM(4, unroll=True)(inputs)))


def gru_steps():
    inputs = source(3, 5)
    return tf.keras.Model(inputs, layers.Dense(3)(layers.GRU(4, unroll=True)(inputs)))


def attention():
    inputs = source(6, 8)
    x = layers.Add()([layers.MultiHeadAttention(2, 4)(inputs, inputs), inputs])
    x = layers.Dense(8, activation="relu")(layers.LayerNormalization()(x))
    return tf.keras.Model(inputs, layers.GlobalAveragePooling1D()(x))


def pools():
    x = inputs = source(9, 9, 4)
    x = layers.ZeroPadding2D(1)(layers.AveragePooling2D(3, 2, padding="same")(x))
    x = layers.Cropping2D(1)(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.GlobalMaxPooling2D()(layers.UpSampling2D(2)(x))
    return tf.keras.Model(inputs, layers.Dense(4)(x))


MODELS = {
    function.__name__: function
    for function in (
        *(image, open_batch, rows, transposed, several, shared_weights),
        *(lstm, lstm_steps, gru_steps, attention, pools),
    )
}


def trained(name):
    """Weights as after training: none of them zero, no variance negative."""
    tf.keras.backend.clear_session()
    tf.random.set_seed(5)
    model = MODELS[name]()
    rng = np.random.default_rng(9)
    weights = []
    for variable in model.weights:
        value = variable.numpy()
        noise = value + 0.2 * rng.normal(size=value.shape)
        changed = np.abs(noise) if "variance" in variable.name else noise
        weights.append(changed.astype(value.dtype) if value.dtype == np.float32 else value)
    model.set_weights(weights)
    return model


def samples(model):
    rng = np.random.default_rng(3)
    for _ in range(20):
        yield [
            rng.normal(size=(1, *map(int, tensor.shape[1:]))).astype(np.float32)
            for tensor in model.inputs
        ]


def convert(model, scheme):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if scheme == "float":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if scheme == "float16":
        converter.target_spec.supported_types = [tf.float16]
        return converter.convert()
    converter.representative_dataset = lambda: samples(model)
    wide = BUILTINS.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    operators = wide if scheme == "int16" else BUILTINS.TFLITE_BUILTINS_INT8
    converter.target_spec.supported_ops = [operators]
    edges = {"int16": tf.int16, "uint8": tf.uint8, "floatio": tf.float32}.get(scheme, tf.int8)
    converter.inference_input_type = converter.inference_output_type = edges
    if scheme == "pertensor":
        converter._experimental_disable_per_channel = True
    return converter.convert()


def main():
    folder = Path(sys.argv[1])
    for wanted in sys.argv[2:]:
        name, scheme = wanted.split(".")
        data = convert(trained(name), scheme)
        (folder / f"tensorflow-{tf.__version__}-{wanted}.tflite").write_bytes(data)


if __name__ == "__main__":
    main()
