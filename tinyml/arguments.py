"""Arguments of a public function of another type than it takes, said in one sentence."""

from __future__ import annotations

import functools
import inspect
import numbers
import types
import typing
from collections.abc import Callable
from typing import Any

from tinyml.errors import InputError


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``function`` with its arguments held to its annotations, where those are plain classes.

    What is generic, as arrays and paths are, the function looks at itself.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            _check(function, name, value)
        return function(*args, **kwargs)

    return call


def _check(function: Callable[..., Any], name: str, value: object) -> None:
    accepted = _classes(function).get(name)
    if accepted is None or isinstance(value, accepted):
        return
    expected = " or ".join(cls.__name__ for cls in accepted if cls is not types.NoneType)
    raise InputError(
        f"tinyml.{function.__name__} got {_shown(value)} as '{name}', expected {expected}"
    )


def _shown(value: object) -> str:
    """The value where that is short, else its type."""
    text = repr(value)
    return text if len(text) < 40 else f"something of type {type(value).__name__}"


@functools.cache
def _classes(function: Callable[..., Any]) -> dict[str, tuple[type, ...]]:
    """Parameters that are of one class or one of several, and those."""
    hints = typing.get_type_hints(function).items()
    found = {name: _alternatives(hint) for name, hint in hints if name != "return"}
    return {name: tuple(map(_tolerant, c)) for name, c in found.items() if _are_classes(c)}


def _alternatives(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    return typing.get_args(hint) if is_union else (hint,)


def _are_classes(alternatives: tuple[Any, ...]) -> bool:
    return all(isinstance(each, type) and not typing.get_origin(each) for each in alternatives)


def _tolerant(cls: type) -> type:
    """Numbers of numpy are no subclasses of Python's: functions compute with either."""
    return {int: numbers.Integral, float: numbers.Real}.get(cls, cls)
