from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, moderate
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.hard_swish import HardSwish


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    yield from function_cases(HardSwish, moderate)
