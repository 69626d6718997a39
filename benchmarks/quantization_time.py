"""Seconds that quantizing takes, as ratios measured side by side: see benchmarks/quantization.py.

Called with the folder of its networks.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mlperf_models import run_python

from tinyml.frontend.load import load_model
from tinyml.quantize.calibrate import calibrate
from tinyml.train.qat import prepare_qat

SAMPLES, STEPS, BATCH, RUNS = 200, 20, 64, 3


def main() -> int:
    """Print both ratios."""
    folder = Path(sys.argv[1])
    print("| what | seconds | beside | seconds | ratio |")
    print("|---|--:|---|--:|--:|")
    _print_quantizing()
    _print_training(folder)
    return 0


def _least(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs."""
    found = []
    for _ in range(RUNS):
        started = time.monotonic()
        work()
        found.append(time.monotonic() - started)
    return min(found)


def _row(what: str, ours: float, beside: str, theirs: float) -> str:
    return f"| {what} | {ours:.2f} | {beside} | {theirs:.2f} | {ours / theirs:.2f} |"


def _print_quantizing() -> None:
    """A network of one million parameters, from its file to an int8 one, in a fresh process."""
    import keras
    from keras import layers

    x = inputs = keras.Input((32, 32, 3))
    for channels, stride in ((64, 2), (128, 2), (192, 2), (192, 1), (220, 1)):
        x = layers.ReLU()(layers.Conv2D(channels, 3, stride, "same")(x))
    model = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
    data = np.random.default_rng(0).random((SAMPLES, 32, 32, 3), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "million.keras"
        model.save(file)
        samples = Path(folder) / "data.npz"
        np.savez(samples, x=data)
        script = Path(__file__).parent / "other_quantizers.py"
        output = Path(folder) / "ours.tflite"
        ours = _least(
            lambda: run_python("-m", "tinyml", "quantize", file, "--data", samples, "-o", output)
        )
        theirs = _least(lambda: run_python(script, "converter", file, samples, folder))
    what = f"quantize, {model.count_params():,} parameters, {SAMPLES} samples"
    print(_row(what, ours, "a script with the TFLite converter", theirs))


def _print_training(folder: Path) -> None:
    """Steps of training the same network, plain and with the integers in sight."""
    import keras

    with np.load(folder / "data.npz") as data:
        x, y = data["x"][: STEPS * BATCH], data["y"][: STEPS * BATCH]

    def steps(model: keras.Model) -> float:
        model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=BATCH, verbose=0)
        return _least(lambda: model.fit(x, y, batch_size=BATCH, verbose=0)) / STEPS

    for name in ("mobilenet", "resnet"):
        file = folder / f"{name}.keras"
        plain = steps(keras.models.load_model(file))
        graph = load_model(file)
        table = calibrate(graph, x[:SAMPLES])
        for ranges in ("moving-average", "learned"):
            trained = steps(prepare_qat(graph, table, ranges=ranges))
            print(_row(f"a step of {name}, ranges {ranges}", trained, "float", plain))


if __name__ == "__main__":
    sys.exit(main())
