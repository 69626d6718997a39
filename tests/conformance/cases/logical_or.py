from collections.abc import Iterator
from typing import Any

from draw.booleans import logical_cases

from tinyml.ir.graph import Graph
from tinyml.ops.logical_or import LogicalOr


def cases() -> Iterator[tuple[Any, Graph]]:
    yield from logical_cases(LogicalOr, "logical_or")
