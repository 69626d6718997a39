"""Makes the int8 models of the five MLPerf Tiny networks, where they are not there already."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "build" / "mlperf_tiny"
MODELS = (
    "keyword_spotting",
    "image_classification",
    "visual_wake_words",
    "anomaly_detection",
    "streaming_wakeword",
)
# Keras stays in a process of its own: it cannot share one with tflite-runtime.
SAVE_UNTRAINED = """
import importlib, pathlib, sys
import keras, numpy as np

name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
keras.utils.set_random_seed(0)
model = importlib.import_module(f"models.{name}").build()
noise = np.random.default_rng(0).normal(size=(20, *model.input_shape[1:])).astype(np.float32)
for layer in model.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0  # take the noise's mean and variance: signals neither fade nor explode
model(noise, training=True)
model.save(folder / f"{name}.keras")
np.savez(folder / f"{name}.calibration.npz", x=noise)
"""


def int8_model(name: str, folder: Path, *, trained: bool) -> Path:
    """The .tflite below ``folder``, whose ``.keras`` and data lie beside it."""
    folder = folder if trained else folder / "untrained"
    model = folder / f"{name}.tflite"
    if not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train = ("-m", "tinyml", "train", name, "-o", folder)
        run_python(*(train if trained else ("-c", SAVE_UNTRAINED, name, folder)))
        keras, data = (folder / f"{name}.{end}" for end in ("keras", "calibration.npz"))
        run_python("-m", "tinyml", "quantize", keras, "--data", data, "-o", model)
    return model


def run_python(
    *arguments: str | Path, python: str | Path = sys.executable, accepted: tuple[int, ...] = (0,)
) -> str:
    """Run this or another Python, and give what it prints; leave with its stderr on other codes."""
    command = [str(python), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in accepted:
        sys.exit(done.stderr)
    return done.stdout
