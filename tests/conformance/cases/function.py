from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from draw.functions import moderate
from single_operator import OUTPUT, SOURCE, Draw, Ranges, int8_tensor, single_operator
from spelled_functions import SPELLED, fused

from tinyml.ir.graph import Graph

# Five dimensions are more than tflite-runtime broadcasts the constants of every step to.
SHAPES = ((1, 16, 16, 1), (7,), (2, 3, 3), (2, 3, 2, 2, 3))
EACH = 8


def cases() -> Iterator[tuple[Any, Graph, Ranges]]:
    draw = Draw("function")
    for name in SPELLED:
        for number, (source, output) in zip(range(EACH), moderate(draw), strict=False):
            shape = SHAPES[number % len(SHAPES)]
            op = fused(name, shape)
            op = replace(op, name=name, inputs=(SOURCE,), outputs=(OUTPUT,), in_float=True)
            graph = single_operator(op, [int8_tensor(SOURCE, shape, source)], output)
            yield (name, shape, source, output), graph, {}
