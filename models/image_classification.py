"""Image classification, MLPerf Tiny: which of ten classes a picture of 32 x 32 pixels shows.

The network is the ResNet-8 of MLPerf Tiny (arXiv 2106.07597): three residual stacks of 16, 32 and
64 channels, 78,666 parameters and 12.5 million multiply-accumulates.
"""

from typing import TYPE_CHECKING

from .shared.layers import convolution

if TYPE_CHECKING:
    import keras

SIZE = 32
CLASSES = 10


def build() -> "keras.Model":
    """Return the untrained network: RGB (N, 32, 32, 3) in, class probabilities (N, 10) out."""
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = convolution(image, channels=16, kernel=3, name="stem")
    x = _stack(x, channels=16, stride=1, name="stack1")
    x = _stack(x, channels=32, stride=2, name="stack2")
    x = _stack(x, channels=64, stride=2, name="stack3")
    x = layers.AveragePooling2D(SIZE // 4, name="average")(x)
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(image, layers.Softmax(name="label")(scores), name="image_classification")


def _stack(x: "keras.KerasTensor", *, channels: int, stride: int, name: str) -> "keras.KerasTensor":
    """Return two 3 x 3 convolutions added to their input, which a strided one brings to size."""
    from keras import layers

    branch = convolution(x, channels=channels, kernel=3, stride=stride, name=f"{name}_first")
    branch = layers.Conv2D(channels, 3, padding="same", name=f"{name}_second_conv")(branch)
    branch = layers.BatchNormalization(name=f"{name}_second_norm")(branch)
    if stride > 1:
        x = layers.Conv2D(channels, 1, stride, padding="same", name=f"{name}_shortcut")(x)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, branch]))
