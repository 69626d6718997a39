"""Random networks of several layers; the seed of a network says everything about it."""

import random
from collections.abc import Callable

from keras_layers.setting import Layer, Setting, Source, inner

SEQUENTIAL = "Sequential"
NETWORKS = 24
FEWEST, MOST = 2, 5
IMAGES, SIGNALS = Source((8, 8, 3)), Source((8, 4))

Make = Callable[[random.Random], Layer]


def _size(draw: random.Random) -> int:
    return draw.randint(2, 8)


def _activation(draw: random.Random) -> str:
    return draw.choice(("linear", "relu", "relu6", "tanh", "sigmoid", "silu", "elu", "gelu"))


def _convolution(layer: str) -> Make:
    def make(draw: random.Random) -> Layer:
        return inner(
            layer,
            filters=_size(draw),
            kernel_size=draw.choice((1, 2, 3)),
            strides=draw.choice((1, 1, 2)),
            padding="same",
            activation=_activation(draw),
        )

    return make


def _depthwise(layer: str) -> Make:
    def make(draw: random.Random) -> Layer:
        return inner(layer, kernel_size=3, padding="same", activation=_activation(draw))

    return make


def _recurrent(layer: str) -> Make:
    def make(draw: random.Random) -> Layer:
        plain = inner(layer, units=_size(draw), return_sequences=True)
        return inner("Bidirectional", layer=plain) if draw.random() < 0.3 else plain

    return make


def _plain(layer: str, **arguments: object) -> Make:
    return lambda _: Layer(layer, arguments)


def _dense(draw: random.Random) -> Layer:
    return inner("Dense", units=_size(draw), activation=_activation(draw))


ANYWHERE: tuple[Make, ...] = (
    *(_dense, _plain("BatchNormalization"), _plain("PReLU")),
    *(_plain("LeakyReLU", negative_slope=0.1), _plain("ReLU"), _plain("Dropout", rate=0.2)),
)
OF_IMAGES: tuple[Make, ...] = (
    *(_convolution(name) for name in ("Conv2D", "Conv2D", "SeparableConv2D", "Conv2DTranspose")),
    _depthwise("DepthwiseConv2D"),
    *(_plain(name, pool_size=2, padding="same") for name in ("MaxPooling2D", "AveragePooling2D")),
    *(_plain("UpSampling2D"), _plain("ZeroPadding2D"), _plain("Permute", dims=(2, 1, 3))),
)
OF_SIGNALS: tuple[Make, ...] = (
    *(_convolution(name) for name in ("Conv1D", "SeparableConv1D")),
    _depthwise("DepthwiseConv1D"),
    *(_recurrent(name) for name in ("LSTM", "GRU", "SimpleRNN")),
    *(_plain(name, pool_size=2, padding="same") for name in ("MaxPooling1D", "AveragePooling1D")),
    *(_plain("UpSampling1D"), _plain("ZeroPadding1D")),
)


def _network(seed: int) -> Setting:
    """Layers of images or of signals, then classes or a number."""
    draw = random.Random(seed)  # noqa: S311  # reproducible, not secret
    source, own, rank = draw.choice(((IMAGES, OF_IMAGES, 2), (SIGNALS, OF_SIGNALS, 1)))
    chosen = [draw.choice((*own, *own, *ANYWHERE)) for _ in range(draw.randint(FEWEST, MOST))]
    flat = draw.choice(("Flatten", f"GlobalAveragePooling{rank}D", f"GlobalMaxPooling{rank}D"))
    last = inner("Dense", units=4, activation=draw.choice(("linear", "softmax", "sigmoid")))
    layers = [*(make(draw) for make in chosen), inner(flat), last]
    return Setting(SEQUENTIAL, {"layers": layers}, (source,))


SETTINGS: tuple[Setting, ...] = tuple(map(_network, range(NETWORKS)))
