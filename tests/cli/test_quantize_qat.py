import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.usefixtures("workplace"), pytest.mark.xdist_group("qat")]

QUANTIZE = ("quantize", "float.tflite", "--data", "data.npz", "-o", "new.tflite")
STATE = Path("new.qat-state.npz")


@pytest.mark.parametrize("option", [("--epochs", "3"), ("--resume",), ("--ranges", "learned")])
def test_options_of_training_without_qat_are_refused(tinyml, option):
    called = tinyml(*QUANTIZE, *option)

    assert called.code == 2
    assert f"{option[0]} says how --qat trains, which is not asked for" in called.err
    assert not Path("new.tflite").exists()


def test_resuming_without_a_state_is_refused(tinyml):
    called = tinyml(*QUANTIZE, "--qat", "--resume")

    assert called.code == 2
    assert "there is no state 'new.qat-state.npz' to go on from" in called.err
    assert not Path("new.tflite").exists()


def test_labels_out_of_range_are_refused(tinyml):
    np.savez("shifted.npz", x=np.load("x.npy"), y=np.arange(12) % 3 + 1)

    called = tinyml(*QUANTIZE[:3], "shifted.npz", *QUANTIZE[4:], "--qat")

    assert called.code == 2
    assert "labels reach from 1 to 3, expected classes from 0 to 2" in called.err


def test_an_interrupted_command_keeps_its_state_and_says_how_to_go_on():
    command = [sys.executable, "-m", "tinyml", *QUANTIZE, "--qat", "--epochs", "400"]
    training = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not STATE.exists() and time.monotonic() < deadline and training.poll() is None:
        time.sleep(0.05)
    training.send_signal(signal.SIGINT)
    _, error = training.communicate(timeout=60)

    assert training.returncode == 130
    assert "go on with the same command and --resume" in error
    assert STATE.exists()
    assert not Path("new.tflite").exists()


def test_a_model_is_trained_and_its_state_removed(tinyml):
    called = tinyml(*QUANTIZE, "--qat", "--epochs", "1", "--learning-rate", "0.001")

    assert (called.code, called.err) == (0, "")
    assert "11 samples, 1 more held out" in called.out
    assert "100.00 % of the outputs of 12 samples" in called.out
    assert sorted(path.name for path in Path().glob("new*")) == ["new.tflite"]
