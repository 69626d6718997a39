"""What is in a model, what it needs, and what of it cannot be used, known without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tinyml.codegen.program import short_name
from tinyml.errors import ModelError, RefusedError, TinymlError, ToolchainError
from tinyml.frontend.partial import FileOperator, PartialModel, read_operator
from tinyml.ir.graph import DType, Graph, Tensor, is_quantized
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.operator import Operator, describe_quant, operators
from tinyml.passes.orders import prepare_for_device
from tinyml.pipeline import target_of
from tinyml.plan.choose import Step
from tinyml.plan.plan import Plan, make_plan
from tinyml.quantize.trial import quantize_on_trial


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One operator; sizes in bytes. What is None could not be read."""

    number: int
    name: str
    operator: str
    output: str | None
    dtype: str | None
    scale: float | None
    zero_point: int | None
    macs: int | None
    weight_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsupportedFacts:
    """What cannot be used, and why: a layer by its number, or something of the whole model."""

    number: int | None
    operator: str | None
    name: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class RefusalFacts:
    """A kernel that would have been preferred, and why it does not run a layer."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What runs an operator as the device has it, and which kernels do not and why.

    ``functions`` are those it calls in C, none where the output is the input under another shape.
    """

    name: str
    operator: str
    functions: tuple[str, ...]
    refused: tuple[RefusalFacts, ...]


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The plan for one class of core; sizes in bytes."""

    isa: str
    arena_bytes: int
    lower_bound: int
    ratio: float
    kernels: tuple[StepFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """What a model takes of a board; ``refusal`` says why it has no sizes. Sizes in bytes."""

    board: str
    fits: bool
    refusal: str | None = None
    flash_bytes: int | None = None
    flash_available: int | None = None
    ram_bytes: int | None = None
    ram_available: int | None = None
    arena_bytes: int | None = None
    state_bytes: int | None = None
    stack_bytes: int | None = None
    firmware_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What ``tinyml inspect`` shows; the field names are the keys of its JSON.

    Of a float model ``unsupported``, ``plans`` and ``boards`` are those of its int8 form. Where
    something is not supported there are no plans and no boards; ``boards_refusal`` says why else
    they could not be looked at. ``complete``: the whole file could be read.
    """

    name: str
    precision: str
    complete: bool
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layers: tuple[LayerFacts, ...]
    macs: int
    weight_bytes: int
    supported: bool
    unsupported: tuple[UnsupportedFacts, ...]
    plans: tuple[PlanFacts, ...] = ()
    boards: tuple[BoardFacts, ...] = ()
    boards_refusal: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def as_int8(graph: Graph) -> Graph:
    """Give the graph itself, or a float one as it would be after quantization."""
    return graph if is_quantized(graph) else quantize_on_trial(graph)


def plans_of(graph: Graph) -> dict[Isa, Plan]:
    """Plan a float or quantized graph for every class of core, a float one as it would be in int8.

    Raises ModelError where an operator cannot run on the device, ToolchainError without CMSIS-NN.
    """
    prepared, target = prepare_for_device(as_int8(graph)), target_of()
    return {isa: make_plan(prepared, replace(target, isas=frozenset([isa]))) for isa in Isa}


def describe_model(graph: Graph) -> ModelFacts:
    """Gather the facts of a float or quantized graph, the boards apart."""
    try:
        return describe_planned(graph, plans_of(graph))
    except (ModelError, ToolchainError) as error:
        return describe_planned(graph, {}, error)


def describe_planned(
    graph: Graph, plans: Mapping[Isa, Plan], error: TinymlError | None = None
) -> ModelFacts:
    """Gather the facts of a graph and its plans, or say what stood in their way."""
    ops = tuple(operators(graph))
    layers = tuple(
        _layer(number, read_operator(op, graph), graph) for number, op in enumerate(ops, start=1)
    )
    by_name = {op.name: layer for op, layer in zip(ops, layers, strict=True)}
    unsupported = _unsupported(error, by_name) if isinstance(error, ModelError) else ()
    return ModelFacts(
        name=graph.name,
        precision=_precision(graph.tensors),
        complete=True,
        inputs=tuple(_shown(name, graph.tensor(name)) for name in graph.inputs),
        outputs=tuple(_shown(name, graph.tensor(name)) for name in graph.outputs),
        layers=layers,
        macs=sum(layer.macs or 0 for layer in layers),
        weight_bytes=sum(t.nbytes for t in graph.tensors.values() if t.is_constant),
        supported=not unsupported,
        unsupported=unsupported,
        plans=tuple(_plan(isa, plan) for isa, plan in plans.items()),
        boards_refusal=str(error) if isinstance(error, ToolchainError) else None,
    )


