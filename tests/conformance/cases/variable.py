from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from draw.corners import corners_and_drawn
from single_operator import OUTPUT, SOURCE, Draw, limits_of

from tinyml.ir.graph import DType, Graph, Op, QuantParams, Shape, State, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.variable import AssignVariable, ReadVariable

STATE, AFTER = "kept", "after"


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape = (1, 6)
    dtype: DType = DType.INT8
    starts_even: bool = False  # the same byte everywhere
    reads_after: bool = False  # a second read, of what was just assigned
    delay: int = 1  # variables in a row, each a step behind the one before


CORNERS = (
    *(Parameters(shape=shape) for shape in ((1,), (1, 1), (1, 3), (1, 4, 5), (1, 2, 3, 4))),
    *(Parameters(dtype=dtype) for dtype in (DType.INT16, DType.INT32, DType.BOOL)),
    *(Parameters(dtype=dtype, starts_even=True, delay=2) for dtype in (DType.INT8, DType.INT16)),
    *(Parameters(reads_after=True, shape=(1, size)) for size in (1, 2, 5, 8)),
    *(Parameters(delay=delay, shape=(1, 3)) for delay in (2, 3, 4)),
)
RANDOM_CASES = 20


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("variable", CORNERS, _drawn, _graph, RANDOM_CASES)


def _drawn(draw: Draw) -> Parameters:
    return Parameters(
        shape=(1, *draw.shape(draw.integer(1, 3), 6)),
        dtype=draw.one_of(DType.INT8, DType.INT8, DType.INT16, DType.INT32),
        starts_even=draw.chance(1 / 2),
        reads_after=draw.chance(1 / 2),
        delay=draw.integer(1, 3),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    """Read the last variable, hand each one's value to the next, and keep the source in the first.

    All are read before any is assigned, as tf.function orders them.
    """
    quants = {DType.INT8: draw.quant(), DType.INT16: QuantParams.per_tensor(draw.scale(), 0)}
    quant = quants.get(p.dtype)
    values = [SOURCE, *(f"value_{number}" for number in range(1, p.delay)), OUTPUT]
    kept = [f"{STATE}_{number}" for number in range(p.delay)]
    ops: list[Op] = [
        ReadVariable(name=value, inputs=(state,), outputs=(value,))
        for state, value in zip(kept, values[1:], strict=True)
    ]
    ops += [
        AssignVariable(name=f"assign {state}", inputs=(state, value), outputs=())
        for state, value in zip(kept, values[:-1], strict=True)
    ]
    outputs: tuple[str, ...] = (OUTPUT,)
    if p.reads_after:
        ops.append(ReadVariable(name=AFTER, inputs=(kept[-1],), outputs=(AFTER,)))
        outputs = (OUTPUT, AFTER)
    names = {*values, *kept, *outputs}
    tensors = {name: Tensor(name, p.shape, p.dtype, quant) for name in sorted(names)}
    states = tuple(State(name, _initial(draw, p), name) for name in kept)
    graph = Graph("variable", tensors, tuple(ops), (SOURCE,), outputs, states)
    verify_quantized(graph)
    return graph


def _initial(draw: Draw, p: Parameters) -> np.ndarray:
    low, high = limits_of(p.dtype)
    if p.starts_even:
        return np.full(p.shape, -1 if low < 0 else 1, p.dtype.numpy)
    return draw.rng.integers(low, high + 1, p.shape).astype(p.dtype.numpy)
