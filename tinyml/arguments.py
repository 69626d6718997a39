"""Arguments of a public function of another type than it takes, said in one sentence."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import numbers
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from tinyml.errors import InputError

LONGEST_SHOWN = 40
# Numbers of numpy are no subclasses of Python's: functions compute with either.
NUMBERS: Mapping[type, tuple[type, str]] = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
}


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``function`` with its arguments held to its annotations: classes, choices, callables.

    What is generic otherwise, as arrays and paths are, the function looks at itself.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        hints = _hints(function)
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            expected = [_unmet(hint, value) for hint in _alternatives(hints[name])]
            if all(expected):
                raise InputError(
                    f"tinyml.{function.__name__} got {_shown(value)} as '{name}', expected "
                    f"{' or '.join(filter(None, expected))}"
                )
        return function(*args, **kwargs)

    return call


@functools.cache
def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Annotations as what they name: looked up at the first call, for it takes imports."""
    return typing.get_type_hints(function)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    return typing.get_args(hint) if is_union else (hint,)


def _unmet(hint: Any, value: object) -> str | None:
    """What was expected in place of ``value``; None where it will do or cannot be told."""
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        return None if value in choices else " or ".join(map(repr, choices))
    if hint is Any:
        return None
    if typing.get_origin(hint) is collections.abc.Callable:
        return None if callable(value) else "what can be called"
    if not isinstance(hint, type) or typing.get_origin(hint):
        return None
    cls, shown = NUMBERS.get(hint, (hint, "None" if hint is types.NoneType else hint.__name__))
    return None if isinstance(value, cls) else shown


def _shown(value: object) -> str:
    """The value where that is short, else its type."""
    text = repr(value)
    return text if len(text) < LONGEST_SHOWN else f"something of type {type(value).__name__}"
