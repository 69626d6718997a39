from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, moderate
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.square import Square


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    yield from function_cases(Square, moderate, in_float=True)
