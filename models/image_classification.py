"""Image classification, MLPerf Tiny: which of ten classes a picture of 32 x 32 pixels shows.

The network is the ResNet-8 of MLPerf Tiny (arXiv 2106.07597): three residual stacks of 16, 32 and
64 channels, 78,666 parameters and 12.5 million multiply-accumulates. The data set is CIFAR-10 or,
where it is not at hand, drawn shapes.
"""

import codecs
import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import InputError

from .shared import shapes
from .shared.datasets import Samples, Split, dataset_folder, describe_source
from .shared.layers import MOMENTUM, convolution

if TYPE_CHECKING:
    import keras

SIZE = 32
CLASSES = 10

EPOCHS = 15
BATCH_SIZE = 50
LEARNING_RATE = 4e-3

SEED = 0  # of the data, which do not change with the training seed
DATASET = "cifar-10-batches-py"
TRAINING_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
HELD_OUT_FILES = ("test_batch",)
DRAWN_TRAINING, DRAWN_HELD_OUT = 400, 50  # pictures of each class


def build() -> "keras.Model":
    """Return the untrained network: RGB (N, 32, 32, 3) in, class probabilities (N, 10) out."""
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = convolution(image, channels=16, kernel=3, name="stem")
    x = _stack(x, channels=16, stride=1, name="stack1")
    x = _stack(x, channels=32, stride=2, name="stack2")
    x = _stack(x, channels=64, stride=2, name="stack3")
    x = layers.AveragePooling2D(SIZE // 4, name="average")(x)
    scores = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(x))
    return keras.Model(image, layers.Softmax(name="label")(scores), name="image_classification")


def _stack(x: "keras.KerasTensor", *, channels: int, stride: int, name: str) -> "keras.KerasTensor":
    """Return two 3 x 3 convolutions added to their input, which a strided one brings to size."""
    from keras import layers

    branch = convolution(x, channels=channels, kernel=3, stride=stride, name=f"{name}_first")
    branch = layers.Conv2D(channels, 3, padding="same", name=f"{name}_second_conv")(branch)
    branch = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_second_norm")(branch)
    if stride > 1:
        x = layers.Conv2D(channels, 1, stride, padding="same", name=f"{name}_shortcut")(x)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, branch]))


def data_source() -> str:
    """Return what ``load_data`` reads or makes."""
    return describe_source(DATASET, "ten classes of drawn shapes and textures")


def load_data(root: Path | None = None) -> Split:
    """Return pictures (N, 32, 32, 3) in [0, 1] and classes: of CIFAR-10 as its files split it."""
    folder = dataset_folder(DATASET, root)
    if folder is not None:
        return _read(folder, TRAINING_FILES), _read(folder, HELD_OUT_FILES)
    rng = np.random.default_rng(SEED)
    return _drawn(DRAWN_TRAINING, rng), _drawn(DRAWN_HELD_OUT, rng)


def _drawn(count: int, rng: np.random.Generator) -> Samples:
    labels = rng.permutation(np.repeat(np.arange(CLASSES), count))
    pictures = [shapes.draw(label, rng) for label in labels]
    return np.stack(pictures).astype(np.float32), labels


def _read(folder: Path, names: tuple[str, ...]) -> Samples:
    batches = [_read_batch(folder / name) for name in names]
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    planes = images.reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)
    return (planes / np.float32(255)).astype(np.float32), labels.astype(np.int64)


def _read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images (N, 3072) and labels (N,) of one of CIFAR-10's files.

    Raises:
        InputError: it is missing or is no such file.
    """
    try:
        batch = _NumpyUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        images, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
        images = images.reshape(len(labels), 3 * SIZE * SIZE)
    except (OSError, EOFError, ValueError, LookupError, TypeError, pickle.UnpicklingError) as error:
        raise InputError(
            f"{path} is no batch of CIFAR-10 ({type(error).__name__}: {error}): "
            "unpack the data set's Python version again"
        ) from error
    return images, labels


# What arrays are made with in a pickle, whatever version of numpy wrote it.
ARRAY_MAKERS = {
    "_reconstruct": np.empty(0).__reduce__()[0],
    "ndarray": np.ndarray,
    "dtype": np.dtype,
    "encode": codecs.encode,
}


class _NumpyUnpickler(pickle.Unpickler):
    """Reads arrays and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few functions and classes that arrays need."""
        if module.split(".")[0] in {"numpy", "_codecs"} and name in ARRAY_MAKERS:
            return ARRAY_MAKERS[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")
