from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, moderate, positive
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.log import Log


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    yield from function_cases(Log, moderate)
    yield from function_cases(Log, positive, in_float=True)
    yield from function_cases(Log, moderate, in_float=True)
