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
from tinyml.ops.lstm import BIASES, CELL, HIDDEN, HIDDEN_WEIGHTS, INPUT_WEIGHTS, INPUTS, Lstm


@dataclass(frozen=True, kw_only=True)
class Parameters:
    batches: int = 1
    steps: int = 3
    input_size: int = 5
    cells: int = 4
    integer_bits: int = 4  # of the cell
    cell_clip: float = 0.0
    gain: float = 1.0  # of the gates' inputs, from one of about 1
    source_zero_point: int | None = None
    hidden_zero_point: int | None = None
    hidden_scale: float = 1 / 128
    time_major: bool = False
    source: QuantParams | None = None


CORNERS = (
    *(Parameters(steps=steps) for steps in (1, 2, 7)),
    *(Parameters(input_size=size) for size in (1, 2, 3, 4, 16, 17)),
    *(Parameters(cells=cells) for cells in (1, 2, 3, 5, 8, 16)),
    *(Parameters(integer_bits=bits, gain=2.0) for bits in range(7)),
    *(Parameters(cell_clip=clip, gain=2.0) for clip in (0.1, 1.0, 10.0)),
    *(Parameters(gain=gain) for gain in (1e-3, 0.1, 3.0, 6.0, 50.0)),
    *(Parameters(batches=batches) for batches in (2, 3)),
    *(
        Parameters(batches=batches, steps=steps, time_major=True)
        for batches, steps in ((1, 1), (1, 4), (3, 1), (2, 5))
    ),
    *(Parameters(hidden_scale=scale) for scale in (1e-3, 1 / 200, 0.05)),
    *(
        Parameters(source_zero_point=source, hidden_zero_point=hidden)
        for source in (-128, 0, 127)
        for hidden in (-128, 0, 127)
    ),
)
RANDOM_CASES = 20


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("lstm", CORNERS, drawn, lstm_graph, RANDOM_CASES)


def drawn(draw: Draw) -> Parameters:
    return Parameters(
        steps=draw.integer(1, 6),
        input_size=draw.integer(1, 12),
        cells=draw.integer(1, 10),
        integer_bits=draw.integer(2, 5),
        cell_clip=draw.one_of(0.0, 0.0, 4.0),
        gain=draw.scale(0.3, 4.0),
    )


def lstm_graph(draw: Draw, p: Parameters) -> Graph:
    source = p.source or QuantParams.per_tensor(
        draw.scale(1e-3, 0.1), draw.zero_point(p.source_zero_point)
    )
    hidden = QuantParams.per_tensor(p.hidden_scale, draw.zero_point(p.hidden_zero_point))
    names = [""] * INPUTS
    order = (p.steps, p.batches) if p.time_major else (p.batches, p.steps)
    tensors = [int8_tensor(SOURCE, (*order, p.input_size), source)]
    names[0] = SOURCE
    for places, quant, size in (
        (INPUT_WEIGHTS, source, p.input_size),
        (HIDDEN_WEIGHTS, hidden, p.cells),
    ):
        for place in places:
            names[place] = f"weights_{place}"
            weight_scale = (
                p.gain
                * draw.scale(0.7, 1.4)
                / (quant.scale[0] * INT8_DEVIATION * INT8_DEVIATION * size**0.5)
            )
            shape = (p.cells, size)
            of_weights = QuantParams.per_tensor(weight_scale, 0)
            tensors.append(int8_tensor(names[place], shape, of_weights, draw.int8(shape)))
    for gate, place in enumerate(BIASES):
        names[place] = f"bias_{place}"
        (weights,) = (t for t in tensors if t.name == names[INPUT_WEIGHTS[gate]])
        bias_scale = source.scale[0] * weights.scale
        data = draw.rng.uniform(-1, 1, p.cells) / bias_scale
        quant = QuantParams.per_tensor(bias_scale, 0)
        bias = data.clip(-(2**28), 2**28).astype(np.int32)
        tensors.append(Tensor(names[place], (p.cells,), DType.INT32, quant, bias))
    names[HIDDEN], names[CELL] = "hidden", "cell"
    kept = [
        int8_tensor("hidden", (p.batches, p.cells), hidden),
        int16_tensor("cell", (p.batches, p.cells), 2.0 ** (p.integer_bits - 15)),
    ]
    op = Lstm(
        name=OUTPUT,
        inputs=tuple(names),
        outputs=(OUTPUT,),
        cell_clip=p.cell_clip,
        hidden=hidden,
        time_major=p.time_major,
    )
    return single_operator(op, tensors, hidden, kept)
