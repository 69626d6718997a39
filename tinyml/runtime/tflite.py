"""Runs a .tflite model and hands back its outputs."""

from __future__ import annotations

import atexit
import contextlib
import importlib.metadata
import importlib.util
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyml.errors import ModelError, ToolchainError
from tinyml.ir.graph import Array


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime and which of its kernels run."""

    package: str
    module: str
    resolver: str

    @property
    def is_installed(self) -> bool:
        """Whether the package is there."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def label(self) -> str:
        """Name and version, as reports state them."""
        return f"{self.package} {importlib.metadata.version(self.package)} {self.resolver}"


TFLITE_REFERENCE = Runtime("tflite-runtime", "tflite_runtime", "BUILTIN_REF")
LITERT_REFERENCE = Runtime("ai-edge-litert", "ai_edge_litert", "BUILTIN_REF")


def reference_runtime() -> Runtime:
    """Choose the oracle: tflite-runtime's reference kernels where its wheel exists, else LiteRT's.

    ``docs/numerics.md`` shows why they are not the same.
    """
    return TFLITE_REFERENCE if TFLITE_REFERENCE.is_installed else LITERT_REFERENCE


def optimized(runtime: Runtime) -> Runtime:
    """Name the same runtime's fast kernels, for float models."""
    return Runtime(runtime.package, runtime.module, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def run_tflite(
    model: bytes, samples: Sequence[Array], runtime: Runtime, *, first: int | None = None
) -> list[Array]:
    """Run every sample; inputs and outputs have samples along their first axis.

    ``samples`` holds one array per model input, (N, *input shape) with the input's own dtype; so
    do the results, (N, *output shape). ``first`` asks for that many of the outputs only.
    """
    rows = list(iterate_tflite(model, samples, runtime, first=first))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def iterate_tflite(
    model: bytes, samples: Sequence[Array], runtime: Runtime, *, first: int | None = None
) -> Iterator[list[Array]]:
    """Yield the outputs of one sample after another; the arguments are those of run_tflite."""
    if not runtime.is_installed:
        raise ToolchainError(
            f"the package {runtime.package} is not installed; install it with "
            f"'pip install {runtime.package}'"
        )
    message = {
        "runtime": runtime.package,
        "resolver": runtime.resolver,
        "model": model,
        "samples": list(samples),
        "first": first,
    }
    yield from _request(message, runtime)


class _Worker:
    """The process; started at first use, kept until this process ends."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tinyml.runtime.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self.stop)

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self.process.wait()


# Processes that wait for work. One that is busy is not among them: two runs may take turns.
_idle: list[_Worker] = []


def _request(message: dict[str, Any], runtime: Runtime) -> Iterator[list[Array]]:
    worker = _idle.pop() if _idle else _Worker()
    finished = False
    try:
        for kind, value in _exchange(worker.process, message):
            finished = kind in {"done", "error"}
            if kind == "error":
                raise ModelError(f"{runtime.label} refuses the model: {value}")
            if kind == "values":
                yield value
    except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{runtime.label} crashed while it ran the model") from error
    finally:
        # An exchange cut short leaves replies in the pipe.
        if finished:
            _idle.append(worker)
        else:
            worker.stop()


def _exchange(
    process: subprocess.Popen[bytes], message: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    if process.stdin is None or process.stdout is None:
        raise ToolchainError("the TFLite runtime's process has no pipes")
    pickle.dump(message, process.stdin)
    process.stdin.flush()
    kind = "values"
    while kind == "values":
        kind, value = pickle.load(process.stdout)  # noqa: S301  # our own child wrote it
        yield kind, value
