"""What is said of a Keras model that cannot be converted: in our words, with a way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tinyml.errors import InputError, ModelError, TinymlError, ToolchainError, shortened

ADVICE = "save the model with model.save('model.keras') of Keras 3, or convert it to .tflite"
DETAILS = "'tinyml --debug ...' shows what it said"
# More names than these say no more.
NAMED = 4


def said_by(library: Exception | str, error: TinymlError) -> TinymlError:
    """``error`` with the words of a library beside it, which '--debug' alone shows."""
    error.add_note(library if isinstance(library, str) else f"{type(library).__name__}: {library}")
    return error


def listed(names: Iterable[str]) -> str:
    """Names in quotes, the first few of many."""
    return shortened([f"'{name}'" for name in dict.fromkeys(names)], NAMED)


def lambda_refusal(path: Path, names: Sequence[str]) -> InputError:
    """A file's Python code: unknown until it is run, and then it may do anything."""
    return InputError(
        f"{path} holds a Lambda layer ({listed(names)}), whose code cannot be trusted: "
        "use a layer of Keras in its place, or convert the model to .tflite"
    )


def quantized_refusal(path: Path, names: Sequence[str]) -> ModelError:
    """Keras finds the scale of each input anew at every call."""
    return ModelError(
        f"{path} was quantized by Keras (layers {listed(names)}), whose integers are not those of "
        "a device: give the model as it was before model.quantize()"
    )


def mask_refusal(path: Path, names: Sequence[str]) -> ModelError:
    """Which steps are left out depends on their values, before these are quantized."""
    return ModelError(
        f"{path} leaves out steps that are masked (layers {listed(names)}), and a device computes "
        "all steps: give sequences of one length to a model without Masking and mask_zero"
    )


def stateful_refusal(path: Path, names: Sequence[str]) -> ModelError:
    """Float state is not calibrated."""
    return ModelError(
        f"{path} keeps state between calls (layers {listed(names)} with stateful=True), which "
        "cannot be quantized here: save it with stateful=False, to take a whole sequence at a call"
    )


def tf_keras_refusal(path: Path, writer: str) -> ToolchainError:
    """Some files of Keras 2 are read by Keras 3, this one is not."""
    return ToolchainError(
        f"{path} was written by {writer or 'an early Keras'} and reading it needs tf_keras, which "
        "is not installed: run pip install 'tinyml[keras]'"
    )


def custom_refusal(path: Path, custom: str, names: Sequence[str]) -> InputError:
    """A layer, function or model that only its author's code defines."""
    places = f" (layers {listed(names)})" if names else ""
    return InputError(
        f"{path} holds {custom!r}{places}, which is no part of Keras and whose code is not in the "
        "file: use layers of Keras, or convert the model to .tflite where its code is"
    )


def batch_refusal(path: Path, batch: int) -> ModelError:
    """The batch is written into a layer behind the input, as in a Reshape."""
    return ModelError(
        f"{path} computes batches of {batch} samples alone, expected one sample at a time: make it "
        "with an open batch, or with batch 1, and save it again"
    )


def why_not_loaded(
    path: Path, error: Exception, kinds: Mapping[str, str], reader: str, writer: str = ""
) -> TinymlError:
    """What Keras's or TensorFlow's ``error`` means; ``kinds`` are layers' names and classes.

    ``reader`` is who loads the model and ``writer`` who wrote it, with their versions.
    """
    text = str(error)
    if custom := re.search(
        r"(?:Could not locate \w+|Unknown [a-z ]+:) ['\"]?(?:\w+>)?(\w+)['\"]?", text
    ):
        names = [name for name, kind in kinds.items() if kind.rpartition(">")[2] == custom[1]]
        return custom_refusal(path, custom[1], names)
    if "lambda" in text.lower():
        return lambda_refusal(path, [name for name, kind in kinds.items() if kind == "Lambda"])
    by = f" ({writer} wrote it)" if writer else ""
    message = f"{path} cannot be loaded by {reader}{by}: {ADVICE}; {DETAILS}"
    return said_by(error, InputError(message))


def why_not_converted(path: Path, error: Exception, kinds: Mapping[str, str]) -> TinymlError:
    """Name the layers the converter's ``error`` points at, by the operators' full names in it."""
    parts = set(re.split(r'[/":;@ ]', str(error)))
    plain = {re.sub(r"_\d+$", "", part) for part in parts} | parts
    names = [f"{name} ({kind})" for name, kind in kinds.items() if name in plain]
    where = f" because of {listed(names)}" if names else ""
    way_out = "use other layers there" if names else "leave out layers to find which it is"
    return said_by(
        error,
        ModelError(f"TensorFlow's converter rejects {path}{where}: {way_out}; {DETAILS}"),
    )
