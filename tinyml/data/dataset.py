"""Samples from .npz and .npy files, checked against a model's inputs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tinyml.data.mapped import blocks, map_member
from tinyml.errors import InputError
from tinyml.files import StrPath, as_path
from tinyml.ir.graph import Array, DType, Graph, Shape, Tensor
from tinyml.numerics.affine import dequantize, quantize

NPY_SIGNATURE = b"\x93NUMPY"
ZIP_SIGNATURE = b"PK\x03\x04"
EMPTY_ZIP_SIGNATURE = b"PK\x05\x06"
# From an int8 code to the uint8 one of the same number.
UINT8_OFFSET = 128


@dataclass(frozen=True, slots=True, init=False)
class Dataset:
    """Samples, one array (N, *sample shape) per model input, and labels (N,) where there are.

    ``metric`` names how outputs are judged by the labels.
    """

    samples: tuple[Array, ...]
    labels: Array | None
    metric: str

    def __init__(
        self,
        samples: Array | Sequence[Array],
        labels: Array | Sequence[int] | None = None,
        metric: str = "accuracy",
    ) -> None:
        """Take one array per input; of a model with one input the array itself will do."""
        object.__setattr__(self, "samples", _one_per_input(samples))
        object.__setattr__(self, "labels", None if labels is None else np.asarray(labels))
        object.__setattr__(self, "metric", metric)

    def __len__(self) -> int:
        return len(self.samples[0])


def read_dataset(path: StrPath, inputs: Graph | Sequence[Tensor]) -> Dataset:
    """Read an .npz (``x`` or one array per input name, and ``y`` for labels) or an .npy.

    ``inputs`` is the model that the data are for, or its inputs.

    Text named ``metric`` says how outputs are judged by the labels.

    Raises InputError where the file cannot be read, an array is missing, has the wrong shape or
    dtype, or holds what is not finite in float32.
    """
    path, inputs = as_path(path), inputs_of(inputs)
    arrays = _read_arrays(path)
    samples = tuple(_input_array(path, arrays, tensor, len(inputs)) for tensor in inputs)
    counts = {len(array) for array in samples}
    if len(counts) != 1:
        raise InputError(
            f"'{path}' has {sorted(counts)} samples for different inputs, expected one count"
        )
    labels = arrays.get("y")
    if labels is not None:
        labels = _check_labels(f"array 'y' of '{path}'", labels, len(samples[0]))
    metric = arrays.get("metric")
    if metric is None or metric.dtype.kind != "U" or metric.shape:  # perhaps an input of the model
        return Dataset(samples, labels)
    return Dataset(samples, labels, str(metric))


def drawn_samples(data: Dataset, most: int, seed: int = 0) -> Dataset:
    """At most ``most`` of the samples with their labels, drawn by ``seed`` and in their order."""
    if len(data) <= most:
        return data
    chosen = np.sort(np.random.default_rng(seed).choice(len(data), most, replace=False))
    labels = None if data.labels is None else data.labels[chosen]
    return replace(data, samples=tuple(array[chosen] for array in data.samples), labels=labels)


def inputs_of(model: Graph | Sequence[Tensor]) -> Sequence[Tensor]:
    """The inputs of a graph, in its order."""
    return [model.tensor(name) for name in model.inputs] if isinstance(model, Graph) else model


def check_dataset(data: Dataset, inputs: Sequence[Tensor]) -> Dataset:
    """Hold data that a program made to what ``read_dataset`` asks of a file."""
    samples = check_samples(data.samples, inputs)
    if data.labels is None:
        return replace(data, samples=samples)
    labels = _check_labels("the array of labels", data.labels, len(samples[0]))
    return replace(data, samples=samples, labels=labels)


def check_samples(samples: Array | Sequence[Array], inputs: Sequence[Tensor]) -> tuple[Array, ...]:
    """Hold samples that a program gives to what ``read_dataset`` asks of a file.

    ``samples`` is an array (N, *sample shape) per input, each with or without the batch of 1; of a
    model with one input the array itself. Raises InputError where one has the wrong shape or dtype,
    or holds what is not finite in float32.
    """
    arrays = _one_per_input(samples)
    names = ", ".join(f"'{plain_name(tensor.name)}'" for tensor in inputs)
    if len(arrays) != len(inputs):
        raise InputError(
            f"there are samples for {len(arrays)} inputs, expected one array for each of {names}"
        )
    for array, tensor in zip(arrays, inputs, strict=True):
        _check_samples(f"the array of samples for '{plain_name(tensor.name)}'", array, tensor)
    counts = sorted({len(array) for array in arrays})
    if len(counts) > 1:
        raise InputError(f"there are {counts} samples for the inputs {names}, expected one count")
    return arrays


def _one_per_input(samples: Array | Sequence[Array]) -> tuple[Array, ...]:
    arrays = (samples,) if isinstance(samples, np.ndarray) else samples
    if isinstance(arrays, list | tuple) and all(isinstance(a, np.ndarray) for a in arrays):
        return tuple(arrays)
    raise InputError(
        f"samples are of type {type(samples).__name__}, expected a numpy array, or a list of one "
        "for each input"
    )


def sample_shape(tensor: Tensor) -> Shape:
    """Shape of one sample of an input: without the leading batch of 1, where there is one."""
    return tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape


def quantize_samples(samples: Sequence[Array], inputs: Sequence[Tensor]) -> list[Array]:
    """Samples (N, *input shape) as the device takes them.

    What has the input's dtype is taken raw, and so is uint8 where the model's file declares that;
    the rest are real numbers, quantized with the input's parameters, or integers where it has none.
    Raises InputError where an integer input gets numbers that it does not hold.
    """
    return [
        _quantize_input(array, tensor).reshape(len(array), *tensor.shape)
        for array, tensor in zip(samples, inputs, strict=True)
    ]


def real_samples(samples: Sequence[Array], inputs: Sequence[Tensor]) -> list[Array]:
    """Real numbers behind samples of an int8 model: raw ones are dequantized, floats stay."""
    return [
        dequantize(_quantize_input(array, tensor), tensor.quant)
        if tensor.quant is not None and is_raw(array, tensor)
        else array
        for array, tensor in zip(samples, inputs, strict=True)
    ]


def float_samples(samples: Sequence[Array], inputs: Sequence[Tensor]) -> list[Array]:
    """Samples (N, *input shape) as a float model takes them: float32, or an integer input's dtype.

    Raises InputError where an integer input gets numbers that it does not hold.
    """
    return [
        _as_declared(array, tensor).reshape(len(array), *tensor.shape)
        for array, tensor in zip(samples, inputs, strict=True)
    ]


def is_raw(array: Array, tensor: Tensor) -> bool:
    """Whether these are the integers of the input, and no real numbers."""
    return array.dtype == tensor.dtype.numpy or (tensor.unsigned and array.dtype == np.uint8)


def _quantize_input(array: Array, tensor: Tensor) -> Array:
    if tensor.quant is None:
        return _as_declared(array, tensor)
    if array.dtype == tensor.dtype.numpy:
        return array
    if is_raw(array, tensor):
        return (array ^ np.uint8(UINT8_OFFSET)).view(np.int8)
    if tensor.dtype is DType.FLOAT32:
        return array.astype(np.float32)
    return quantize(array.astype(np.float32), tensor.quant, tensor.dtype)


def _as_declared(array: Array, tensor: Tensor) -> Array:
    """Give the array in the dtype of an input without scale."""
    _check_integers(f"the data of input '{plain_name(tensor.name)}'", array, tensor)
    return array.astype(tensor.dtype.numpy)


def _read_arrays(path: Path) -> Mapping[str, Array]:
    if not path.is_file():
        raise InputError(f"there is no file '{path}'; give an .npz or .npy file of samples")
    try:
        # numpy leaves a file open that it fails on.
        with path.open("rb") as file:
            return _load(path, file)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"'{path}' cannot be read as .npz or .npy ({error}); write it with numpy.savez or "
            "numpy.save, without Python objects"
        ) from error


def _load(path: Path, file: BinaryIO) -> Mapping[str, Array]:
    # Everything else numpy takes for a pickle, and says so.
    if not file.read(6).startswith((NPY_SIGNATURE, ZIP_SIGNATURE, EMPTY_ZIP_SIGNATURE)):
        raise InputError(
            f"'{path}' is no .npz or .npy file by its first bytes; write it with numpy.savez or "
            "numpy.save"
        )
    file.seek(0)
    loaded = np.load(file, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return {"x": loaded}
    with loaded:
        return {name: _member(path, loaded, name) for name in loaded.files}


def _member(path: Path, archive: Any, name: str) -> Array:
    """Read an array of an .npz, or leave it in the file where it is large."""
    stored = f"{name}.npy"
    is_stored = stored in archive.zip.namelist()
    mapped = map_member(path, archive.zip.getinfo(stored)) if is_stored else None
    return np.asarray(archive[name]) if mapped is None else mapped


def _input_array(path: Path, arrays: Mapping[str, Array], tensor: Tensor, inputs: int) -> Array:
    keys = [tensor.name, plain_name(tensor.name), *(["x"] if inputs == 1 else [])]
    key = next((key for key in keys if key in arrays), None)
    if key is None:
        raise InputError(
            f"'{path}' has no array '{keys[-1]}' for input '{tensor.name}', "
            f"got {', '.join(map(repr, arrays)) or 'none'}; save it under that name"
        )
    _check_samples(f"array '{key}' of '{path}'", arrays[key], tensor)
    return arrays[key]


def plain_name(name: str) -> str:
    """Name a Keras input had before the converter decorated it."""
    return name.removeprefix("serving_default_").removesuffix(":0")


def _check_samples(where: str, array: Array, tensor: Tensor) -> None:
    expected = sample_shape(tensor)
    accepted = {expected, tensor.shape}
    if array.ndim == 0 or array.shape[1:] not in accepted:
        shown = ", ".join(map(str, ("N", *expected)))
        raise InputError(
            f"{where} has shape {array.shape}, expected ({shown}) for input '{tensor.name}'; "
            "samples go along the first axis"
        )
    if len(array) == 0:
        raise InputError(f"{where} holds no samples, expected at least one")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{where} has dtype {array.dtype}, expected numbers")
    if array.dtype.kind == "f":
        _check_finite(where, array)
    if tensor.quant is None:
        _check_integers(where, array, tensor)


def _check_integers(where: str, array: Array, tensor: Tensor) -> None:
    """Hold the data of an integer input to whole numbers that its dtype has."""
    if tensor.dtype is DType.FLOAT32 or array.dtype == tensor.dtype.numpy:
        return
    low, high = _limits(tensor.dtype)
    bad = (array < low) | (array > high) | (array != np.trunc(array))
    if bad.any():
        place = tuple(int(index) for index in np.argwhere(bad)[0])
        raise InputError(
            f"{where} holds {array[place]} in sample {place[0]} and reaches from {array.min()} to "
            f"{array.max()}, expected whole numbers from {low} to {high} for input "
            f"'{tensor.name}', which is {tensor.dtype.value}"
        )


def _limits(dtype: DType) -> tuple[int, int]:
    if dtype is DType.BOOL:
        return 0, 1
    limits = np.iinfo(dtype.value)
    return int(limits.min), int(limits.max)


def _check_finite(where: str, array: Array) -> None:
    first, count = None, 0
    for start, block in blocks(array):
        with np.errstate(over="ignore"):  # what overflows float32 is infinite, and found just so
            bad = ~np.isfinite(block.astype(np.float32))
        if bad.any():
            place = tuple(int(index) for index in np.argwhere(bad)[0])
            first = first or (start + place[0], *place[1:])
            count += int(bad.reshape(len(block), -1).any(axis=1).sum())
    if first is not None:
        raise InputError(
            f"{where} holds {array[first]} in sample {first[0]} (bad samples: {count} of "
            f"{len(array)}), expected finite float32 values; mend those samples or leave them out"
        )


def _check_labels(where: str, labels: Array, count: int) -> Array:
    flat = labels.reshape(-1) if labels.shape == (count, 1) else labels
    if flat.shape != (count,) or flat.dtype.kind not in "iub":
        raise InputError(
            f"{where} is {labels.dtype} {labels.shape}, expected one integer class "
            f"for each of {count} samples; of one-hot labels take y.argmax(axis=1)"
        )
    return flat
