"""A Graph as text that a person reads and a diff compares."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from tinyml.ir.graph import Array, Graph, Op, QuantParams, State, Tensor

# Per-channel values up to this many are written out; more are a range and a hash.
LISTED = 8
HASH_DIGITS = 8


def format_graph(graph: Graph) -> str:
    """Everything about a graph; equal graphs give equal text.

    Names are quoted and exact, float32 numbers have the nine digits that tell them apart, and
    constants are their size in bytes and the start of their SHA-256.
    """
    lines = [
        f"graph {graph.name!r}",
        f"inputs: {_names(graph.inputs)}",
        f"outputs: {_names(graph.outputs)}",
        "",
        "tensors:",
        *(f"  {_describe_tensor(tensor)}" for tensor in graph.tensors.values()),
        "",
        *_describe_states(graph.states),
        "operators:",
    ]
    for number, op in enumerate(graph.ops, start=1):
        lines += [f"  {number}. {type(op).__name__} {op.name!r}"]
        lines += [f"     {line}" for line in _describe_fields(op)]
    return "\n".join(lines) + "\n"


def _describe_states(states: Iterable[State]) -> list[str]:
    """One line for each; nothing at all where there are none."""
    lines = [
        f"  {state.tensor!r}: at first {_short_hash(state.initial)}"
        + (f", variable {state.variable!r}" if state.variable else "")
        for state in states
    ]
    return ["states:", *lines, ""] if lines else []


def _names(names: Iterable[str]) -> str:
    return ", ".join(repr(name) if name else "absent" for name in names) or "none"


def _describe_tensor(tensor: Tensor) -> str:
    parts = [f"{tensor.name!r}: {tensor.dtype.value} {tensor.shape}"]
    if tensor.quant is not None:
        parts.append(_describe_quant(tensor.quant))
    if tensor.data is not None:
        parts.append(f"constant of {tensor.nbytes} bytes, sha256 {_short_hash(tensor.data)}")
    return ", ".join(parts)


def _describe_quant(quant: QuantParams) -> str:
    scales = _values([f"{scale:.9g}" for scale in quant.scale])
    zero_points = _values([str(value) for value in quant.zero_point])
    along = "" if quant.quantized_dimension is None else f" along {quant.quantized_dimension}"
    return f"scale {scales}{along}, zero point {zero_points}"


def _values(texts: list[str]) -> str:
    """Give one value for all that are equal, the list where it is short, else a hash of it."""
    if len(set(texts)) == 1:
        return texts[0] if len(texts) == 1 else f"{len(texts)} x {texts[0]}"
    if len(texts) <= LISTED:
        return f"[{', '.join(texts)}]"
    low, high = min(texts, key=float), max(texts, key=float)
    return f"{len(texts)} from {low} to {high} (sha256 {_digest(' '.join(texts).encode())})"


def _short_hash(data: Array) -> str:
    """Hash the bytes the device would hold, which are little-endian."""
    return _digest(data.astype(data.dtype.newbyteorder("<")).tobytes())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


def _describe_fields(op: Op) -> Iterator[str]:
    """One line for each field the operator's type adds, then its tensors."""
    common = {field.name for field in fields(Op)}
    for field in fields(op):
        if field.name not in common:
            yield f"{field.name}: {_describe_value(getattr(op, field.name))}"
    yield f"inputs: {_names(op.inputs)}"
    yield f"outputs: {_names(op.outputs)}"


def _describe_value(value: Any) -> str:
    return value.name if isinstance(value, enum.Enum) else repr(value)
