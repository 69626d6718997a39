"""The two networks of benchmarks/quantization.py, their data, and channels that are scaled apart.

    python benchmarks/quantization_networks.py FOLDER

trains them: FOLDER/NAME.keras, and FOLDER/data.npz with x, y, xt, yt. Keras stays in this process.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D

NAMES = ("mobilenet", "resnet")
SEED = 1
PICTURES, HELD_OUT = 400, 200  # of each of ten classes
EPOCHS, BATCH, LEARNING_RATE = 20, 64, 4e-3
# Channels of one tensor are scaled by up to 2^OCTAVES and down by as much.
OCTAVES = 2.0


def main() -> int:
    """Draw the data and train both."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    arrays = drawn_pictures()
    for name in NAMES:
        train(name, arrays).save(folder / f"{name}.keras")
    np.savez(folder / "data.npz", **arrays)
    return 0


def drawn_pictures() -> dict[str, Array]:
    """The ten classes of ``models/image_classification.py``; x (N, 32, 32, 3) in [0, 1]."""
    from models.shared import shapes

    generator = np.random.default_rng(SEED)

    def draw(count: int) -> tuple[Array, Array]:
        labels = generator.permutation(np.repeat(np.arange(10), count))
        pictures = [shapes.draw(label, generator) for label in labels]
        return np.stack(pictures).astype(np.float32), labels

    (x, y), (xt, yt) = draw(PICTURES), draw(HELD_OUT)
    return {"x": x, "y": y, "xt": xt, "yt": yt}


def train(name: str, arrays: dict[str, Array]) -> Any:
    """Train as ``tinyml train`` does: Adam along a cosine."""
    import keras

    keras.utils.set_random_seed(SEED)
    model = {"mobilenet": mobilenet, "resnet": resnet}[name]()
    steps = EPOCHS * -(-len(arrays["x"]) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    model.fit(arrays["x"], arrays["y"], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model


def mobilenet() -> Any:
    """Depthwise-separable convolutions with batch norm and ReLU, as in arXiv 1704.04861."""
    import keras
    from keras import layers

    picture = keras.Input((32, 32, 3), name="picture")
    x = _normalized(layers.Conv2D(16, 3, 2, "same", use_bias=False)(picture))
    for channels, stride in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        x = _normalized(layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x))
        x = _normalized(layers.Conv2D(channels, 1, use_bias=False)(x))
    return _classified(picture, x, "mobilenet")


def resnet() -> Any:
    """Three residual blocks behind a strided stem, as in arXiv 1512.03385."""
    import keras
    from keras import layers

    picture = keras.Input((32, 32, 3), name="picture")
    x = _normalized(layers.Conv2D(16, 3, 2, "same", use_bias=False)(picture))
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        branch = _normalized(layers.Conv2D(channels, 3, stride, "same", use_bias=False)(x))
        branch = layers.Conv2D(channels, 3, 1, "same", use_bias=False)(branch)
        branch = layers.BatchNormalization(momentum=0.9)(branch)
        if stride > 1:
            x = layers.Conv2D(channels, 1, stride, use_bias=False)(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(layers.Add()([x, branch]))
    return _classified(picture, x, "resnet")


def _normalized(x: Any) -> Any:
    from keras import layers

    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _classified(picture: Any, x: Any, name: str) -> Any:
    import keras
    from keras import layers

    scores = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(picture, layers.Softmax()(scores), name=name)


def with_channels_apart(graph: Graph) -> Graph:
    """The same function, each channel between two convolutions scaled by a factor of its own.

    ReLU lets factors through (arXiv 1906.04721, section 3.2): weights and bias before it are
    multiplied, the weights behind it divided.
    """
    generator = np.random.default_rng(SEED)
    tensors = dict(graph.tensors)

    def scale(name: str, factors: Array, axis: int) -> None:
        data = tensors[name].constant
        shape = [-1 if place == axis else 1 for place in range(data.ndim)]
        tensors[name] = _constant(tensors[name], data * factors.reshape(shape))

    for op in graph.ops:
        readers = graph.consumers[op.outputs[0]]
        if not isinstance(op, Conv2D | DepthwiseConv2D) or len(readers) != 1:
            continue
        (reader,) = readers
        if not isinstance(reader, Conv2D | DepthwiseConv2D):
            continue
        channels = graph.tensor(op.outputs[0]).shape[-1]
        factors = np.exp2(generator.uniform(-OCTAVES, OCTAVES, channels)).astype(np.float32)
        scale(op.inputs[1], factors, op.channel_axis)
        scale(op.inputs[2], factors, 0)
        scale(reader.inputs[1], 1 / factors, 3)
    return replace(graph, tensors=tensors)


def _constant(tensor: Tensor, data: Array) -> Tensor:
    return replace(tensor, data=data.astype(np.float32))


if __name__ == "__main__":
    sys.exit(main())
