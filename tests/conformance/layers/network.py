"""Random networks of 3 to 25 layers that branch; the seed of a network says everything about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from single_operator import SOURCE, Draw, activation, symmetric

from layers.place import Layer, Place
from layers.table import LAYERS, choices
from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, QuantParams, State, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.operator import Operator

FEWEST_LAYERS, MOST_LAYERS = 3, 25
# The reference kernels that move bytes have no more.
MOST_DIMENSIONS = 5
# Beyond these the oracle refuses the bounds of fused activations.
SCALES = 1e-6, 1e3
SCALED = (DType.INT8, DType.INT16)


@dataclass(frozen=True)
class Limits:
    """Elements of one tensor, and of all constants and states together."""

    tensor: int
    constants: int


@dataclass
class Network:
    """A network that grows, one layer at a time; ``dtype`` is that of its inputs."""

    draw: Draw
    limits: Limits
    dtype: DType
    inputs: list[str] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    ops: list[Operator] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    @property
    def activations(self) -> list[Tensor]:
        kept = {state.tensor for state in self.states}
        return [t for t in self.tensors.values() if not t.is_constant and t.name not in kept]

    @property
    def unread(self) -> list[str]:
        read = {name for op in self.ops for name in op.inputs}
        return [tensor.name for tensor in self.activations if tensor.name not in read]

    def graph(self, name: str) -> Graph:
        """Every tensor that nothing reads is an output, and sometimes one that is read."""
        read = [op.name for op in self.ops if op.outputs and op.name not in self.unread]
        also = [self.draw.one_of(*read)] if read and self.draw.chance(1 / 4) else []
        return Graph(
            name=name,
            tensors=self.tensors,
            ops=tuple(self.ops),
            inputs=tuple(self.inputs),
            outputs=(*self.unread, *also),
            states=tuple(self.states),
        )

    def add_input(self) -> None:
        draw, name = self.draw, f"input_{len(self.inputs)}"
        image = (1, draw.integer(1, 12), draw.integer(1, 12), draw.integer(1, 8))
        shape = draw.one_of(image, image, image, (1, draw.integer(1, 60)))
        while np.prod(shape) > self.limits.tensor // 2:
            shape = tuple(max(1, size // 2) for size in shape)
        quant = draw.quant(0.005, 0.5)
        if self.dtype is DType.INT16:
            quant = replace(quant, scale=(quant.scale[0] / 256,))
        self.tensors[name] = activation(name, shape, self.dtype, quant)
        self.inputs.append(name)

    def grow(self) -> bool:
        """Add a layer of some kind after some tensor; False where the two do not fit."""
        others = self.activations
        source = others[-1] if self.draw.chance(2 / 3) else self.draw.one_of(*others)
        kinds = choices(source)
        if not kinds:
            return False
        layer = LAYERS[self.draw.one_of(*kinds)](Place(self.draw, source, others))
        return layer is not None and self._append(layer, source)

    def _append(self, layer: Layer, source: Tensor) -> bool:
        if len(self.ops) + len(layer.ops) > MOST_LAYERS:
            return False
        names = {SOURCE: source.name} | self._new_names(layer)
        own = [replace(t, name=names[t.name]) for t in (*layer.constants, *layer.kept)]
        states = [_renamed_state(state, names) for state in layer.states]
        ops = [self._renamed(op, place, names) for place, op in enumerate(layer.ops)]
        tensors = {tensor.name: tensor for tensor in (*self.tensors.values(), *own)}
        graph = Graph("layer", tensors, (), (), (), (*self.states, *states))
        try:
            for op in ops:
                results = _results(op, graph, layer.quant)
                if not self._fits(results, own):
                    return False
                graph = graph.with_tensors(*results)
                op.check_quantized(graph)
                op.to_c(graph)
        except ModelError:
            return False
        self.tensors = dict(graph.tensors)
        self.ops += ops
        self.states += states
        return True

    def _new_names(self, layer: Layer) -> dict[str, str]:
        number = len(self.ops)
        names = {t.name: f"{t.name}_{number}" for t in (*layer.constants, *layer.kept)}
        for op in layer.ops:
            kind = f"{type(op).__name__}_{number}"
            names |= {o: f"{kind}_{index}" if index else kind for index, o in enumerate(op.outputs)}
        return names

    def _renamed(self, op: Operator, place: int, names: dict[str, str]) -> Operator:
        """An operator without outputs gets the name that the reader gives it."""
        outputs = tuple(names[output] for output in op.outputs)
        name = outputs[0] if outputs else f"{op.opcodes[0].lower()}_{len(self.ops) + place}"
        inputs = tuple(names.get(name, name) for name in op.inputs)
        return replace(op, name=name, inputs=inputs, outputs=outputs)

    def _fits(self, results: Sequence[Tensor], own: Iterable[Tensor]) -> bool:
        if not all(1 <= len(tensor.shape) <= MOST_DIMENSIONS for tensor in results):
            return False
        if not all(0 < tensor.size <= self.limits.tensor for tensor in results):
            return False
        if not all(SCALES[0] < t.scale < SCALES[1] for t in results if t.quant is not None):
            return False
        return sum(tensor.size for tensor in own) <= self.budget

    @property
    def budget(self) -> int:
        """Elements left for constants and states."""
        kept = {state.tensor for state in self.states}
        used = (t for t in self.tensors.values() if t.is_constant or t.name in kept)
        return self.limits.constants - sum(tensor.size for tensor in used)


def _results(op: Operator, graph: Graph, quant: QuantParams | None) -> list[Tensor]:
    return [
        Tensor(name, spec.shape, spec.dtype, _quant(op, graph, spec.dtype, quant))
        for name, spec in zip(op.outputs, op.infer(graph), strict=True)
    ]


def _quant(
    op: Operator, graph: Graph, dtype: DType, given: QuantParams | None
) -> QuantParams | None:
    """What the operator's definition fixes, what the layer gives, or what the inputs have."""
    if dtype not in SCALED:
        return None
    followed = (graph.tensor(name).quant for name in op.present_inputs)
    quant = op.quantization_rule(graph).fixed(dtype) or given or next(q for q in followed if q)
    return symmetric(quant) if dtype is DType.INT16 else quant


