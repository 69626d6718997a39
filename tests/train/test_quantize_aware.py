import numpy as np
import pytest
from qat_networks import dense, rows

import tinyml
from tinyml.data.dataset import Dataset
from tinyml.errors import ToolchainError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.train import quantize_aware as module
from tinyml.train.finetune import Tuning
from tinyml.train.quantize_aware import quantize_aware

pytestmark = pytest.mark.xdist_group("qat")

X = rows(40)
DATA = Dataset(X, np.argmax(X[:, :3], axis=1))
TUNING = Tuning(epochs=1, learning_rate=0.01, batch_size=16)


def test_the_same_network_from_tflite_and_onnx_trains_to_the_same_losses(tmp_path):
    (tmp_path / "m.tflite").write_bytes(write_tflite(dense()))
    (tmp_path / "m.onnx").write_bytes(write_onnx(dense()))
    losses = []
    for name in ("m.tflite", "m.onnx"):
        graph = tinyml.load_model(tmp_path / name)
        result = quantize_aware(graph, DATA, tinyml.calibrate(graph, X), tuning=TUNING)
        assert result.agreement.equal == 1
        losses.append(result.tuning.losses)

    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_without_a_reference_runtime_nothing_of_the_training_is_lost(monkeypatch):
    def absent(*_):
        raise ToolchainError("no runtime")

    monkeypatch.setattr(module, "run_reference", absent)
    graph = dense()
    result = quantize_aware(graph, DATA, tinyml.calibrate(graph, X), tuning=TUNING)

    assert result.agreement is None
    assert len(result.tuning.losses) == 2
