"""Makes the Keras models the tests convert, in a process of its own, and converts them there.

Run as ``python keras_models.py FOLDER``. Beside each model ``NAME`` stand ``NAME.tflite`` (or the
error as JSON), and for models that run also ``NAME.npz`` with samples ``x...`` and what Keras
computes from them, ``y...``. One process for all, because TensorFlow takes seconds to start.
"""

import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras_2_models import save_keras_2_models

from tinyml.frontend.keras.worker import main as convert

SAMPLES = 3


def functional():
    image = keras.Input((8, 8, 2), name="image")
    stem = layers.Conv2D(4, 3, padding="same", use_bias=False, name="stem_conv")(image)
    stem = layers.ReLU(name="stem")(layers.BatchNormalization(name="stem_norm")(stem))
    branch = layers.DepthwiseConv2D(3, padding="same", name="branch")(stem)
    total = layers.Add(name="total")([stem, branch])
    average = layers.GlobalAveragePooling2D(name="average")(total)
    scores = layers.Dense(3, name="scores")(average)
    return keras.Model(image, layers.Softmax(name="class")(scores))


def sequential():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="image"),
            layers.Conv2D(4, 3, name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="scores"),
        ]
    )


def two_inputs(outputs):
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = layers.Concatenate(name="both")([left, right])
    first, second = layers.Dense(2, name="first")(both), layers.Dense(3, name="second")(both)
    return keras.Model([left, right], outputs(first, second))


def same_layer_twice():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    dense = layers.Dense(2, name="scores")
    return keras.Model([left, right], [dense(left), dense(right)])


def inputs_with_odd_names():
    x = keras.Input((4,), name="my-x.1")
    return keras.Model(x, {"a": {"b": layers.Dense(2)(x)}, "c": layers.ReLU()(x)})


def twelve_outputs():
    x = keras.Input((4,), name="x")
    return keras.Model(x, [layers.Dense(size, name=f"size{size}")(x) for size in range(1, 13)])


def nested():
    inner = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(2, 3, name="inner"), layers.ReLU(name="rectified")]
    )
    image = keras.Input((6, 6, 1), name="image")
    return keras.Model(image, layers.Flatten(name="flat")(inner(image)))


def recurrent():
    x = keras.Input((3, 4), name="x")
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    return keras.Model(
        x, layers.SimpleRNN(2, name="last")(layers.GRU(3, return_sequences=True, name="gru")(both))
    )


def policy(name, inner):
    """A model made under a policy, whose inputs and outputs stay float32."""
    keras.mixed_precision.set_global_policy(name)
    model = inner()
    keras.mixed_precision.set_global_policy("float32")
    return model


def time_distributed(inner):
    x = keras.Input((5, 6, 4), name="x")
    return keras.Model(x, layers.TimeDistributed(inner, name="steps")(x))


def dense_on_steps(wrapped):
    x = keras.Input((50, 4), name="x")
    dense = layers.Dense(8, activation="relu", name="dense")
    return keras.Model(x, layers.TimeDistributed(dense, name="steps")(x) if wrapped else dense(x))


def masked(last):
    x = keras.Input((4, 3), name="x")
    return keras.Model(x, last(layers.Masking(0.0, name="masking")(x)))


def mask_zero(last):
    ids = keras.Input((4,), dtype="int32", name="ids")
    rows = layers.Embedding(9, 3, mask_zero=True, name="rows")(ids)
    return keras.Model(ids, last(rows))


def stateful():
    x = keras.Input(batch_shape=(1, 4, 3), name="x")
    return keras.Model(x, layers.GRU(2, stateful=True, name="gru")(x))


def fixed_batch():
    x = keras.Input(batch_shape=(8, 4), name="x")
    return keras.Model(x, keras.ops.reshape(layers.Dense(4)(x), (8, 2, 2)))


@keras.saving.register_keras_serializable()
def doubled(x):
    return 2 * x


def custom_activation():
    """Saved as an author has it, whose registration nobody else has."""
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(3, activation=doubled, name="double")(x))


def text():
    words = keras.Input((1,), dtype="string", name="words")
    return keras.Model(words, layers.StringLookup(vocabulary=["no", "yes"])(words))


