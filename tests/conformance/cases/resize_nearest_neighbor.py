from collections.abc import Iterator

from resized import Parameters, resize_cases

from tinyml.ir.graph import Graph
from tinyml.ops.resize_nearest_neighbor import ResizeNearestNeighbor


def cases() -> Iterator[tuple[Parameters, Graph]]:
    return resize_cases(ResizeNearestNeighbor, "resize_nearest_neighbor")
