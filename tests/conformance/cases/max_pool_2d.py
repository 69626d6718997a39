from collections.abc import Iterator

from draw.pooled import Parameters, pool_cases

from tinyml.ir.graph import Graph
from tinyml.ops.max_pool_2d import MaxPool2D


def cases() -> Iterator[tuple[Parameters, Graph]]:
    return pool_cases(MaxPool2D, "max_pool_2d")
