import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("keras")

# TensorFlow cannot share a process with tflite-runtime.
TRAIN = """
import numpy as np
from separable import images, separable
from tinyml.data.dataset import Dataset
from tinyml.ir.graph import DType
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.scheme import Override, Scheme
from tinyml.train.finetune import Tuning
from tinyml.train.quantize_aware import quantize_aware

graph, x = separable(), images(96)
overrides = (
    Override(layers="p*", activations=DType.INT16),
    Override(layers="depthwise", weight_bits=4),
)
result = quantize_aware(
    graph,
    Dataset(x.reshape(96, 8, 8, 3)),
    calibrate(graph, x),
    Scheme(overrides=overrides),
    Tuning(epochs=1, learning_rate=1e-4, batch_size=32),
    ranges="moving-average",
)
weights = result.graph.tensor("depthwise/w").data
print(result.graph.tensor("pointwise").dtype.value, np.abs(weights).max())
print(result.agreement.equal, result.agreement.steps)
"""


def test_layers_of_their_own_width_and_bits_are_trained_as_the_device_computes_them():
    support = Path(__file__).parents[1] / "support"

    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path.append({str(support)!r})\n{TRAIN}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    choices, agreement = done.stdout.splitlines()[-2:]
    assert choices == "int16 7"
    equal, steps = map(float, agreement.split())
    assert equal > 0.97
    assert steps < 1.5
