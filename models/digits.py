"""Handwritten digits: a small residual network on scikit-learn's 1,797 scans of 8 x 8 pixels.

The network holds one of everything a small vision model is made of: convolution with batch
normalization and ReLU, depthwise and pointwise convolution, a residual addition, pooling, a
global average, a dense classifier and softmax.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

EPOCHS = 40
BATCH_SIZE = 64
LEARNING_RATE = 5e-3

HELD_OUT = 450  # a quarter of the scans
SPLIT_SEED = 0  # the split is part of the data set: it does not change with the training seed

FloatImages = NDArray[np.float32]
Labels = NDArray[np.int64]


def build() -> "keras.Model":
    """Return the untrained network: float32 (N, 8, 8, 1) in, class probabilities (N, 10) out."""
    import keras
    from keras import layers

    image = keras.Input((8, 8, 1), name="image")
    stem = _convolution(image, channels=32, name="stem")
    branch = _separable(stem, channels=32, name="branch")
    features = layers.Add(name="residual")([stem, branch])
    features = layers.MaxPooling2D(2, name="pool")(features)
    features = _separable(features, channels=64, name="deep")
    features = layers.GlobalAveragePooling2D(name="average")(features)
    scores = layers.Dense(10, name="scores")(features)
    return keras.Model(image, layers.Softmax(name="digit")(scores), name="digits")


def load_data() -> tuple[tuple[FloatImages, Labels], tuple[FloatImages, Labels]]:
    """Return ``(x_train, y_train), (x_test, y_test)``.

    ``x`` is float32 (N, 8, 8, 1) in [0, 1], ``y`` int64 (N,). The split is stratified and always
    the same: 1,347 images to train on, 450 held out.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    scans = load_digits()
    images = (scans.images / 16.0).astype(np.float32)[..., np.newaxis]
    labels = scans.target.astype(np.int64)
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels, test_size=HELD_OUT, random_state=SPLIT_SEED, stratify=labels
    )
    return (x_train, y_train), (x_test, y_test)


def _convolution(x: "keras.KerasTensor", *, channels: int, name: str) -> "keras.KerasTensor":
    """Return a 3 x 3 convolution, normalized and rectified."""
    from keras import layers

    x = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def _separable(x: "keras.KerasTensor", *, channels: int, name: str) -> "keras.KerasTensor":
    """Return a 3 x 3 depthwise and a pointwise convolution, each normalized and rectified."""
    from keras import layers

    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = layers.ReLU(name=f"{name}_relu1")(layers.BatchNormalization(name=f"{name}_norm1")(x))
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_pointwise")(x)
    return layers.ReLU(name=f"{name}_relu2")(layers.BatchNormalization(name=f"{name}_norm2")(x))
