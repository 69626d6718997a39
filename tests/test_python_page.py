"""docs/python.md runs from top to bottom, on a small model."""

import re
from pathlib import Path

import pytest
from graphs import small_float

import tinyml

# The page trains: one worker starts TensorFlow for all tests that do so in their own process.
pytestmark = pytest.mark.xdist_group("qat")

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
CODE = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What the page's code leaves, run in order as one program."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "model.tflite").write_bytes(tinyml.write_tflite(small_float()))
    names: dict = {}
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        for number, block in enumerate(CODE):
            exec(compile(block, f"block {number} of {PAGE}", "exec"), names)  # noqa: S102
    return names | {"folder": folder}


def test_the_code_of_the_page_gives_the_references_bytes(names):
    assert names["comparison"].passed
    assert names["comparison"].mismatched_bytes == 0
    assert names["scores"].shape == (8, 1, 3)


def test_the_code_of_the_page_writes_what_it_says(names):
    written = {path.name for path in names["folder"].iterdir()}

    assert written >= {"int8.tflite", "int8.onnx", "c", "firmware"}
    assert all((names["folder"] / path).is_file() for path in names["files"])


def test_the_page_uses_every_public_function():
    used = set(re.findall(r"\btinyml\.(\w+)", PAGE.read_text(encoding="utf-8")))

    assert set(dir(tinyml)) - used - {"__version__"} == set()
