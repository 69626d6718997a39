from collections.abc import Iterator

from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import Graph, QuantParams, Shape
from tinyml.ops.l2_normalization import OUTPUT_QUANT, L2Normalization

# Rows whose squares take few bits, and rows whose squares take nearly 31.
ROWS = (1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 100, 256, 1000, 9000)
ZERO_POINTS = (-128, 127, 0, -3)
SHAPES: tuple[Shape, ...] = ((6, 4), (2, 3, 5), (1, 3, 3, 7), (2, 2, 2, 2))


def cases() -> Iterator[tuple[tuple[Shape, QuantParams], Graph]]:
    draw = Draw("l2_normalization")
    corners = [((1, row), zero_point) for row in ROWS[:-1] for zero_point in ZERO_POINTS]
    drawn = [(shape, draw.zero_point()) for shape in SHAPES for _ in range(3)]
    for shape, zero_point in (*corners, ((1, ROWS[-1]), 127), *drawn):
        quant = QuantParams.per_tensor(draw.scale(), zero_point)
        op = L2Normalization(name="l2_normalization", inputs=(SOURCE,), outputs=(OUTPUT,))
        graph = single_operator(op, [int8_tensor(SOURCE, shape, quant)], OUTPUT_QUANT)
        yield (shape, quant), graph
