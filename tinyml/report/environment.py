"""What is installed of the programs and packages tinyml works with."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tinyml.errors import ToolchainError
from tinyml.firmware.toolchain import find_cmsis_nn, find_tool
from tinyml.runtime.tflite import TFLITE_MICRO, TFLITE_REFERENCE

PROGRAMS = ("arm-none-eabi-gcc", "qemu-system-arm", "gcc")

# Only the stand-in data of the speech models asks for it.
OPTIONAL_PROGRAMS = ("espeak-ng",)

# Package, what it is for, and what installs it where it is an extra.
PACKAGES = (
    *(
        (runtime.package, "int8 reference", runtime.requirement)
        for runtime in (TFLITE_REFERENCE, TFLITE_MICRO)
        if runtime.has_wheel
    ),
    ("ai-edge-litert", "int8 reference, and the .tflite schema", "ai-edge-litert"),
    ("tensorflow", "reading and training Keras models", "tinyml[keras]"),
    ("tf_keras", "reading models of Keras 2", "tinyml[keras]"),
    ("onnxruntime", "running exported .onnx", "tinyml[onnx]"),
    ("scikit-learn", "the digits model's data", "tinyml[digits]"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for; ``detail`` is its version, or how to install it."""

    name: str
    found: bool
    required: bool
    detail: str


def check_environment() -> list[Finding]:
    """Look for everything; only what building and running firmware needs is required."""
    return [
        Finding("python", found=True, required=True, detail=platform.python_version()),
        *(_tool(name, partial(_program_version, name)) for name in PROGRAMS),
        _tool("CMSIS-NN", lambda: find_cmsis_nn().version),
        *(
            _tool(name, partial(_program_version, name), required=False)
            for name in OPTIONAL_PROGRAMS
        ),
        *(_package(*package) for package in PACKAGES),
    ]


def _program_version(name: str) -> str:
    return find_tool(name).version


def _tool(name: str, find: Callable[[], str], *, required: bool = True) -> Finding:
    try:
        return Finding(name, found=True, required=required, detail=find())
    except ToolchainError as error:
        return Finding(name, found=False, required=required, detail=str(error))


def _package(name: str, purpose: str, install: str) -> Finding:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        advice = f"for {purpose}: pip install '{install}'"
        return Finding(name, found=False, required=False, detail=advice)
    return Finding(name, found=True, required=False, detail=f"{version}, for {purpose}")
