"""Keyword spotting, MLPerf Tiny: which of twelve classes one second of speech belongs to.

The network is the DS-CNN of "Hello Edge" (arXiv 1711.07128, section 4) in the size of MLPerf Tiny
(arXiv 2106.07597): 24,908 parameters and 2.66 million multiply-accumulates.
"""

from typing import TYPE_CHECKING

from .shared.layers import convolution, separable

if TYPE_CHECKING:
    import keras

FRAMES = 49
COEFFICIENTS = 10
CHANNELS = 64
BLOCKS = 4
CLASSES = 12


def build() -> "keras.Model":
    """Return the untrained network: MFCCs (N, 49, 10, 1) in, class probabilities (N, 12) out."""
    import keras
    from keras import layers

    mfcc = keras.Input((FRAMES, COEFFICIENTS, 1), name="mfcc")
    x = convolution(mfcc, channels=CHANNELS, kernel=(10, 4), stride=2, name="stem")
    x = layers.Dropout(0.2, name="stem_dropout")(x)
    for number in range(1, BLOCKS + 1):
        x = separable(x, channels=CHANNELS, name=f"block{number}")
    x = layers.Dropout(0.4, name="dropout")(x)
    # The reference halves the frames, rounding down: of 25 rows the average leaves out the last.
    x = layers.AveragePooling2D((FRAMES // 2, COEFFICIENTS // 2), name="average")(x)
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(mfcc, layers.Softmax(name="keyword")(scores), name="keyword_spotting")
