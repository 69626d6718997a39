from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from draw.moved import EVERY, widened, with_int16
from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from cases import pad
from tinyml.ir.graph import DType, Graph
from tinyml.ops.padv2 import PadV2

VALUES = (-128, -127, -1, 0, 127)


@partial(with_int16, every=2)
def cases() -> Iterator[tuple[Any, Graph]]:
    """In int16 the values whose bytes are equal."""
    int8 = list(_int8_cases())
    yield from int8
    for parameters, graph in int8[::EVERY]:
        if graph.tensor("value").constant.item() >= 0:
            yield ("int16", parameters), widened(graph)


def _int8_cases() -> Iterator[tuple[Any, Graph]]:
    """The paddings of PAD, with values of all kinds."""
    draw = Draw("padv2")
    for p in (p for p, _ in pad.cases() if p.dtype is DType.INT8):
        quant = draw.quant()
        byte = draw.one_of(*VALUES, draw.integer(-128, 127))
        shape = draw.one_of((), (1,))
        value = int8_tensor("value", shape, quant, np.full(shape, byte, np.int8))
        op = PadV2(name="padv2", inputs=(SOURCE, "value"), outputs=(OUTPUT,), paddings=p.paddings)
        tensors = [int8_tensor(SOURCE, p.shape, quant), value]
        yield (p.shape, p.paddings, byte, shape), single_operator(op, tensors, quant)
