from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, wide_function_cases
from draw.rescaled import wide_rescalings
from single_operator import Draw, Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.leaky_relu import LeakyRelu


def cases() -> Iterator[tuple[Any, Graph, Ranges] | tuple[Any, Graph]]:
    for alpha in (0.1, 0.3, 1.5, -0.2):
        yield from function_cases(LeakyRelu, alpha=alpha)
        yield from wide_function_cases(
            LeakyRelu, wide_rescalings(Draw(f"leaky_relu int16 {alpha}")), alpha=alpha
        )
