from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.sin import Sin


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    yield from function_cases(Sin, in_float=True)
