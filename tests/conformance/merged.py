"""Many cases in one model: built once, run once, and taken apart again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from modules import module_of
from single_operator import Case, samples_of

from tinyml.codegen.module import CModule
from tinyml.device.qemu import run_firmware
from tinyml.evaluate.oracle import run_reference
from tinyml.evaluate.stages import cut_into_stages
from tinyml.firmware.boards import Board
from tinyml.firmware.build import build_firmware
from tinyml.ir.graph import Array, Graph, Op, QuantParams, State, Tensor
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.conv_2d import Conv2D
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import Runtime, iterate_steps, stacked

# Cases of one model: planning its memory takes time that grows faster than their number.
BATCH = 400


@dataclass(frozen=True, slots=True)
class Merged:
    """The graph that holds all ``cases``, as the device gets it, and the samples of its inputs."""

    cases: tuple[Case, ...]
    graph: Graph
    samples: list[Array]


def merge(cases: Sequence[Case]) -> Merged:
    """Put the graphs side by side."""
    parts = [_prefixed(case.graph, case.name) for case in cases]
    graph = Graph(
        name="conformance",
        tensors={name: tensor for part in parts for name, tensor in part.tensors.items()},
        ops=tuple(op for part in parts for op in part.ops),
        inputs=tuple(name for part in parts for name in part.inputs),
        outputs=tuple(name for part in parts for name in part.outputs),
        states=tuple(state for part in parts for state in part.states),
    )
    samples = [array for case in cases for array in samples_of(case)]
    return Merged(tuple(cases), prepare_for_device(graph), samples)


def merged_in_batches(cases: Sequence[Case]) -> list[Merged]:
    """Any number of cases, in models of ``BATCH``."""
    return [merge(cases[start : start + BATCH]) for start in range(0, len(cases), BATCH)]


def _prefixed(graph: Graph, prefix: str) -> Graph:
    def renamed(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{prefix}/{name}" if name else "" for name in names)

    def renamed_op(op: Op) -> Op:
        (name,) = renamed(op.outputs[:1] or (op.name,))
        return replace(op, name=name, inputs=renamed(op.inputs), outputs=renamed(op.outputs))

    tensors: list[Tensor] = [
        replace(tensor, name=f"{prefix}/{tensor.name}") for tensor in graph.tensors.values()
    ]
    return Graph(
        name=prefix,
        tensors={tensor.name: tensor for tensor in tensors},
        ops=tuple(renamed_op(op) for op in graph.ops),
        inputs=renamed(graph.inputs),
        outputs=renamed(graph.outputs),
        states=tuple(_prefixed_state(state, prefix) for state in graph.states),
    )


def _prefixed_state(state: State, prefix: str) -> State:
    variable = f"{prefix}/{state.variable}" if state.variable else ""
    return replace(state, tensor=f"{prefix}/{state.tensor}", variable=variable)


def reference_outputs(merged: Merged) -> list[Array]:
    """What the reference answers, one int8 array (samples, bytes of its outputs) per case."""
    graph = with_zero_biases(merged.graph)
    return _of_cases(merged, run_reference(graph, merged.samples))


def outputs_on(merged: Merged, runtime: Runtime) -> list[Array]:
    """What one runtime answers, in the same form."""
    graph = with_zero_biases(merged.graph)
    stages = cut_into_stages(graph, [runtime] * len(graph.ops))
    inputs = dict(zip(graph.inputs, merged.samples, strict=True))
    rows = iterate_steps(stages.steps, inputs, graph.outputs, stages.values)
    return _of_cases(merged, stacked(rows))


def _of_cases(merged: Merged, arrays: Sequence[Array]) -> list[Array]:
    outputs = iter(arrays)
    of_cases = (islice(outputs, len(case.graph.outputs)) for case in merged.cases)
    return [np.concatenate([_as_bytes(array) for array in own], axis=1) for own in of_cases]


def _as_bytes(samples: Array) -> Array:
    """One row of int8 per sample."""
    return np.ascontiguousarray(samples).reshape(len(samples), -1).view(np.int8)


def with_zero_biases(graph: Graph) -> Graph:
    """TFLite refuses a CONV_2D without bias, which CMSIS-NN and the graph allow."""
    for op in graph.ops:
        if isinstance(op, Conv2D) and len(op.inputs) == 2:
            zeros = _zero_bias(graph, op)
            biased = replace(op, inputs=(*op.inputs, zeros.name))
            ops = tuple(biased if other is op else other for other in graph.ops)
            graph = replace(graph.with_tensors(zeros), ops=ops)
    return graph


def _zero_bias(graph: Graph, op: Conv2D) -> Tensor:
    source, weights = (graph.tensor(name) for name in op.inputs)
    assert weights.quant is not None
    scales = tuple(source.scale * scale for scale in weights.quant.scale)
    quant = QuantParams(scales, (0,) * len(scales), weights.quant.quantized_dimension)
    _, dtype = PARAMETERS[source.dtype]
    data = np.zeros(weights.shape[0], dtype.numpy)
    return Tensor(f"{op.name}/zero_bias", data.shape, dtype, quant, data)


def generate(
    graph: Graph,
    name: str,
    isas: frozenset[Isa],
    allowed: Collection[Candidate[Any]] | None = None,
) -> CModule:
    """The C of a graph for the CMSIS-NN that is found, the packaged one or another.

    Without the helpers for each input and output: hundreds take GCC longer than the model.
    """
    module = module_of(graph, name, isas, allowed=allowed)
    before, _, helpers = module.files[f"{name}.h"].partition("/* input")
    _, invoke, after = helpers.partition("/*\n * One inference")
    return replace(module, files={**module.files, f"{name}.h": before + invoke + after})


def device_outputs(merged: Merged, module: CModule, board: Board, folder: Path) -> list[Array]:
    """What the firmware answers, in the same form; ``module`` was generated from the graph."""
    build = build_firmware(module, board, folder)
    rows = np.concatenate([_as_bytes(array) for array in merged.samples], axis=1)
    result = run_firmware(build, rows.view(np.uint8)).outputs.view(np.int8)
    sizes = iter(slot.size for slot in build.outputs)
    ends = np.cumsum([sum(islice(sizes, len(case.graph.outputs))) for case in merged.cases])
    return np.split(result, ends[:-1], axis=1)


def differences(merged: Merged, expected: Sequence[Array], got: Sequence[Array]) -> list[str]:
    """One line per case that differs: its parameters, how many bytes, and the first of them."""
    return [
        _describe(case, want, have)
        for case, want, have in zip(merged.cases, expected, got, strict=True)
        if not np.array_equal(want, have)
    ]


def _describe(case: Case, expected: Array, got: Array) -> str:
    places = np.argwhere(expected != got)
    sample, element = places[0]
    values = f"{got[sample, element]} instead of {expected[sample, element]}"
    return (
        f"{case.name}: {len(places)} of {expected.size} bytes differ, the first in sample "
        f"{sample} at {element}: {values}; {case.parameters}"
    )
