"""Finds every operator file of this folder, by TFLite's operator names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tinyml.ops.base import Operator


@cache
def operators_by_opcode() -> Mapping[str, type[Operator]]:
    """TFLite operator name to the class that implements it."""
    found: dict[str, type[Operator]] = {}
    for module_info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        module = importlib.import_module(f"tinyml.ops.{module_info.name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Operator) and cls.__module__ == module.__name__:
                found.update(dict.fromkeys(getattr(cls, "opcodes", ()), cls))
    return MappingProxyType(found)
