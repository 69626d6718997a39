"""Convolutions.

Keras itself does not run ``data_format="channels_first"`` or a dilated transposed convolution on a
processor without a GPU, so that there is nothing to compare with.
"""

from keras_layers.setting import IMAGE, STEPS, VOLUME, Setting, on

SETTINGS: tuple[Setting, ...] = (
    on("Conv1D", STEPS, filters=4, kernel_size=3),
    on("Conv1D", STEPS, filters=6, kernel_size=3, strides=2, padding="same", activation="relu"),
    on("Conv1D", STEPS, filters=4, kernel_size=3, padding="causal"),
    on("Conv1D", STEPS, filters=4, kernel_size=2, dilation_rate=2, padding="same"),
    on("Conv1D", STEPS, filters=5, kernel_size=3, groups=5, use_bias=False),
    on("Conv2D", IMAGE, filters=6, kernel_size=3),
    on("Conv2D", IMAGE, filters=6, kernel_size=3, strides=2, padding="same", activation="relu"),
    on("Conv2D", IMAGE, filters=4, kernel_size=(1, 3), dilation_rate=2, padding="same"),
    on("Conv2D", IMAGE, filters=8, kernel_size=3, groups=2, activation="tanh"),
    on("Conv2D", IMAGE, filters=8, kernel_size=1, use_bias=False, activation="relu6"),
    on("Conv3D", VOLUME, filters=4, kernel_size=2),
    on("Conv3D", VOLUME, filters=4, kernel_size=3, strides=2, padding="same", activation="relu"),
    on("Conv3D", VOLUME, filters=2, kernel_size=(1, 3, 3), padding="same"),
    on("Conv1DTranspose", STEPS, filters=4, kernel_size=3),
    on("Conv1DTranspose", STEPS, filters=4, kernel_size=3, strides=2, padding="same"),
    on("Conv2DTranspose", IMAGE, filters=4, kernel_size=3),
    on("Conv2DTranspose", IMAGE, filters=4, kernel_size=3, strides=2, padding="same"),
    on("Conv2DTranspose", IMAGE, filters=4, kernel_size=2, strides=2, output_padding=1),
    on("Conv3DTranspose", VOLUME, filters=2, kernel_size=2),
    on("Conv3DTranspose", VOLUME, filters=2, kernel_size=3, strides=2, padding="same"),
    on("DepthwiseConv1D", STEPS, kernel_size=3, padding="same"),
    on("DepthwiseConv1D", STEPS, kernel_size=2, depth_multiplier=2, strides=2),
    on("DepthwiseConv2D", IMAGE, kernel_size=3, padding="same", activation="relu"),
    on("DepthwiseConv2D", IMAGE, kernel_size=3, depth_multiplier=2, strides=2),
    on("DepthwiseConv2D", IMAGE, kernel_size=3, dilation_rate=2, use_bias=False),
    on("SeparableConv1D", STEPS, filters=4, kernel_size=3),
    on("SeparableConv1D", STEPS, filters=4, kernel_size=3, strides=2, padding="same"),
    on("SeparableConv2D", IMAGE, filters=6, kernel_size=3, padding="same", activation="relu"),
    on("SeparableConv2D", IMAGE, filters=6, kernel_size=3, depth_multiplier=2, strides=2),
)
