"""TOML files, and what is wrong with one that msgspec refuses, in a sentence of ours.

The library says which place it stumbled over. What belongs there follows from the declared types,
and what stands there from the file itself.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

_PLACE = re.compile(r" - at `\$([\w.\[\]]*)`$")
_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(.*)`")


class MalformedError(Exception):
    """What is wrong with a file, without its name and without advice."""


def read_toml(file: Path, expected: str) -> dict[str, Any]:
    """Content of a file. Raises MalformedError where it is no TOML; ``expected`` says what is."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MalformedError(f"it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise MalformedError(f"byte {error.start} is no UTF-8, expected TOML text") from error
    except tomllib.TOMLDecodeError as error:
        raise MalformedError(f"it is no TOML ({error}), expected {expected}") from error


def explain(error: msgspec.ValidationError, content: dict[str, Any], root: type) -> str:
    """Say which key of ``content`` does not fit the struct ``root``, what fits, and what is there.

    ``error`` is what ``msgspec.convert(content, root)`` raised.
    """
    place = _PLACE.search(str(error))
    parts = re.findall(r"\w+", place[1]) if place else []
    kind, value = _at(parts, inspect.type_info(root), content)
    key = _key(parts)
    field = _FIELD.fullmatch(_PLACE.sub("", str(error)))
    if field is None or not isinstance(kind, inspect.StructType):
        return f"key '{key}' is {_shown(value)}, expected {_expected(kind)}"
    types = {known.encode_name: known.type for known in kind.fields}
    name, full = field[1], _key([*parts, field[1]])
    if name in types:
        return f"key '{full}' is missing, expected {_expected(types[name])}"
    nearest = difflib.get_close_matches(name, types, n=1)
    hint = f"did you mean '{nearest[0]}'? " if nearest else ""
    return f"key '{full}' is unknown: {hint}Known keys there are {', '.join(types)}"


def _at(parts: list[str], kind: inspect.Type, value: Any) -> tuple[inspect.Type, Any]:
    """The declared type and the value at the end of a path of keys and indices."""
    kind = _present(kind)
    for part in parts:
        if isinstance(kind, inspect.StructType):
            kind = next(field.type for field in kind.fields if field.encode_name == part)
            value = value[part]
        elif isinstance(kind, inspect.VarTupleType):
            kind, value = kind.item_type, value[int(part)]
        kind = _present(kind)
    return kind, value


def _present(kind: inspect.Type) -> inspect.Type:
    """The type without None, which stands for a key that is left out."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    return next(each for each in kind.types if not isinstance(each, inspect.NoneType))


def _key(parts: list[str]) -> str:
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).lstrip(".")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, dict) else repr(value)


def _expected(kind: inspect.Type) -> str:
    kind = _present(kind)
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(map(str, kind.values))}"
    if isinstance(kind, inspect.EnumType):
        return f"one of {', '.join(str(each.value) for each in kind.cls)}"
    if isinstance(kind, inspect.StructType):
        return f"a table of {', '.join(field.encode_name for field in kind.fields)}"
    if isinstance(kind, inspect.VarTupleType):
        return f"a list, each item {_expected(kind.item_type)}"
    if isinstance(kind, inspect.DictType):
        return "a table by name"
    if isinstance(kind, inspect.IntType):
        limits = "" if kind.ge is None or kind.le is None else f" from {kind.ge} to {kind.le:#x}"
        return f"an integer{limits}"
    return "a string that is not empty"
