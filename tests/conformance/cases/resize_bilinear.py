from collections.abc import Iterator

from resized import Parameters, resize_cases

from tinyml.ir.graph import Graph
from tinyml.ops.resize_bilinear import ResizeBilinear


def cases() -> Iterator[tuple[Parameters, Graph]]:
    return resize_cases(ResizeBilinear, "resize_bilinear")
