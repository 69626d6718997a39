"""The process that holds TFLite runtimes: pickled requests on stdin, pickled replies on stdout.

It is a process of its own because tflite-runtime crashes beside an imported TensorFlow, and
because a runtime that crashes on a bad model must not take the caller with it.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np


def make_interpreter(stage: dict[str, Any]) -> Any:
    """Make an interpreter of the runtime asked for."""
    if stage["runtime"] == "tflite-runtime":
        from tflite_runtime import interpreter as module
    else:
        from ai_edge_litert import interpreter as module
    made = module.Interpreter(
        model_content=stage["model"],
        experimental_op_resolver_type=module.OpResolverType[stage["resolver"]],
        num_threads=1,
    )
    made.allocate_tensors()
    return made


class Stage:
    """A model that reads named values and writes others; without names, all its outputs."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.label, self.inputs = request["label"], request["inputs"]
        with self._refusing():
            self.interpreter = make_interpreter(request)
        self.sources = [detail["index"] for detail in self.interpreter.get_input_details()]
        results = [detail["index"] for detail in self.interpreter.get_output_details()]
        self.outputs = range(len(results)) if request["outputs"] is None else request["outputs"]
        self.results = results[: len(self.outputs)]

    def run(self, values: dict[Any, Any]) -> None:
        """Run once."""
        with self._refusing():
            for index, name in zip(self.sources, self.inputs, strict=True):
                self.interpreter.set_tensor(index, values[name])
            self.interpreter.invoke()
        for index, name in zip(self.results, self.outputs, strict=True):
            values[name] = np.array(self.interpreter.get_tensor(index))

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
