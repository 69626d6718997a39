"""Groups of layers that several networks are made of."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


# Statistics follow within tens of batches: small data sets do not give Keras' 0.99 enough.
MOMENTUM = 0.9


def normalized(x: "keras.KerasTensor", *, name: str) -> "keras.KerasTensor":
    """Return ``x`` after batch normalization and ReLU."""
    from keras import layers

    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def convolution(
    x: "keras.KerasTensor",
    *,
    channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    name: str,
) -> "keras.KerasTensor":
    """Return a convolution with zero padding, normalized and rectified."""
    from keras import layers

    convolve = layers.Conv2D(channels, kernel, stride, padding="same", name=f"{name}_conv")
    return normalized(convolve(x), name=name)


def separable(
    x: "keras.KerasTensor", *, channels: int, stride: int = 1, name: str
) -> "keras.KerasTensor":
    """Return a 3 x 3 depthwise and a pointwise convolution, each normalized and rectified."""
    from keras import layers

    depthwise = layers.DepthwiseConv2D(3, stride, padding="same", name=f"{name}_depthwise_conv")
    x = normalized(depthwise(x), name=f"{name}_depthwise")
    return convolution(x, channels=channels, kernel=1, name=f"{name}_pointwise")
