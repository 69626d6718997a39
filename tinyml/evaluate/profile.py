"""What is in a model and what it needs, known without running it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyml.codegen.program import short_name
from tinyml.errors import ModelError
from tinyml.ir.graph import Graph, Tensor
from tinyml.ops.base import Isa, Operator, describe_quant, operators
from tinyml.passes.pipeline import prepare_for_device
from tinyml.plan.arena import plan_memory
from tinyml.plan.kernels import choose_kernels


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One operator; sizes in bytes."""

    number: int
    name: str
    operator: str
    output: str
    scale: float | None
    zero_point: int | None
    macs: int
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The memory plan for one class of core, in bytes."""

    isa: str
    arena_bytes: int
    lower_bound: int
    ratio: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What ``tinyml inspect`` shows; the field names are the keys of its JSON.

    ``plans`` is empty for a float model, and where ``refusal`` says why it cannot be built.
    """

    name: str
    precision: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layers: tuple[LayerFacts, ...]
    macs: int
    weight_bytes: int
    plans: tuple[PlanFacts, ...]
    refusal: str | None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def describe_model(graph: Graph) -> ModelFacts:
    """Gather the facts of a float or int8 graph."""
    layers = tuple(_layer(graph, n, op) for n, op in enumerate(operators(graph), start=1))
    quantized = any(t.quant is not None and not t.is_constant for t in graph.tensors.values())
    plans: tuple[PlanFacts, ...] = ()
    refusal = None
    if quantized:
        try:
            prepared = prepare_for_device(graph)
            plans = tuple(_plan(prepared, isa) for isa in Isa)
        except ModelError as error:
            refusal = str(error)
    return ModelFacts(
        name=graph.name,
        precision="int8" if quantized else "float32",
        inputs=tuple(_tensor(graph.tensor(name)) for name in graph.inputs),
        outputs=tuple(_tensor(graph.tensor(name)) for name in graph.outputs),
        layers=layers,
        macs=sum(layer.macs for layer in layers),
        weight_bytes=sum(t.nbytes for t in graph.tensors.values() if t.is_constant),
        plans=plans,
        refusal=refusal,
    )


def _layer(graph: Graph, number: int, op: Operator) -> LayerFacts:
    output = graph.tensor(op.outputs[0] if op.outputs else op.inputs[0])
    constants = (graph.tensor(name) for name in op.present_inputs)
    return LayerFacts(
        number=number,
        name=short_name(op.name),
        operator=op.opcodes[0],
        output="x".join(map(str, output.shape)),
        scale=None if output.quant is None else output.scale,
        zero_point=None if output.quant is None else output.zero_point,
        macs=op.macs(graph),
        weight_bytes=sum(tensor.nbytes for tensor in constants if tensor.is_constant),
    )


def _plan(graph: Graph, isa: Isa) -> PlanFacts:
    plan = plan_memory(graph, choose_kernels(graph, frozenset([isa])))
    return PlanFacts(isa.value, plan.arena_bytes, plan.lower_bound, plan.ratio)


def _tensor(tensor: Tensor) -> str:
    quant = f", {describe_quant(tensor.quant)}" if tensor.quant is not None else ""
    return f"'{tensor.name}' {tensor.dtype.value} {tensor.shape}{quant}"
