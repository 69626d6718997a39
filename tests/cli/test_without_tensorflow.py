"""What starts from a .tflite neither imports TensorFlow nor needs it, and starts at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("workplace")

REPOSITORY = str(Path(__file__).parents[2])
COMMANDS = {
    "build": "build int8.tflite --board host -o out",
    "run": "run int8.tflite --board host --input x.npy -o y.npy",
    "compare": "compare int8.tflite --data data.npz --board host --reference float.tflite",
    "inspect": "inspect int8.tflite",
    "export tflite": "export int8.tflite --format tflite -o new.tflite",
    "export onnx": "export int8.tflite --format onnx -o new.onnx",
    "export c": "export int8.tflite --format c -o c",
    "flash": "flash int8.tflite --board host",
    "quantize": "quantize float.tflite --data data.npz -o new.tflite",
}
# Runs a command and names the heavy packages it imported.
WATCHED = """
import sys
from tinyml.cli import run
code = run(sys.argv[1:])
print(code, *sorted({"tensorflow", "keras", "numpy", "onnx"} & sys.modules.keys()))
"""
# Makes TensorFlow and Keras look as if they were not installed, in this process and its children.
ABSENT = """
import importlib.machinery, sys

class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras"}:
            return None
        return super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, context):
        absent = context.name in {"tensorflow", "keras"}
        return [] if absent else super().find_distributions(context)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Finder
"""


def python(*arguments: str, path: str = REPOSITORY) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def without_tensorflow(tmp_path) -> str:
    """A PYTHONPATH under which TensorFlow is not installed."""
    folder = tmp_path / "absent"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(ABSENT)
    return os.pathsep.join([str(folder), REPOSITORY])


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_on_a_tflite_model_does_not_import_tensorflow(command):
    done = python("-c", WATCHED, *command.split())

    code, *imported = done.stdout.splitlines()[-1].split()
    assert code == "0"
    assert not {"tensorflow", "keras"} & set(imported)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_on_a_tflite_model_works_where_tensorflow_is_not_installed(
    without_tensorflow, command
):
    done = python("-m", "tinyml", *command.split(), path=without_tensorflow)

    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_says_that_tensorflow_is_absent_and_what_it_is_for(without_tensorflow):
    done = python("-m", "tinyml", "doctor", path=without_tensorflow)

    assert done.returncode == 0
    assert "pip install 'tinyml[keras]'" in done.stdout


@pytest.mark.parametrize("command", ["inspect model.keras", "train digits -o out"])
def test_what_needs_tensorflow_says_how_to_install_it(without_tensorflow, command):
    Path("model.keras").write_bytes(b"PK\x05\x06" + bytes(18))

    done = python("-m", "tinyml", *command.split(), path=without_tensorflow)

    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "pip install 'tinyml[keras]'" in done.stderr
    assert not Path("out").exists()


def test_help_imports_nothing_heavy():
    done = python("-c", WATCHED, "--help")

    assert done.stdout.splitlines()[-1] == "0"


def test_help_takes_at_most_three_tenths_of_a_second_of_a_processor():
    seconds = []
    for _ in range(3):
        before = os.times()
        python("-m", "tinyml", "--help")
        after = os.times()
        own = after.children_user + after.children_system
        seconds.append(own - before.children_user - before.children_system)

    assert min(seconds) <= 0.3
