"""The contract of a method that alters a float graph, so that its integers lose less."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from tinyml.ir.graph import Array, Graph
from tinyml.quantize.scheme import INT8, Scheme

# Shows a label and, of a total, how much is done.
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def silent(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """Show no progress."""
    del label, total
    return nullcontext(lambda _done: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a method works with.

    ``samples`` holds one array (N, *input shape) per input, as the float graph takes them.
    ``layers`` are names of the operators whose parameters may change, None for all.
    """

    samples: Sequence[Array]
    scheme: Scheme = INT8
    layers: frozenset[str] | None = None
    progress: Progress = silent

    def allows(self, name: str) -> bool:
        """Whether the parameters of an operator may change."""
        return self.layers is None or name in self.layers


@dataclass(frozen=True, slots=True)
class Improved:
    """A graph that computes what it did, nearly, and what became of each layer in words."""

    graph: Graph
    changes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One file of ``tinyml/quantize/methods`` has one, as ``METHOD``.

    ``rank`` is its place in the order in which methods are applied, smallest first. ``before``
    says that it changes the ranges of activations: they are found after it.
    """

    apply: Callable[[Graph, Task], Improved]
    rank: int
    before: bool = False
