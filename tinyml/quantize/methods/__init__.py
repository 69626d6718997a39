"""What makes a float graph lose less when it is quantized, one method a file."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from tinyml.errors import InputError
from tinyml.quantize.method import Method


@cache
def all_methods() -> Mapping[str, Method]:
    """Every file's ``METHOD`` by the file's name, with hyphens, in the order of application."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found = {
        name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").METHOD
        for name in names
    }
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: item[1].rank)))


def check_methods(names: Iterable[str]) -> None:
    """Raise InputError for a name that no method has."""
    for name in names:
        if name not in all_methods():
            nearest = difflib.get_close_matches(name, all_methods(), n=1)
            hint = f"did you mean '{nearest[0]}'? " if nearest else ""
            raise InputError(
                f"there is no method '{name}': {hint}Known methods are {', '.join(all_methods())}"
            )
