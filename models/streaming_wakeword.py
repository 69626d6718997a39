"""Streaming wake word, MLPerf Tiny since version 1.3: whether the last second held "Marvin".

The network is the one-dimensional DS-CNN of MLPerf Tiny's streaming wake word benchmark: four
depthwise separable convolutions along time, without padding, that together see exactly the 30
frames of one second. Here it looks at a whole window at a time and keeps no state. 47,707
parameters and 0.83 million multiply-accumulates.
"""

from typing import TYPE_CHECKING

from .shared.layers import normalized

if TYPE_CHECKING:
    import keras

FRAMES = 30
BANDS = 40
CLASSES = 3

# Frames and channels of each block.
BLOCKS = ((3, 128), (5, 128), (10, 128), (15, 32))


def build() -> "keras.Model":
    """Return the untrained network: log-mel (N, 30, 1, 40) in, class probabilities (N, 3) out."""
    import keras
    from keras import layers

    x = frames = keras.Input((FRAMES, 1, BANDS), name="frames")
    for number, (kernel, channels) in enumerate(BLOCKS, start=1):
        name = f"block{number}"
        x = layers.DepthwiseConv2D((kernel, 1), use_bias=False, name=f"{name}_depthwise")(x)
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_pointwise")(x)
        x = layers.Dropout(0.2, name=f"{name}_dropout")(normalized(x, name=name))
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(frames, layers.Softmax(name="word")(scores), name="streaming_wakeword")
