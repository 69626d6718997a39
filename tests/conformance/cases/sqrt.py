from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, positive
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.sqrt import Sqrt


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    for in_float in (False, True):
        yield from function_cases(Sqrt, positive, in_float=in_float)
