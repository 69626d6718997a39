"""What a layer of a random network is, and the place it goes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from single_operator import OUTPUT, SOURCE, Draw, limits_of, symmetric

from tinyml.ir.graph import DType, Graph, QuantParams, Shape, State, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Operators that read tensors of the network, and ``constants`` and states of their own.

    ``quant`` is that of every output with a scale, without its zero point where that is int16;
    None is what the operator's own rule gives. The network names all of their tensors anew.
    """

    ops: tuple[Operator, ...]
    quant: QuantParams | None = None
    constants: tuple[Tensor, ...] = ()
    kept: tuple[Tensor, ...] = ()
    states: tuple[State, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where the next layer goes: after ``source``, perhaps joined with one of ``others``."""

    draw: Draw
    source: Tensor
    others: Sequence[Tensor] = field(default_factory=tuple)

    @property
    def shape(self) -> Shape:
        return self.source.shape

    @property
    def is_image(self) -> bool:
        return len(self.shape) == 4

    def rescaled(self, low: float = 0.6, high: float = 2.0) -> QuantParams:
        """Parameters of values about as large as the source's."""
        return self.scaled(self.source.scale * self.draw.scale(low, high))

    def scaled(self, scale: float) -> QuantParams:
        """Mostly a zero point near the source's: elsewhere half of the values saturate."""
        near = self.source.zero_point + self.draw.integer(-20, 20)
        zero_point = self.draw.zero_point() if self.draw.chance(1 / 8) else near
        return QuantParams.per_tensor(scale, int(np.clip(zero_point, -128, 127)))

    def activation(self) -> Activation:
        """None half of the time, and none that leaves a handful of values."""
        drawn = self.draw.activation()
        few = drawn.bounds[1] < 30 * self.steps * self.source.scale
        return Activation.NONE if self.draw.chance(1 / 2) or few else drawn

    @property
    def steps(self) -> int:
        """Values of the source's type for each value of int8."""
        return 256 if self.source.dtype is DType.INT16 else 1

    def alike(self, shape: Shape) -> list[Tensor]:
        """Tensors of the source's type and of that shape."""
        return [t for t in self.others if (t.shape, t.dtype) == (shape, self.source.dtype)]

    def equals(self, shape: Shape) -> list[Tensor]:
        """Of those, the ones that have the source's scale and zero point too."""
        return [tensor for tensor in self.alike(shape) if tensor.quant == self.source.quant]

    def constant(self, name: str, shape: Shape, quant: QuantParams | None = None) -> Tensor:
        """One of the source's type, and of its scale where no other is given."""
        dtype = self.source.dtype
        low, high = limits_of(dtype)
        data = np.asarray(self.draw.rng.integers(low, high + 1, shape), dtype.numpy)
        if quant is not None and dtype is DType.INT16:
            quant = symmetric(quant)
        return Tensor(name, shape, dtype, quant or self.source.quant, data)


Drawer = Callable[[Place], Layer | None]


def unary(**fields: object) -> dict[str, object]:
    """Arguments of an operator that reads the source only."""
    return {"name": OUTPUT, "inputs": (SOURCE,), "outputs": (OUTPUT,), **fields}


def one(op: Operator, quant: QuantParams | None = None, *constants: Tensor) -> Layer:
    """A layer of one operator."""
    return Layer(ops=(op,), quant=quant, constants=constants)


def layer_of(graph: Graph) -> Layer:
    """The graph of a conformance case; its input is the source."""
    tensors = graph.tensors.values()
    return Layer(
        ops=graph.ops,
        quant=graph.tensor(graph.outputs[0]).quant,
        constants=tuple(tensor for tensor in tensors if tensor.is_constant),
        kept=tuple(tensor for tensor in tensors if tensor.name in graph.state_names),
        states=graph.states,
    )
