"""The process that holds TFLite runtimes: pickled requests on stdin, pickled replies on stdout.

It is a process of its own because tflite-runtime crashes beside an imported TensorFlow, and
because a runtime that crashes on a bad model must not take the caller with it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

# Bytes of arena to try a model of TFLite Micro with, one after the other: what it needs, it says
# only by failing. Pages that it does not touch cost nothing.
ARENAS = (1 << 22, 1 << 26, 1 << 30)


class TfliteInterpreter:
    """A model on TFLite's interpreter, tflite-runtime's or LiteRT's."""

    def __init__(self, stage: dict[str, Any]) -> None:
        if stage["runtime"] == "tflite-runtime":
            from tflite_runtime import interpreter as module
        else:
            from ai_edge_litert import interpreter as module
        self.interpreter = module.Interpreter(
            model_content=stage["model"],
            experimental_op_resolver_type=module.OpResolverType[stage["resolver"]],
            num_threads=1,
        )
        self.interpreter.allocate_tensors()
        self.sources = [detail["index"] for detail in self.interpreter.get_input_details()]
        self.results = [detail["index"] for detail in self.interpreter.get_output_details()]
        self.outputs = len(self.results)

    def run(self, inputs: list[Any], count: int) -> list[Any]:
        """Run once, and copy the first ``count`` outputs."""
        for index, value in zip(self.sources, inputs, strict=True):
            self.interpreter.set_tensor(index, value)
        self.interpreter.invoke()
        return [np.array(self.interpreter.get_tensor(index)) for index in self.results[:count]]


class MicroInterpreter:
    """A model on TFLite Micro's interpreter."""

    def __init__(self, stage: dict[str, Any]) -> None:
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

        self.interpreter = self._make(stage["model"])
        self.outputs = schema.Model.GetRootAs(stage["model"]).Subgraphs(0).OutputsLength()

    @staticmethod
    def _make(model: bytes) -> Any:
        from tflite_micro.python.tflite_micro import runtime

        with tempfile.TemporaryFile() as said, _stderr_to(said.fileno()):
            for size in ARENAS:
                with contextlib.suppress(RuntimeError):
                    return runtime.Interpreter.from_bytes(model, arena_size=size)
            said.seek(0)
            lines = said.read().decode(errors="replace").split("\n")
        raise RuntimeError(next((line for line in reversed(lines) if line.strip()), "no reason"))

    def run(self, inputs: list[Any], count: int) -> list[Any]:
        """Run once, and copy the first ``count`` outputs."""
        for index, value in enumerate(inputs):
            self.interpreter.set_input(value, index)
        self.interpreter.invoke()
        return [np.array(self.interpreter.get_output(index)) for index in range(count)]


@contextmanager
def _stderr_to(descriptor: int) -> Iterator[None]:
    """Let C code write its messages there."""
    before = os.dup(2)
    os.dup2(descriptor, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


class Stage:
    """A model that reads named values and writes others; without names, all its outputs."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.label, self.inputs = request["label"], request["inputs"]
        make = MicroInterpreter if request["runtime"] == "tflite-micro" else TfliteInterpreter
        with self._refusing():
            self.interpreter = make(request)
        given = request["outputs"]
        self.outputs = range(self.interpreter.outputs) if given is None else given

    def run(self, values: dict[Any, Any]) -> None:
        """Run once."""
        with self._refusing():
            inputs = [values[name] for name in self.inputs]
            results = self.interpreter.run(inputs, len(self.outputs))
        values.update(zip(self.outputs, results, strict=True))

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise RuntimeError(f"{self.label} refuses the model: {error}") from error


class Copy:
    """Gives a value another name: what a state holds, or is to hold."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.source, self.outputs = request["source"], [request["target"]]

    def run(self, values: dict[Any, Any]) -> None:
        """Leave the source as it is."""
        values.update(dict.fromkeys(self.outputs, values[self.source]))


def serve(request: dict[str, Any], replies: BinaryIO) -> None:
    """Take one sample after another through all steps, and reply with the outputs.

    Interpreters and values stay from one sample to the next, and with them the model's state.
    """
    steps = [Copy(step) if "source" in step else Stage(step) for step in request["steps"]]
    values = dict(request["values"])
    outputs = steps[-1].outputs if request["outputs"] is None else request["outputs"]
    for sample in zip(*request["samples"], strict=True):
        values.update(zip(request["inputs"], sample, strict=True))
        for step in steps:
            step.run(values)
        pickle.dump(("values", [values[name] for name in outputs]), replies)
    pickle.dump(("done", None), replies)
    replies.flush()


def main() -> None:
    """Serve until the caller closes stdin."""
    # Runtimes print to stdout and stderr as they please; replies get a descriptor of their own.
    replies = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own parent wrote it
        except EOFError:
            return
        try:
            serve(request, replies)
        except Exception as error:  # the caller decides what it means
            pickle.dump(("error", str(error)), replies)
            replies.flush()


if __name__ == "__main__":
    main()
