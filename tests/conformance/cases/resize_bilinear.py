from collections.abc import Iterator
from functools import partial

from draw.moved import with_int16
from draw.resized import Parameters, resize_cases

from tinyml.ir.graph import Graph
from tinyml.ops.resize_bilinear import ResizeBilinear


@partial(with_int16, every=2)
def cases() -> Iterator[tuple[Parameters, Graph]]:
    return resize_cases(ResizeBilinear, "resize_bilinear")
