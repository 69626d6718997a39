"""Layers that move values."""

from keras_layers.setting import IMAGE, ROW, STEPS, VOLUME, Setting, on

SETTINGS: tuple[Setting, ...] = (
    on("Flatten", IMAGE),
    on("Flatten", IMAGE, data_format="channels_first"),
    on("Reshape", IMAGE, target_shape=(16, 16)),
    on("Reshape", ROW, target_shape=(-1, 3)),
    on("Permute", STEPS, dims=(2, 1)),
    on("Permute", IMAGE, dims=(3, 1, 2)),
    on("RepeatVector", ROW, n=3),
    on("Cropping1D", STEPS, cropping=1),
    on("Cropping1D", STEPS, cropping=(0, 2)),
    on("Cropping2D", IMAGE, cropping=1),
    on("Cropping2D", IMAGE, cropping=((1, 2), (0, 3))),
    on("Cropping3D", VOLUME, cropping=1),
    on("Cropping3D", VOLUME, cropping=((1, 0), (0, 2), (1, 1))),
    on("ZeroPadding1D", STEPS, padding=1),
    on("ZeroPadding1D", STEPS, padding=(0, 2)),
    on("ZeroPadding2D", IMAGE, padding=1),
    on("ZeroPadding2D", IMAGE, padding=((1, 2), (0, 3))),
    on("ZeroPadding3D", VOLUME, padding=1),
    on("UpSampling1D", STEPS, size=2),
    on("UpSampling1D", STEPS, size=3),
    on("UpSampling2D", IMAGE, size=2),
    on("UpSampling2D", IMAGE, size=(2, 3), interpolation="bilinear"),
    on("UpSampling2D", IMAGE, size=2, interpolation="bicubic"),
    on("UpSampling3D", VOLUME, size=2),
)
