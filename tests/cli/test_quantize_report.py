import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("workplace")

QUANTIZE = ("quantize", "float.tflite", "--data", "data.npz", "-o", "new.tflite")
REPORT = (*QUANTIZE, "--report", "r.json")


def test_a_report_says_of_each_layer_what_it_costs(tinyml):
    called = tinyml(*REPORT)

    report = json.loads(Path("r.json").read_text())
    costs = [layer["alone_db"] for layer in report["layers"]]
    assert (called.code, called.err) == (0, "")
    assert report["samples"] == 12
    assert costs == sorted(costs)
    assert {"logits", "(input)"} < {layer["name"] for layer in report["layers"]}
    assert "all quantized: " in called.out
    assert "logits" in called.out
    assert Path("new.tflite").exists()


def test_a_report_on_labelled_samples_has_accuracies(tinyml):
    samples = np.random.default_rng(5).normal(size=(30, 6, 6, 2)).astype(np.float32)
    np.savez("labelled.npz", x=samples, y=np.arange(30) % 3)

    called = tinyml(*REPORT, "--report-data", "labelled.npz")

    report = json.loads(Path("r.json").read_text())
    assert called.code == 0
    assert "accuracy" in called.out
    assert report["samples"] == 30
    assert 0 < report["float_score"] < 1
    assert report["layers"][0]["alone_score"] is not None


def test_labels_that_are_no_classes_leave_neither_report_nor_model(tinyml):
    samples = np.random.default_rng(5).normal(size=(3, 6, 6, 2)).astype(np.float32)
    np.savez("labelled.npz", x=samples, y=np.array([0, 1, 3]))

    called = tinyml(*REPORT, "--report-data", "labelled.npz")

    assert called.code == 2
    assert "label 3 of sample 2 is no class of output" in called.err
    assert not Path("r.json").exists()
    assert not Path("new.tflite").exists()


def test_report_data_without_a_report_are_refused(tinyml):
    called = tinyml(*QUANTIZE, "--report-data", "data.npz")

    assert called.code == 2
    assert "--report-data are samples for --report: give that too" in called.err


def test_a_report_that_cannot_be_written_is_refused_before_any_work(tinyml):
    Path("folder").mkdir()

    called = tinyml(*QUANTIZE, "--report", "folder")

    assert called.code == 2
    assert "folder is a folder" in called.err
    assert not Path("new.tflite").exists()
