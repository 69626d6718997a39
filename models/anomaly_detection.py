"""Anomaly detection, MLPerf Tiny: whether a machine sounds as it did when all was well.

The network is the autoencoder of MLPerf Tiny (arXiv 2106.07597), which is the baseline of DCASE
2020 task 2 (arXiv 2006.05822): it learns to reconstruct normal sounds through eight numbers, and
what it reconstructs badly is an anomaly. 269,992 parameters, 0.264 million multiply-accumulates.
"""

from typing import TYPE_CHECKING

from .shared.layers import normalized

if TYPE_CHECKING:
    import keras

BANDS = 128
FRAMES = 5
WIDTHS = (128, 128, 128, 128, 8, 128, 128, 128, 128)


def build() -> "keras.Model":
    """Return the untrained network: log-mel windows (N, 640) in, the same reconstructed out."""
    import keras
    from keras import layers

    window = keras.Input((FRAMES * BANDS,), name="window")
    x = window
    for number, width in enumerate(WIDTHS, start=1):
        x = normalized(layers.Dense(width, name=f"dense{number}")(x), name=f"dense{number}")
    x = layers.Dense(FRAMES * BANDS, name="reconstruction")(x)
    return keras.Model(window, x, name="anomaly_detection")
