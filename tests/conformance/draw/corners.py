"""Cases of an operator: parameters somebody picked, then drawn ones."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from single_operator import Draw

from tinyml.ir.graph import Graph


def corners_and_drawn(
    name: str,
    corners: Iterable[Any],
    drawn: Callable[[Draw], Any],
    graph: Callable[[Draw, Any], Graph],
    count: int,
    **changed: Any,
) -> Iterator[tuple[Any, Graph]]:
    """``corners`` and ``count`` that ``drawn`` gives, each with the fields that are ``changed``.

    All choices come from the one generator of that name: parameters first, then every graph's.
    """
    draw = Draw(name)
    for given in (*corners, *(drawn(draw) for _ in range(count))):
        parameters = replace(given, **changed)
        yield parameters, graph(draw, parameters)
