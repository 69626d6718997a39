"""Cases of the conformance suite: graphs of one int8 operator, drawn from a seeded generator."""

import importlib
import math
import os
import pkgutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cases
import numpy as np

from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, State, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding

SEED = 20240119

SOURCE, OUTPUT = "source", "output"
SAMPLES = 7
ZERO_POINTS = (-128, 127, 0)
# A uniform int8 is this far from its mean, on average.
INT8_DEVIATION = 74


# Smallest and largest value of an input, by its name.
Ranges = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Case:
    """One graph; ``parameters`` is what a failure shows of it.

    ``ranges`` limits integer inputs that not every value fits.
    """

    name: str
    parameters: Any
    graph: Graph
    ranges: Ranges = field(default_factory=dict)


class Draw:
    """Seeded choices: the same name draws the same, whatever other cases draw."""

    def __init__(self, name: str) -> None:
        self.rng = np.random.default_rng((SEED, zlib.crc32(name.encode())))

    def one_of(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def integer(self, low: int, high: int) -> int:
        """Both ends included."""
        return int(self.rng.integers(low, high + 1))

    def shape(self, rank: int, high: int) -> Shape:
        return tuple(self.integer(1, high) for _ in range(rank))

    def int8(self, shape: Shape, limit: int = 127) -> Array:
        """Between ``-limit`` and ``limit``, or 127."""
        return self.rng.integers(-limit, min(limit, 127) + 1, shape).astype(np.int8)

    def scale(self, low: float = 1e-3, high: float = 1.0) -> float:
        return float(np.exp(self.rng.uniform(math.log(low), math.log(high))))

    def zero_point(self, fixed: int | None = None) -> int:
        """Half of the time an extreme one, where none is ``fixed``."""
        if fixed is not None:
            return fixed
        return int(self.one_of(self.one_of(*ZERO_POINTS), self.integer(-128, 127)))

    def quant(self, low: float = 1e-3, high: float = 1.0) -> QuantParams:
        return QuantParams.per_tensor(self.scale(low, high), self.zero_point())

    def activation(self) -> Activation:
        return Activation(self.one_of(*(activation.value for activation in Activation)))

    def padding(self) -> Padding:
        return Padding(self.one_of(0, 1))


def activation(name: str, shape: Shape, dtype: DType, quant: QuantParams) -> Tensor:
    """An int8 activation, or an int16 one of the same scale, whose zero point is always 0."""
    if dtype is DType.INT16:
        quant = symmetric(quant)
    return Tensor(name, shape, dtype, quant)


def symmetric(quant: QuantParams) -> QuantParams:
    """The same scale about 0, as int16 wants it."""
    return QuantParams(quant.scale, (0,))


def int8_tensor(name: str, shape: Shape, quant: QuantParams, data: Array | None = None) -> Tensor:
    return Tensor(name, shape, DType.INT8, quant, data)


def int16_tensor(name: str, shape: Shape, scale: float, data: Array | None = None) -> Tensor:
    return Tensor(name, shape, DType.INT16, QuantParams.per_tensor(scale, 0), data)


def single_operator(
    op: Operator, tensors: Sequence[Tensor], quant: QuantParams | None, kept: Sequence[Tensor] = ()
) -> Graph:
    """The graph of ``op``, its outputs as the operator infers them; ``tensors`` are its inputs.

    Those that are ``kept`` start as TFLite's runtimes start them.
    """
    inputs = tuple(tensor.name for tensor in tensors if not tensor.is_constant)
    by_name = {tensor.name: tensor for tensor in (*tensors, *kept)}
    states = tuple(map(_at_zero, kept))
    specs = op.infer(Graph(op.name, by_name, (), inputs, (), states))
    for name, spec in zip(op.outputs, specs, strict=True):
        by_name[name] = Tensor(name, spec.shape, spec.dtype, quant)
    graph = Graph(op.name, by_name, (op,), inputs, op.outputs, states)
    verify_quantized(graph)
    return graph


def _at_zero(tensor: Tensor) -> State:
    byte = tensor.zero_point if tensor.dtype is DType.INT8 else 0
    return State(tensor.name, np.full(tensor.shape, byte, tensor.dtype.numpy))


def samples_of(case: Case) -> list[Array]:
    """Samples (7, *shape) of each input: all values in disorder, the corners, near the zero point.

    Tensors of fewer than 256 elements get as many of the values as they have room for. Integers
    without a scale, and those with a range, are drawn from it evenly, its ends among them.
    """
    draw = Draw(case.name)
    return [_samples_of_input(draw, case, case.graph.tensor(name)) for name in case.graph.inputs]


def _samples_of_input(draw: Draw, case: Case, tensor: Tensor) -> Array:
    if tensor.quant is not None and tensor.name not in case.ranges:
        return _samples(draw, tensor)
    low, high = case.ranges.get(tensor.name, limits_of(tensor.dtype))
    drawn = draw.rng.integers(low, high + 1, (SAMPLES - 2, *tensor.shape), tensor.dtype.numpy)
    ends = [np.full((1, *tensor.shape), end, tensor.dtype.numpy) for end in (low, high)]
    return np.concatenate([drawn, *ends])


def limits_of(dtype: DType) -> tuple[int, int]:
    if dtype is DType.BOOL:
        return 0, 1
    limits = np.iinfo(dtype.numpy)
    return int(limits.min), int(limits.max)


def _samples(draw: Draw, tensor: Tensor) -> Array:
    low, high = limits_of(tensor.dtype)
    step = (high - low) // 255  # int16 tensors get 256 values in equal steps, its ends among them
    values = np.arange(max(256, tensor.size)) % 256 * step + low
    near = draw.rng.integers(-4, 5, tensor.size) + tensor.zero_point
    rows = (
        *(draw.rng.permuted(values)[: tensor.size] for _ in range(3)),
        np.full(tensor.size, low),
        np.full(tensor.size, high),
        draw.rng.choice([low, high], tensor.size),
        np.clip(near, low, high),
    )
    return np.stack(rows).astype(tensor.dtype.numpy).reshape(len(rows), *tensor.shape)


def operators_with_cases() -> list[str]:
    """The names of the files in cases/, which are those in tinyml/ops."""
    return [module.name for module in pkgutil.iter_modules([str(Path(cases.__file__).parent)])]


# Where a kernel is held to its bytes a second time, it is with some cases of each operator, or with
# every one where this is set, as `make soak` does.
EVERY_CASE = "TINYML_EVERY_CASE"
FEWEST_CASES = 12


def cases_of(operator: str) -> tuple[Case, ...]:
    """The cases in the operator's file, named by their place."""
    drawn = importlib.import_module(f"cases.{operator}").cases()
    return tuple(
        Case(f"{operator}_{number:03}", parameters, graph, *ranges)
        for number, (parameters, graph, *ranges) in enumerate(drawn)
    )


def some_of(cases: Sequence[Case], fewest: int = FEWEST_CASES) -> list[Case]:
    """At least as many, spread over all; every one where that is asked."""
    if os.environ.get(EVERY_CASE):
        return list(cases)
    return list(cases[:: max(1, len(cases) // fewest)])


def some_cases() -> list[Case]:
    """Some cases of each operator."""
    return [case for operator in operators_with_cases() for case in some_of(cases_of(operator))]


def all_cases() -> tuple[Case, ...]:
    return tuple(case for operator in operators_with_cases() for case in cases_of(operator))
