import subprocess
import sys

import pytest

import tinyml


@pytest.mark.parametrize("name", [name for name in dir(tinyml) if name != "__version__"])
def test_every_public_name_is_there(name):
    assert getattr(tinyml, name).__name__ == name


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tinyml.nonsense  # noqa: B018  # looking it up is the test


def test_importing_tinyml_imports_nothing_heavy():
    code = "import sys, tinyml; print({'numpy', 'tensorflow', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
