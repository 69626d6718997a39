from collections.abc import Iterator
from typing import Any

from functions import function_cases
from single_operator import Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.leaky_relu import LeakyRelu


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    for alpha in (0.1, 0.3, 1.5, -0.2):
        yield from function_cases(LeakyRelu, alpha=alpha)
