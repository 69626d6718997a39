from collections.abc import Iterator
from dataclasses import dataclass, replace

from single_operator import OUTPUT, SOURCE, Draw, activation, single_operator

from tinyml.ir.graph import DType, Graph, QuantParams, Shape
from tinyml.ops.softmax import MIXED_OUTPUT_QUANT, OUTPUT_QUANT, WIDE_OUTPUT_QUANT, Softmax


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape = (1, 10)
    beta: float = 1.0
    scale: float = 0.1
    zero_point: int = 0
    dtype: DType = DType.INT8
    widens: bool = False


CORNERS = (
    *(Parameters(shape=(1, size)) for size in (1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 100, 511)),
    *(Parameters(shape=(rows, 7)) for rows in (2, 3, 5)),
    *(Parameters(shape=shape) for shape in ((12,), (3, 2, 5), (2, 2, 3, 4), (1, 4, 4, 2))),
    *(Parameters(beta=beta) for beta in (1e-4, 0.1, 0.5, 2.0, 3.7, 10.0, 100.0)),
    *(Parameters(scale=scale) for scale in (1e-6, 1e-4, 1e-3, 0.01, 1 / 256, 0.5, 1.0, 5.0, 40.0)),
    *(Parameters(shape=(2, 256), scale=scale) for scale in (1e-3, 0.02, 0.07, 0.3)),
    *(Parameters(zero_point=zero_point) for zero_point in (-128, 127)),
)

# Of int16, rows may be long.
WIDE_CORNERS = (*CORNERS, *(Parameters(shape=(1, size)) for size in (512, 1000, 3000)))

RANDOM_CASES = 25


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("softmax")
    for parameters in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        yield parameters, _graph(parameters)
    draw = Draw("softmax int8 int16")
    for parameters in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        mixed = replace(parameters, widens=True)
        yield mixed, _graph(mixed)
    draw = Draw("softmax int16")
    for parameters in (*WIDE_CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        finer = min(1.0, parameters.scale / 64 * draw.scale(0.25, 1.0))
        wide = replace(parameters, dtype=DType.INT16, scale=finer)
        yield wide, _graph(wide)


def _drawn(draw: Draw) -> Parameters:
    return Parameters(
        shape=(*draw.shape(draw.integer(0, 3), 4), draw.integer(1, 40)),
        beta=draw.one_of(1.0, draw.scale(0.1, 10.0)),
        scale=draw.scale(1e-3, 1.0),
        zero_point=draw.zero_point(),
    )


def _graph(p: Parameters) -> Graph:
    op = Softmax(name="softmax", inputs=(SOURCE,), outputs=(OUTPUT,), beta=p.beta, widens=p.widens)
    quant = QuantParams.per_tensor(p.scale, p.zero_point)
    output = WIDE_OUTPUT_QUANT if p.dtype is DType.INT16 else OUTPUT_QUANT
    output = MIXED_OUTPUT_QUANT if p.widens else output
    return single_operator(op, [activation(SOURCE, p.shape, p.dtype, quant)], output)