def _renamed_state(state: State, names: dict[str, str]) -> State:
    variable = names[state.variable] if state.variable else ""
    return State(names[state.tensor], state.initial, variable)


def random_network(seed: int, limits: Limits) -> Graph:
    """The network of that seed: int8, or one in four int16 until a QUANTIZE."""
    draw = Draw(f"network {seed}")
    dtype = DType.INT16 if draw.chance(1 / 4) else DType.INT8
    network = Network(draw, limits, dtype)
    layers = draw.integer(FEWEST_LAYERS, MOST_LAYERS)
    for _ in range(draw.one_of(1, 1, 1, 2)):
        network.add_input()
    while len(network.ops) < layers:
        network.grow()
    graph = _without_idle_inputs(network.graph(f"network_{seed:03}"))
    verify_quantized(graph)
    return graph


def _without_idle_inputs(graph: Graph) -> Graph:
    def kept(names: Iterable[str]) -> tuple[str, ...]:
        idle = {name for name in graph.inputs if not graph.consumers[name]}
        return tuple(name for name in names if name not in idle)

    return replace(graph, inputs=kept(graph.inputs), outputs=kept(graph.outputs)).pruned()


def part_up_to(graph: Graph, outputs: tuple[str, ...]) -> Graph:
    """What is needed to compute these, with all that is assigned to the states on the way."""
    needed: set[str] = set(outputs)
    ops: set[str] = set()
    before = -1
    while before < len(ops):
        before = len(ops)
        for op in reversed(graph.ops):
            if needed & set(op.outputs or op.inputs[:1]):
                needed |= {*op.inputs, *op.outputs}
                ops.add(op.name)
    kept = tuple(op for op in graph.ops if op.name in ops)
    inputs = tuple(name for name in graph.inputs if name in needed)
    return replace(graph, ops=kept, inputs=inputs, outputs=outputs).pruned()
