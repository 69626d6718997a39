"""Choices for single layers, from a TOML file of ``[[layer]]`` tables."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

import msgspec

from tinyml.errors import InputError
from tinyml.files import StrPath, as_path
from tinyml.ir.graph import DType, Graph
from tinyml.malformed import MalformedError, explain, read_toml
from tinyml.ops.contract.operator import operators
from tinyml.quantize.methods import check_methods
from tinyml.quantize.observers import ObserverKind
from tinyml.quantize.scheme import Override

PAGE = "docs/quantization.md"
NO_FLOAT = (
    "the device computes in integers alone and has no float kernels; "
    'activations = "int16" is the finest there is'
)
FLOATS = {"float", "float16", "float32"}


class _Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file, whose keys are the fields."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    observer: ObserverKind | None = None
    bits: Literal[4, 8] | None = None
    activations: Literal["int8", "int16"] | None = None
    method: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...] | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: tables of layers, a later one before an earlier."""

    layer: tuple[_Layer, ...]


def read_layers(path: StrPath) -> tuple[Override, ...]:
    """Read the choices of a file. Raises InputError where it is malformed, naming the key."""
    path = as_path(path)
    try:
        content = read_toml(path, "[[layer]] tables")
        _refuse_float(content)
        return tuple(_override(layer) for layer in msgspec.convert(content, _File).layer)
    except msgspec.ValidationError as error:
        complaint = explain(error, content, _File)
    except (MalformedError, InputError) as error:
        complaint = str(error)
    raise InputError(f"'{path}' is malformed: {complaint}; {PAGE} says what each key means")


def _refuse_float(content: dict[str, Any]) -> None:
    """Say why there is no such choice, to those who look for it."""
    tables = content.get("layer")
    for place, table in enumerate(tables if isinstance(tables, list) else []):
        if not isinstance(table, dict):
            continue
        if "float" in table or table.get("activations") in FLOATS or table.get("bits") == 32:
            raise MalformedError(f"layer[{place}] is to stay float, but {NO_FLOAT}")


def _override(layer: _Layer) -> Override:
    if layer.method is not None:
        check_methods(layer.method)
    return Override(
        layers=layer.name,
        observer=layer.observer,
        weight_bits=layer.bits,
        activations=None if layer.activations is None else DType(layer.activations),
        methods=layer.method,
    )


def check_overrides(graph: Graph, overrides: tuple[Override, ...]) -> None:
    """Raise InputError for a choice that no layer of ``graph`` can take up."""
    names = [op.name for op in graph.ops]
    for override in overrides:
        fitting = {name for name in names if override.fits(name)}
        if not fitting:
            nearest = difflib.get_close_matches(override.layers, names, n=1, cutoff=0.4)
            hint = f"did you mean '{nearest[0]}'? " if nearest else ""
            raise InputError(
                f"no layer has a name that fits '{override.layers}': {hint}"
                "'tinyml inspect' lists the layers"
            )
        if override.weight_bits is not None and not fitting & _weighted(graph):
            raise InputError(
                f"weights of '{override.layers}' are to have {override.weight_bits} bits, but none "
                f"of these layers has weights: {', '.join(sorted(fitting))}"
            )


def _weighted(graph: Graph) -> set[str]:
    return {op.name for op in operators(graph) if op.quantization_rule(graph).weights}
