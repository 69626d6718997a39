from collections.abc import Iterator

from draw.pooled import Parameters, pool_cases

from tinyml.ir.graph import Graph
from tinyml.ops.average_pool_2d import AveragePool2D


def cases() -> Iterator[tuple[Parameters, Graph]]:
    return pool_cases(AveragePool2D, "average_pool_2d")
