"""Puts this folder on the import path, for ``graphs``, and makes hypothesis repeatable."""

from hypothesis import settings

from tinyml.firmware.toolchain import find_cmsis_nn

# The same examples in every run: continuous integration must not fail by chance.
settings.register_profile("tinyml", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("tinyml")


def pytest_report_header() -> str:
    cmsis_nn = find_cmsis_nn()
    return f"CMSIS-NN {cmsis_nn.version}: {cmsis_nn.root}"
