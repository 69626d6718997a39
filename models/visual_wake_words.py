"""Visual wake words, MLPerf Tiny: whether a picture of 96 x 96 pixels shows a person.

The network is MobileNet-v1 (arXiv 1704.04861, table 1) with a quarter of the channels, as MLPerf
Tiny (arXiv 2106.07597) takes it: 221,794 parameters and 7.49 million multiply-accumulates. The
data set is COCO's photos as the benchmark cuts them or, where they are not at hand, drawn scenes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import InputError

from .shared import scenes
from .shared.datasets import Samples, Split, dataset_folder, describe_source, shuffled
from .shared.layers import convolution, separable

if TYPE_CHECKING:
    import keras

SIZE = 96
CLASSES = 2

EPOCHS = 6
BATCH_SIZE = 32
LEARNING_RATE = 2e-3

SEED = 0  # of the data, which do not change with the training seed
DATASET = "vw_coco2014_96"
FOLDERS = ("non_person", "person")  # class 0 and class 1
MOST_PHOTOS = 5000  # of each class: all 110,000 would not fit in memory
HELD_OUT_SHARE = 10
DRAWN_TRAINING, DRAWN_HELD_OUT = 2500, 100  # scenes of each class

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


def data_source() -> str:
    """Return what ``load_data`` reads or makes."""
    return describe_source(DATASET, "drawn scenes, half of them with a person")


def load_data(root: Path | None = None) -> Split:
    """Return pictures (N, 96, 96, 3) in [0, 1] and classes: 1 shows a person, 0 does not.

    Of the photos every tenth is held out.
    """
    rng = np.random.default_rng(SEED)
    folder = dataset_folder(DATASET, root)
    if folder is not None:
        return _photographed(folder, rng)
    return _drawn(DRAWN_TRAINING, rng), _drawn(DRAWN_HELD_OUT, rng)


def _drawn(count: int, rng: np.random.Generator) -> Samples:
    labels = rng.permutation(np.repeat(np.arange(CLASSES), count))
    pictures = [scenes.draw(rng, person=bool(label)) for label in labels]
    return np.stack(pictures).astype(np.float32), labels


def _photographed(folder: Path, rng: np.random.Generator) -> Split:
    halves: list[tuple[list[Path], list[int]]] = [([], []), ([], [])]
    for label, name in enumerate(FOLDERS):
        files = np.array(sorted((folder / name).glob("*.jpg")))
        if len(files) < HELD_OUT_SHARE:
            raise InputError(
                f"{folder / name} has {len(files)} .jpg files, expected {HELD_OUT_SHARE} or more: "
                "unpack the data set again"
            )
        for number, path in enumerate(rng.permutation(files)[:MOST_PHOTOS]):
            paths, labels = halves[number % HELD_OUT_SHARE == 0]
            paths.append(path)
            labels.append(label)
    training, held_out = (
        shuffled(np.stack([_read_photo(path) for path in paths]), np.array(labels), rng)
        for paths, labels in halves
    )
    return training, held_out


def _read_photo(path: Path) -> NDArray[np.float32]:
    """Return (96, 96, 3) in [0, 1], scaled where the photo has another size."""
    from PIL import Image

    with Image.open(path) as photo:
        pixels = np.asarray(photo.convert("RGB").resize((SIZE, SIZE)))
    return pixels / np.float32(255)
