"""Finds every operator file of the folder above, by TFLite's and by ONNX's operator names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tinyml.ops.contract.operator import Operator


@cache
def operators_by_opcode() -> Mapping[str, type[Operator]]:
    """TFLite operator name to the class that implements it."""
    found: dict[str, type[Operator]] = {}
    for cls in operator_classes():
        found.update(dict.fromkeys(cls.opcodes, cls))
    return MappingProxyType(found)


@cache
def operators_by_onnx_type() -> Mapping[str, tuple[type[Operator], ...]]:
    """ONNX operator name to the classes that implement a variant of it."""
    found: dict[str, tuple[type[Operator], ...]] = {}
    for cls in operator_classes():
        for op_type in cls.onnx_types:
            found[op_type] = (*found.get(op_type, ()), cls)
    return MappingProxyType(found)


@cache
def operator_classes() -> tuple[type[Operator], ...]:
    """All of them, by the name of the first operator they implement."""
    return tuple(sorted(_operator_classes(), key=lambda cls: cls.opcodes[0]))


def _operator_classes() -> Iterator[type[Operator]]:
    for module_info in pkgutil.iter_modules([str(Path(__file__).parents[1])]):
        if module_info.ispkg:
            continue
        module = importlib.import_module(f"tinyml.ops.{module_info.name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if not issubclass(cls, Operator) or cls.__module__ != module.__name__:
                continue
            if hasattr(cls, "opcodes"):
                yield cls
