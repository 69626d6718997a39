"""Runs a .tflite model and hands back its outputs."""

from __future__ import annotations

import atexit
import contextlib
import importlib.metadata
import importlib.util
import itertools
import pickle
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tinyml.errors import ModelError, ToolchainError
from tinyml.ir.graph import Array, Graph
from tinyml.ops.contract.operator import operators
from tinyml.ops.contract.oracles import Oracle


class RuntimeFailedError(ModelError):
    """A runtime refuses a model, or crashes on it, that another may run."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime and which of its kernels run."""

    package: str
    module: str
    resolver: str
    # What pip installs, and where it can.
    requirement: str
    has_wheel: bool = True
    wheels: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether the package is there."""
        return importlib.util.find_spec(self.module) is not None

    def require_installed(self) -> None:
        """Raise ToolchainError where the package is not there."""
        if not self.is_installed:
            raise ToolchainError(
                f"the package {self.package} is not installed; install it with "
                f"'pip install {self.requirement}'{self.wheels}"
            )

    @property
    def label(self) -> str:
        """Name and version, as reports state them."""
        self.require_installed()
        name = f"{self.package} {importlib.metadata.version(self.package)}"
        return f"{name} {self.resolver}" if self.resolver else name


TFLITE_REFERENCE = Runtime(
    "tflite-runtime",
    "tflite_runtime",
    "BUILTIN_REF",
    "tflite-runtime==2.14.0",
    sys.platform == "linux" and sys.version_info < (3, 12),
    ", which has wheels up to Python 3.11, or ask for another oracle",
)
# It has no other kernels than the reference ones. Its versions are made of every day's sources; the
# one after this multiplies the scales of a FULLY_CONNECTED otherwise (docs/numerics.md).
TFLITE_MICRO = Runtime(
    "tflite-micro",
    "tflite_micro",
    "",
    "tflite-micro==0.dev20261012203412",
    sys.platform == "linux" and platform.machine() == "x86_64",
    ", which has wheels for Linux on x86-64, or ask for another oracle",
)
LITERT_REFERENCE = Runtime("ai-edge-litert", "ai_edge_litert", "BUILTIN_REF", "ai-edge-litert")
# The first that is installed runs what any of them may.
REFERENCE_RUNTIMES = (TFLITE_REFERENCE, TFLITE_MICRO, LITERT_REFERENCE)


def reference_runtime() -> Runtime:
    """Choose what runs a whole int8 model: the reference kernels that most operators ask for.

    ``docs/numerics.md`` shows where runtimes differ, and ``tinyml/evaluate/oracle.py`` chooses for
    each operator.
    """
    return next(runtime for runtime in REFERENCE_RUNTIMES if runtime.is_installed)


def optimized(runtime: Runtime) -> Runtime:
    """Name the same runtime's fast kernels; TFLite Micro has none."""
    if runtime == TFLITE_MICRO:
        return runtime
    return replace(runtime, resolver="BUILTIN_WITHOUT_DEFAULT_DELEGATES")


# The runtimes of the kernels that operators name.
RUNTIMES = {
    Oracle.TFLITE_RUNTIME: TFLITE_REFERENCE,
    Oracle.TFLITE_RUNTIME_OPTIMIZED: optimized(TFLITE_REFERENCE),
    Oracle.TFLITE_MICRO: TFLITE_MICRO,
    Oracle.LITERT: LITERT_REFERENCE,
    Oracle.LITERT_OPTIMIZED: optimized(LITERT_REFERENCE),
}


def float_runtime(graph: Graph) -> Runtime:
    """Choose what runs a float graph: what tflite-runtime has wrong in int8 it has so in float."""
    packages = [{RUNTIMES[o].package for o in op.oracles_in(graph)} for op in operators(graph)]
    counts = all(TFLITE_REFERENCE.package in each for each in packages)
    return optimized(
        TFLITE_REFERENCE if counts and TFLITE_REFERENCE.is_installed else LITERT_REFERENCE
    )


def iterate_float(graph: Graph, model: bytes, samples: Sequence[Array]) -> Iterator[list[Array]]:
    """Yield what ``float_runtime`` makes of one sample after another, LiteRT where that fails.

    ``model`` is the .tflite of the graph, or of one that has more outputs.
    """
    done = 0
    try:
        for row in iterate_tflite(model, samples, float_runtime(graph)):
            yield row
            done += 1
    except RuntimeFailedError as failure:
        try:
            rows = iterate_tflite(model, samples, LITERT_REFERENCE)
            yield from itertools.islice(rows, done, None)
        except RuntimeFailedError:
            raise failure from None


@dataclass(frozen=True, slots=True)
class Stage:
    """A model among several: the values its inputs read, and those its first outputs become.

    Without names of outputs, all of them are values, named by number.
    """

    model: bytes
    runtime: Runtime
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Lets ``target`` be what ``source`` is."""

    source: str
    target: str


Step = Stage | Copy


def run_tflite(model: bytes, samples: Sequence[Array], runtime: Runtime) -> list[Array]:
    """Run every sample; inputs and outputs have samples along their first axis.

    ``samples`` holds one array per model input, (N, *input shape) with the input's own dtype; so
    do the results, (N, *output shape).
    """
    return stacked(iterate_tflite(model, samples, runtime))


def stacked(rows: Iterable[list[Array]]) -> list[Array]:
    """Put the samples of each output along a first axis."""
    return [np.stack(column) for column in zip(*rows, strict=True)]


def iterate_tflite(
    model: bytes, samples: Sequence[Array], runtime: Runtime
) -> Iterator[list[Array]]:
    """Yield the outputs of one sample after another; the arguments are those of run_tflite."""
    names = tuple(f"input {number}" for number in range(len(samples)))
    yield from iterate_steps([Stage(model, runtime, names)], dict(zip(names, samples, strict=True)))


def iterate_steps(
    steps: Sequence[Step],
    samples: Mapping[str, Array],
    outputs: Sequence[str] | None = None,
    values: Mapping[str, Array] | None = None,
) -> Iterator[list[Array]]:
    """Take one sample after another through all steps, and yield the values named as outputs.

    Without names these are the outputs of the last step. ``values`` are there from the start. All
    values stay for the next sample, and so does what the models themselves keep.

    Raises ToolchainError where a runtime is not installed, RuntimeFailedError where one refuses its
    model or crashes on it.
    """
    runtimes = {step.runtime: None for step in steps if isinstance(step, Stage)}
    for runtime in runtimes:
        runtime.require_installed()
    message = {
        "steps": [_described(step) for step in steps],
        "inputs": list(samples),
        "samples": list(samples.values()),
        "outputs": outputs,
        "values": values or {},
    }
    yield from _request(message, " or ".join(runtime.label for runtime in runtimes))


def _described(step: Step) -> dict[str, Any]:
    """Put a step in plain values, for the worker."""
    if isinstance(step, Copy):
        return asdict(step)
    return {
        "model": step.model,
        "runtime": step.runtime.package,
        "resolver": step.runtime.resolver,
        "label": step.runtime.label,
        "inputs": step.inputs,
        "outputs": step.outputs,
    }


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


def _request(message: dict[str, Any], runtimes: str) -> Iterator[list[Array]]:
    worker = _idle.pop() if _idle else _Worker()
    finished = False
    try:
        for kind, value in _exchange(worker.process, message):
            finished = kind in {"done", "error"}
            if kind == "error":
                raise RuntimeFailedError(value)
            if kind == "values":
                yield value
    except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
        raise RuntimeFailedError(f"{runtimes} crashed while it ran the model") from error
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
