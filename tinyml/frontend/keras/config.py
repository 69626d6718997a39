"""A Keras file before Keras loads it: who wrote it, and the configuration of its layers.

A ``.keras`` file is a zip archive with ``config.json``, a ``.h5`` file holds the same text as an
attribute. Versions of Keras 2 wrote HDF5 under either ending, so the first bytes decide.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml.errors import InputError
from tinyml.frontend.keras.refusals import ADVICE, said_by

# What a device computes is quantized from float32, whatever a graphics card was to compute with.
OTHER_FLOATS = {"mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"}
SUFFIXES = {"zip": ".keras", "hdf5": ".h5"}


@dataclass(frozen=True, slots=True)
class KerasFile:
    """``kind`` is "zip" or "hdf5"; ``version`` is that of the Keras that wrote it, "" if unsaid."""

    path: Path
    kind: str
    version: str
    config: Mapping[str, Any]

    @property
    def is_of_keras_2(self) -> bool:
        """Whether Keras 3 would misread it; early files do not say who wrote them."""
        return self.version.partition(".")[0] in {"", "0", "1", "2"}


@dataclass(frozen=True, slots=True)
class LayerConfig:
    """A layer as the file has it: ``kind`` is the name of its class."""

    kind: str
    name: str
    config: Mapping[str, Any]

    @property
    def is_quantized(self) -> bool:
        """Whether its policy, written out or as 'int8_from_float32', is one of Keras's own."""
        policy = json.dumps(self.config.get("dtype"))
        return any(mark in policy for mark in ("Quantized", "GPTQ", "AWQ", "_from_"))


def read_config(path: Path) -> KerasFile:
    """Read what the file says of its model; InputError where it is damaged or holds none."""
    try:
        return _read_zip(path) if zipfile.is_zipfile(path) else _read_hdf5(path)
    except InputError:
        raise
    except Exception as error:  # a damaged file makes the libraries raise what they please
        raise said_by(
            error, InputError(f"{path} cannot be loaded, it is damaged: copy it again, or {ADVICE}")
        ) from error


def _read_zip(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        if "config.json" not in archive.namelist():
            raise InputError(
                f"{path} is a zip archive without config.json, a Keras model holds one: {ADVICE}"
            )
        config = json.loads(archive.read("config.json"))
        has_metadata = "metadata.json" in archive.namelist()
        metadata = json.loads(archive.read("metadata.json")) if has_metadata else {}
    return KerasFile(path, "zip", str(metadata.get("keras_version", "3")), config)


def _read_hdf5(path: Path) -> KerasFile:
    import h5py

    with h5py.File(path, "r") as file:
        config, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "")
        if config is None:
            raise InputError(
                f"{path} holds weights without the model they belong to, expected both: load them "
                "into the model where its code is and save the whole with model.save('model.keras')"
            )
        return KerasFile(path, "hdf5", _text(version), json.loads(_text(config)))


def _text(value: Any) -> str:
    """An attribute's text, which older versions of h5py wrote as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def layer_configs(config: Any) -> Iterator[LayerConfig]:
    """Every layer and operation of a model, those inside wrappers and inner models included."""
    if isinstance(config, Mapping):
        inner = config.get("config")
        if "class_name" in config and isinstance(inner, Mapping) and "name" in inner:
            yield LayerConfig(str(config["class_name"]), str(inner["name"]), inner)
        config = list(config.values())
    if isinstance(config, list):
        for item in config:
            yield from layer_configs(item)


def custom_parts(config: Any) -> dict[str, str]:
    """Layer to what it is or takes that somebody registered beside Keras, as 'Package>name'."""
    parts: dict[str, str] = {}
    for layer in layer_configs(config):
        marks = re.findall(r'"\w+>(\w+)"', json.dumps([layer.kind, layer.config]))
        if marks and "layers" not in layer.config:
            parts[layer.name] = marks[0]
    return parts


def in_float32(config: Any) -> Any:
    """The configuration with every float of another size, and every policy of one, made float32."""
    if isinstance(config, list):
        return [in_float32(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    keys = {"dtype", "source_name"}
    if "Policy" in str(config.get("class_name")) and isinstance(config.get("config"), Mapping):
        return {**config, "config": _replaced(config["config"], {*keys, "name"})}
    return _replaced(config, keys)


def _replaced(config: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    def value_of(key: str, value: Any) -> Any:
        is_float = isinstance(value, str) and value in OTHER_FLOATS
        return "float32" if key in keys and is_float else in_float32(value)

    return {key: value_of(key, value) for key, value in config.items()}


def with_config(file: KerasFile, config: Mapping[str, Any], folder: Path) -> Path:
    """Write the file's weights with ``config`` into ``folder``, under the ending Keras expects."""
    target = folder / f"model{SUFFIXES[file.kind]}"
    if file.kind == "zip":
        with zipfile.ZipFile(file.path) as source, zipfile.ZipFile(target, "w") as result:
            for item in source.infolist():
                is_config = item.filename == "config.json"
                result.writestr(item, json.dumps(config) if is_config else source.read(item))
        return target
    import h5py

    shutil.copyfile(file.path, target)
    with h5py.File(target, "r+") as copy:
        copy.attrs["model_config"] = json.dumps(config)
    return target