def describe_partial(model: PartialModel) -> ModelFacts:
    """Gather the facts of a model that could be read in part."""
    graph = Graph(model.name, model.tensors, (), (), ())
    numbered = tuple(enumerate(model.operators, start=1))
    layers = tuple(_layer(number, operator, graph) for number, operator in numbered)
    refused = tuple(
        UnsupportedFacts(number=n, operator=o.kind, name=o.name, reason=o.reason)
        for n, o in numbered
        if o.reason is not None
    )
    # What is wrong with a tensor is said of the operators that read and write it.
    problems = [p for p in model.problems if not any(p in entry.reason for entry in refused)]
    return ModelFacts(
        name=model.name,
        precision=_precision(model.tensors),
        complete=False,
        inputs=tuple(_shown(name, tensor) for name, tensor in model.inputs.items()),
        outputs=tuple(_shown(name, tensor) for name, tensor in model.outputs.items()),
        layers=layers,
        macs=sum(layer.macs or 0 for layer in layers),
        weight_bytes=sum(layer.weight_bytes or 0 for layer in layers),
        supported=False,
        unsupported=(*map(_of_model, problems), *refused),
    )


# --------------------------------------------------------------------------- layers


def _layer(number: int, operator: FileOperator, graph: Graph) -> LayerFacts:
    output, op = operator.output, operator.op
    quant = None if output is None else output.quant
    return LayerFacts(
        number=number,
        name=short_name(operator.name),
        operator=operator.kind,
        output=None if output is None else "x".join(map(str, output.shape)),
        dtype=None if output is None else output.dtype.value,
        scale=None if quant is None else quant.scale[0],
        zero_point=None if quant is None else quant.zero_point[0],
        macs=_macs(op, graph) if op is not None else None,
        weight_bytes=_weight_bytes(op, graph) if op is not None else None,
    )


def _macs(op: Operator, graph: Graph) -> int | None:
    """Multiply-accumulates of an operator that fits its tensors."""
    try:
        inferred = [spec.shape for spec in op.infer(graph)]
    except ModelError:
        return None
    fits = inferred == [graph.tensor(name).shape for name in op.outputs]
    return op.macs(graph) if fits else None


def _weight_bytes(op: Operator, graph: Graph) -> int:
    constants = (graph.tensor(name) for name in op.present_inputs)
    return sum(tensor.nbytes for tensor in constants if tensor.is_constant)


def _precision(tensors: Mapping[str, Tensor]) -> str:
    """16x8 where activations are int16 and none is int8."""
    quantized = {t.dtype for t in tensors.values() if t.quant is not None and not t.is_constant}
    if not quantized:
        return "float32"
    return "16x8" if DType.INT16 in quantized and DType.INT8 not in quantized else "int8"


def _shown(name: str, tensor: Tensor | None) -> str:
    if tensor is None:
        return f"'{name}'"
    quant = f", {describe_quant(tensor.quant)}" if tensor.quant is not None else ""
    return f"'{name}' {tensor.dtype.value} {tensor.shape}{quant}"


# --------------------------------------------------------------------------- the device


def _unsupported(
    error: ModelError, layers: Mapping[str, LayerFacts]
) -> tuple[UnsupportedFacts, ...]:
    if not isinstance(error, RefusedError):
        return (_of_model(str(error)),)
    return tuple(_of_layer(layers.get(name), name, r) for name, r in error.reasons.items())


def _plan(isa: Isa, plan: Plan) -> PlanFacts:
    memory, kernels = plan.memory, tuple(map(_kernel, plan.steps))
    return PlanFacts(isa.value, memory.arena_bytes, memory.lower_bound, memory.ratio, kernels)


def _kernel(step: Step) -> StepFacts:
    return StepFacts(
        name=short_name(step.op.name),
        operator=step.op.opcodes[0],
        functions=tuple(call.function for call in step.kernel.calls),
        refused=tuple(
            RefusalFacts(name, reason)
            for name, reason in step.refused.items()
            if name != step.candidate
        ),
    )


def _of_layer(layer: LayerFacts | None, name: str, reason: str) -> UnsupportedFacts:
    """An operator of the prepared graph, and which layer of the file it was where that is known."""
    number, kind = (None, None) if layer is None else (layer.number, layer.operator)
    return UnsupportedFacts(number=number, operator=kind, name=name, reason=reason)


def _of_model(reason: str) -> UnsupportedFacts:
    return UnsupportedFacts(number=None, operator=None, name=None, reason=reason)
