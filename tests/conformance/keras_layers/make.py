"""Builds, runs and converts the settings with Keras, in a process of its own.

Run as ``python make.py FOLDER NUMBER...``. It leaves the names of all layers in ``layers.txt``, and
for each number ``STEM.calibration.npz`` and ``STEM.test.npz`` (arrays
``in0``, ...), ``STEM.keras.npz`` (what Keras answers, in the order of its outputs) and
``STEM.tflite``, or ``STEM.json`` with the refusal. One process for many, because TensorFlow
takes seconds to start.
"""

import inspect
import json
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1])]

from keras_layers.setting import Layer, Setting, Source  # noqa: E402  # found there
from keras_layers.table import settings  # noqa: E402

# The samples are among those of the calibration: what is measured is quantization, not how well a
# range was guessed.
CALIBRATION, SAMPLES = 64, 16
WORDS = ("on", "off", "neither of them")


def all_layers() -> list[str]:
    """Names of every class of layers that Keras has, each once, its own name before aliases."""
    from keras import layers

    names: dict[type, str] = {}
    for name, value in inspect.getmembers(layers, inspect.isclass):
        if issubclass(value, layers.Layer) and names.get(value) != value.__name__:
            names[value] = name
    return sorted(names.values())


def built(setting: Setting) -> Any:
    """The network as a Keras model, with weights that are all different."""
    import keras

    keras.utils.set_random_seed(zlib.crc32(setting.name.encode()) % 2**31)
    batch = 1 if setting.arguments.get("stateful") else None
    inputs = [
        keras.Input(batch_shape=(batch, *source.shape), dtype=source.dtype, name=f"in{number}")
        for number, source in enumerate(setting.sources)
    ]
    model = keras.Model(inputs, called(setting, inputs))
    _vary_weights(model)
    return model


def called(setting: Setting, inputs: Sequence[Any]) -> Any:
    """The layer's answer to Keras tensors."""
    layer = made(Layer(setting.layer, setting.arguments))
    if setting.listed:
        return layer(list(inputs), **setting.call)
    return layer(*inputs, **setting.call)


def made(value: Any) -> Any:
    """Keras' own of a layer, and of those among its arguments."""
    import keras

    if isinstance(value, list):
        return [made(part) for part in value]
    if not isinstance(value, Layer):
        return value
    arguments = {name: made(argument) for name, argument in value.arguments.items()}
    # A network of several layers is no class of layers.
    place = keras.layers if hasattr(keras.layers, value.name) else keras
    return getattr(place, value.name)(**arguments)


def _vary_weights(model: Any) -> None:
    """Take biases from 0 and gains from 1, as training does."""
    rng = np.random.default_rng(1)
    for variable in model.weights:
        value = np.asarray(variable)
        if value.dtype == np.float32 and value.size and (value == value.flat[0]).all():
            variable.assign(value + rng.uniform(-0.3, 0.3, value.shape).astype(np.float32))


def drawn(source: Source, count: int, seed: int) -> Any:
    """Samples (count, *shape) of an input."""
    rng = np.random.default_rng(seed)
    shape = (count, *source.shape)
    if source.dtype == "string":
        return rng.choice(WORDS, shape)
    if source.dtype != "float32":
        low, high = source.limits or (0, 1)
        return rng.integers(int(low), int(high) + 1, shape).astype(source.dtype)
    if source.limits is None:
        return rng.normal(size=shape).astype(np.float32)
    return rng.uniform(*source.limits, shape).astype(np.float32)


def make(setting: Setting, stem: Path) -> None:
    """Leave the files of one setting."""
    model = built(setting)
    arrays = {f"in{n}": drawn(s, CALIBRATION, n) for n, s in enumerate(setting.sources)}
    np.savez(stem.with_suffix(".calibration.npz"), **arrays)
    samples = {name: array[:SAMPLES] for name, array in arrays.items()}
    np.savez(stem.with_suffix(".test.npz"), **samples)
    if setting.sources[0].dtype != "string":
        np.savez(stem.with_suffix(".keras.npz"), *_answers(model, list(samples.values())))
    path = stem.with_suffix(".keras")
    model.save(path)
    _convert(path, stem)


def _answers(model: Any, samples: Sequence[Any]) -> list[Any]:
    """One sample after another, as the device runs them."""
    import keras

    rows = [model([part[i : i + 1] for part in samples], training=False) for i in range(SAMPLES)]
    flat = [[np.asarray(part) for part in keras.tree.flatten(row)] for row in rows]
    return [np.concatenate(parts) for parts in zip(*flat, strict=True)]


def _convert(path: Path, stem: Path) -> None:
    from tinyml.frontend.keras import worker

    result = stem.with_suffix(".result")
    failed = worker.main(path, result)
    result.rename(stem.with_suffix(".json" if failed else ".tflite"))


def main() -> None:
    folder, every = Path(sys.argv[1]), settings()
    (folder / "layers.txt").write_text("\n".join([*all_layers(), ""]), encoding="utf-8")
    for number in map(int, sys.argv[2:]):
        stem = folder / every[number].stem
        stem.with_suffix(".started").touch()
        try:
            make(every[number], stem)
        except Exception as error:  # whatever Keras raises of what it cannot build or run
            report = {"error": "Keras", "message": f"{type(error).__name__}: {error}"}
            stem.with_suffix(".json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
