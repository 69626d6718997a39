from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from draw.corners import corners_and_drawn
from single_operator import (
    INT8_DEVIATION,
    OUTPUT,
    SOURCE,
    Draw,
    int8_tensor,
    int16_tensor,
    single_operator,
)

from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.svdf import Svdf


@dataclass(frozen=True, kw_only=True)
class Parameters:
    batches: int = 1
    input_size: int = 6
    units: int = 4
    rank: int = 1
    memory: int = 5
    bias: bool = True
    gain: float = 1.0  # of the output, from one that fills int8
    feature_gain: float = 1.0  # of what is kept, from one that fills int16
    source_zero_point: int | None = None
    output_zero_point: int | None = None
    source: QuantParams | None = None


CORNERS = (
    *(Parameters(input_size=size) for size in (1, 2, 3, 4, 5, 16, 33)),
    *(Parameters(units=units) for units in (1, 2, 3, 5, 8)),
    *(Parameters(memory=memory) for memory in (1, 2, 3, 4, 7, 8, 10)),
    *(Parameters(rank=rank) for rank in (2, 3, 4)),
    *(Parameters(rank=rank, bias=False) for rank in (1, 2)),
    *(Parameters(batches=batches, rank=2) for batches in (2, 3)),
    *(Parameters(gain=gain) for gain in (1e-4, 0.1, 4.0, 300.0)),
    *(Parameters(feature_gain=gain) for gain in (1e-3, 0.1, 4.0, 100.0)),
    *(
        Parameters(source_zero_point=source, output_zero_point=output)
        for source in (-128, 0, 127)
        for output in (-128, 127)
    ),
)
RANDOM_CASES = 20


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("svdf", CORNERS, drawn, svdf_graph, RANDOM_CASES)


def drawn(draw: Draw) -> Parameters:
    return Parameters(
        batches=draw.integer(1, 2),
        input_size=draw.integer(1, 24),
        units=draw.integer(1, 8),
        rank=draw.integer(1, 3),
        memory=draw.integer(1, 9),
        bias=draw.chance(2 / 3),
    )


def svdf_graph(draw: Draw, p: Parameters) -> Graph:
    filters = p.units * p.rank
    source_scale, feature_scale, time_scale = (draw.scale(1e-3, 0.1) for _ in range(3))
    source = p.source or QuantParams.per_tensor(source_scale, draw.zero_point(p.source_zero_point))
    source_scale = source.scale[0]
    # Products of random int8 values, their sum, then the same in int16.
    spread = INT8_DEVIATION * 74 * p.input_size**0.5
    state_scale = source_scale * feature_scale * spread / 8000 / p.feature_gain
    spread = 8000 * 18000 * (p.memory * p.rank) ** 0.5
    output_scale = state_scale * time_scale * spread / 50 / p.gain
    bias_scale = state_scale * time_scale
    tensors = [
        int8_tensor(SOURCE, (p.batches, p.input_size), source),
        int8_tensor(
            "features",
            (filters, p.input_size),
            QuantParams.per_tensor(feature_scale, 0),
            draw.int8((filters, p.input_size)),
        ),
        int16_tensor(
            "time",
            (filters, p.memory),
            time_scale,
            draw.rng.integers(-32767, 32768, (filters, p.memory)).astype(np.int16),
        ),
    ]
    if p.bias:
        data = (draw.rng.uniform(-40, 40, p.units) * output_scale / bias_scale).clip(
            -(2**29), 2**29
        )
        quant = QuantParams.per_tensor(bias_scale, 0)
        tensors.append(Tensor("bias", (p.units,), DType.INT32, quant, data.astype(np.int32)))
    kept = int16_tensor("kept", (p.batches, filters * p.memory), state_scale)
    op = Svdf(
        name=OUTPUT,
        inputs=(SOURCE, "features", "time", "bias" if p.bias else "", "kept"),
        outputs=(OUTPUT,),
        rank=p.rank,
    )
    output = QuantParams.per_tensor(output_scale, draw.zero_point(p.output_zero_point))
    return single_operator(op, tensors, output, [kept])
