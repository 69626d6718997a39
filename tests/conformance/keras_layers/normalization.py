"""Normalization."""

from keras_layers.setting import IMAGE, ROW, STEPS, Setting, inner, on

SETTINGS: tuple[Setting, ...] = (
    on("BatchNormalization", ROW),
    on("BatchNormalization", IMAGE, scale=False),
    on("BatchNormalization", IMAGE, axis=1, center=False),
    on("LayerNormalization", ROW),
    on("LayerNormalization", STEPS, epsilon=1e-6),
    on("LayerNormalization", IMAGE, axis=(1, 2, 3)),
    on("LayerNormalization", IMAGE, center=False, scale=False),
    on("RMSNormalization", ROW),
    on("RMSNormalization", STEPS),
    on("GroupNormalization", IMAGE, groups=2),
    on("GroupNormalization", IMAGE, groups=-1),
    on("GroupNormalization", STEPS, groups=1, center=False),
    on("UnitNormalization", ROW),
    on("UnitNormalization", STEPS),
    on("UnitNormalization", IMAGE, axis=(1, 2)),
    on("SpectralNormalization", IMAGE, layer=inner("Conv2D", filters=3, kernel_size=3)),
    on("SpectralNormalization", ROW, layer=inner("Dense", units=3), power_iterations=2),
)
