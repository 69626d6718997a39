from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.gelu import Gelu


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    for approximate in (False, True):
        yield from function_cases(Gelu, approximate=approximate)
