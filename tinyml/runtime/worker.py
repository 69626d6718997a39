"""The process that holds a TFLite runtime: pickled requests on stdin, pickled replies on stdout.

It is a process of its own because tflite-runtime crashes beside an imported TensorFlow, and
because a runtime that crashes on a bad model must not take the caller with it.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any, BinaryIO

import numpy as np


def make_interpreter(request: dict[str, Any]) -> Any:
    """Make an interpreter of the runtime asked for."""
    if request["runtime"] == "tflite-runtime":
        from tflite_runtime import interpreter as module
    else:
        from ai_edge_litert import interpreter as module
    made = module.Interpreter(
        model_content=request["model"],
        experimental_op_resolver_type=module.OpResolverType[request["resolver"]],
        num_threads=1,
    )
    made.allocate_tensors()
    return made


def serve(request: dict[str, Any], replies: BinaryIO) -> None:
    """Reply with the outputs of one sample after another."""
    interpreter = make_interpreter(request)
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    outputs = [detail["index"] for detail in interpreter.get_output_details()][: request["first"]]
    for sample in zip(*request["samples"], strict=True):
        for index, value in zip(inputs, sample, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        values = [np.array(interpreter.get_tensor(index)) for index in outputs]
        pickle.dump(("values", values), replies)
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
