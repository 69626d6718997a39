from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.sign import Sign


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    yield from function_cases(Sign, in_float=True)