def quantized():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")]
    )
    model.quantize("int8")
    return model


def without_shape():
    return keras.Sequential([layers.Dense(3)])


def open_shape():
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, layers.GlobalAveragePooling2D()(image))


class Custom(layers.Layer):
    def call(self, x):
        return tf.math.erfinv(x)


def custom_layer():
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(2, name="scores")(Custom(name="custom")(x)))


def lambda_layer():
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Lambda(lambda value: value * 2)(x))


def save_samples(path, model):
    """Save samples of every input and what ``model`` makes of them."""
    random = np.random.default_rng(0)
    x = [
        random.uniform(-1, 1, (SAMPLES, *tensor.shape[1:])).astype(np.float32)
        for tensor in model.inputs
    ]
    y = keras.tree.flatten(model.predict(x if len(x) > 1 else x[0], verbose=0))
    arrays = {f"x{index:02}": value for index, value in enumerate(x)}
    results = {f"y{index:02}": value.astype(np.float32) for index, value in enumerate(y)}
    np.savez(path, **arrays, **results)


def save_working_models(folder):
    keras.utils.set_random_seed(0)
    models = {
        "functional.keras": functional(),
        "sequential.keras": sequential(),
        "sequential.h5": sequential(),
        "lists.keras": two_inputs(lambda first, second: [first, second]),
        "dict.keras": two_inputs(lambda first, second: {"a": first, "b": second}),
        "twelve.keras": twelve_outputs(),
        "twice.keras": same_layer_twice(),
        "odd_names.keras": inputs_with_odd_names(),
        "nested.keras": nested(),
        "recurrent.keras": recurrent(),
        "mixed_float16.keras": policy("mixed_float16", functional),
        "mixed_bfloat16.h5": policy("mixed_bfloat16", sequential),
        "float16.keras": policy("float16", sequential),
        "float64.keras": policy("float64", sequential),
        "dense_on_steps.keras": dense_on_steps(wrapped=False),
        "time_distributed.keras": dense_on_steps(wrapped=True),
        "conv_on_steps.keras": time_distributed(layers.Conv1D(2, 3)),
        "flat_on_steps.keras": time_distributed(layers.Flatten()),
    }
    for name, model in models.items():
        model.save(folder / name)
        save_samples(folder / f"{name}.npz", model)
    exported = sequential()
    exported.export(folder / "exported", verbose=False)
    save_samples(folder / "exported.npz", exported)


def save_broken_models(folder):
    without_shape().save(folder / "without_shape.keras")
    open_shape().save(folder / "open_shape.keras")
    open_shape().export(folder / "open_shape", verbose=False)
    custom_layer().save(folder / "custom.keras")
    custom_layer().save(folder / "custom.h5")
    custom_layer().export(folder / "unsupported", verbose=False)
    lambda_layer().save(folder / "lambda.keras")
    lambda_layer().save(folder / "lambda.h5")
    masked(layers.LSTM(2)).save(folder / "masked.keras")
    masked(layers.Dense(2)).save(folder / "masked_values.keras")
    mask_zero(layers.GRU(2)).save(folder / "mask_zero.keras")
    mask_zero(layers.Flatten()).save(folder / "mask_unused.keras")
    stateful().save(folder / "stateful.keras")
    quantized().save(folder / "quantized.keras")
    fixed_batch().save(folder / "fixed_batch.keras")
    text().save(folder / "text.keras")
    for ending in ("keras", "h5"):
        custom_activation().save(folder / f"activation.{ending}")
    keras.saving.get_custom_objects().clear()
    policy("mixed_float16", functional).export(folder / "half_precision", verbose=False)
    sequential().save_weights(folder / "only.weights.h5")
    tf.saved_model.save(tf.Module(), folder / "no_signature")
    with zipfile.ZipFile(folder / "renamed.keras", "w") as archive:
        archive.writestr("notes.txt", "no model")
    whole = (folder / "sequential.h5").read_bytes()
    (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])


def main(folder):
    save_working_models(folder)
    save_broken_models(folder)
    save_keras_2_models(folder)
    for path in [path for path in folder.iterdir() if path.suffix != ".npz"]:
        convert(path, folder / f"{path.name}.tflite")


main(Path(sys.argv[1]))
