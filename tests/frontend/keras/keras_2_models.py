"""Models as Keras 2 and TensorFlow 2.3 to 2.15 saved them, written by tf_keras, which goes on so.

``keras_models.py`` makes them in its process.
"""

import json
import shutil

import h5py
import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

SAMPLES = 3


def words():
    """What the reference models of MLPerf Tiny have, and a normalization adapted to data."""
    sound = layers.Input((10, 6, 1), name="sound")
    normalization = layers.Normalization(name="normalization")
    normalization.adapt(np.random.default_rng(1).normal(3, 5, (50, 10, 6, 1)))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv")(normalization(sound))
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")(x)
    x = layers.Flatten(name="flat")(layers.AveragePooling2D((10, 6), name="pool")(x))
    model = tf_keras.Model(sound, layers.Dense(3, activation="softmax", name="class")(x))
    return trained(model)


def trained(model):
    """Compile and take a step, so that the file holds an optimizer and its slots."""
    model.compile(tf_keras.optimizers.Adam(0.001), "mse")
    x = np.random.default_rng(2).normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    model.fit(x, model.predict(x, verbose=0), verbose=0)
    return model


def rows():
    """Recurrent layers, whose steps Keras 2 loops over unless told otherwise when it is made."""
    x = layers.Input((4, 3), name="x")
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    steps = layers.TimeDistributed(layers.Dense(5, activation="relu"), name="steps")(both)
    return tf_keras.Model(x, layers.GRU(2, name="last")(steps))


def mixed():
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    model = tf_keras.Sequential(
        [
            layers.Input((6, 6, 1), name="image"),
            layers.Conv2D(4, 3, name="conv"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(3, name="scores"),
        ]
    )
    tf_keras.mixed_precision.set_global_policy("float32")
    return model


def with_lambda():
    x = layers.Input((4,), name="x")
    return tf_keras.Model(x, layers.Lambda(lambda value: value * 2, name="twice")(x))


def as_keras_2_4_wrote_it(path):
    """Take from the file's configuration what was not there yet, the version with it."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            for name in ("module", "registered_name", "build_config"):
                layer.pop(name, None)
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.4.0"


def save_samples(path, model):
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (SAMPLES, *model.input_shape[1:])).astype(np.float32)
    np.savez(path, x00=x, y00=model.predict(x, verbose=0))


class WithoutSignature(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, "x")])
    def scores(self, x):
        return tf.nn.relu(x) * 3.0


def save_keras_2_models(folder):
    tf_keras.utils.set_random_seed(0)
    models = {"words": words(), "rows": rows(), "mixed": mixed()}
    for name, model in models.items():
        model.save(folder / f"{name}_2.h5")
        save_samples(folder / f"{name}_2.h5.npz", model)
        model.save(folder / f"{name}_2", save_format="tf")
        save_samples(folder / f"{name}_2.npz", model)
    models["words"].save(folder / "words_2.keras")
    save_samples(folder / "words_2.keras.npz", models["words"])
    as_keras_2_4_wrote_it(folder / "words_2.h5")
    shutil.copy(folder / "words_2.h5", folder / "hdf5_2.keras")
    shutil.copy(folder / "words_2.h5.npz", folder / "hdf5_2.keras.npz")
    with_lambda().save(folder / "lambda_2.h5")
    with_lambda().save(folder / "lambda_2", save_format="tf")
    tf.saved_model.save(WithoutSignature(), folder / "function")
    x = np.random.default_rng(0).uniform(-1, 1, (SAMPLES, 4)).astype(np.float32)
    np.savez(folder / "function.npz", x00=x, y00=np.maximum(x, 0) * 3)
