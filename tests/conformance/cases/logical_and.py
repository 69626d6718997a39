from collections.abc import Iterator
from typing import Any

from draw.booleans import logical_cases

from tinyml.ir.graph import Graph
from tinyml.ops.logical_and import LogicalAnd


def cases() -> Iterator[tuple[Any, Graph]]:
    yield from logical_cases(LogicalAnd, "logical_and")
