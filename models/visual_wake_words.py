"""Visual wake words, MLPerf Tiny: whether a picture of 96 x 96 pixels shows a person.

The network is MobileNet-v1 (arXiv 1704.04861, table 1) with a quarter of the channels, as MLPerf
Tiny (arXiv 2106.07597) takes it: 221,794 parameters and 7.49 million multiply-accumulates.
"""

from typing import TYPE_CHECKING

from .shared.layers import convolution, separable

if TYPE_CHECKING:
    import keras

SIZE = 96
CLASSES = 2

# Channels and stride of each depthwise separable block.
BLOCKS = (
    (16, 1),
    (32, 2),
    (32, 1),
    (64, 2),
    (64, 1),
    (128, 2),
    *[(128, 1)] * 5,
    (256, 2),
    (256, 1),
)


def build() -> "keras.Model":
    """Return the untrained network: RGB (N, 96, 96, 3) in, class probabilities (N, 2) out."""
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = convolution(image, channels=8, kernel=3, stride=2, name="stem")
    for number, (channels, stride) in enumerate(BLOCKS, start=1):
        x = separable(x, channels=channels, stride=stride, name=f"block{number}")
    x = layers.AveragePooling2D(SIZE // 32, name="average")(x)
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(image, layers.Softmax(name="person")(scores), name="visual_wake_words")
