"""What must hold between stages; each check names the operator and the tensor at fault."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyml.errors import ModelError, RefusedError, said_once
from tinyml.ir.graph import DType, Graph, Op, Tensor

ZERO_POINT_LIMITS = {
    DType.INT8: (-128, 127),
    DType.UINT8: (0, 255),
    DType.INT16: (-32768, 32767),
    DType.INT32: (0, 0),
    DType.INT64: (0, 0),
}


# The least positive float32 of full precision.
SMALLEST_SCALE = 2.0**-126
# Far beyond any microcontroller, and far from what would exhaust this computer.
LARGEST_TENSOR = 2**28


def verify_float(graph: Graph) -> None:
    """Check structure, shapes and dtypes of a float graph."""
    _verify_structure(graph)
    _verify_operators(graph, _verify_outputs)


def verify_quantized(graph: Graph) -> None:
    """Check a quantized graph: all of verify_float, every scale, and each operator's own rule."""
    _verify_structure(graph)
    for tensor in graph.tensors.values():
        verify_quant(tensor)

    def verify(graph: Graph, op: Op) -> None:
        _verify_outputs(graph, op)
        _verify_int16(graph, op)
        op.check_quantized(graph)

    _verify_operators(graph, verify)


def _verify_int16(graph: Graph, op: Op) -> None:
    """Hold int16 to zero points of 0, but where the operator knows of others."""
    names = {*op.present_inputs, *op.outputs} - {*op.asymmetric_int16}
    for tensor in map(graph.tensor, sorted(names)):
        zero_points = tensor.quant.zero_point if tensor.quant is not None else ()
        if tensor.dtype is DType.INT16 and any(zero_points):
            raise ModelError(
                f"operator '{op.name}': tensor '{tensor.name}' is int16 with the zero point "
                f"{zero_points[0]}, expected 0; quantize with symmetric int16"
            )


def _verify_operators(graph: Graph, verify: Callable[[Graph, Op], None]) -> None:
    """Check one operator after another, and refuse all that are at fault together."""
    reasons: dict[str, str] = {}
    for op in graph.ops:
        try:
            verify(graph, op)
        except ModelError as error:
            reasons[op.name] = str(error)
    if len(reasons) == 1:
        raise RefusedError(next(iter(reasons.values())), reasons)
    if reasons:
        count = f"{len(reasons)} of the model's {len(graph.ops)} operators"
        raise RefusedError(
            "\n  ".join([f"{count} cannot be used:", *said_once([*reasons.values()])]), reasons
        )


def _verify_structure(graph: Graph) -> None:
    for tensor in graph.tensors.values():
        verify_size(tensor)
    for name in (*graph.inputs, *graph.outputs):
        if name not in graph.tensors:
            raise ModelError(f"the graph's boundary names tensor '{name}', which does not exist")
    _verify_states(graph)
    known = {t.name for t in graph.tensors.values() if t.is_constant} | set(graph.inputs)
    known |= graph.state_names
    for op in graph.ops:
        for name in op.present_inputs:
            if name not in graph.tensors:
                raise ModelError(
                    f"operator '{op.name}' reads tensor '{name}', which does not exist"
                )
            if name not in known:
                raise ModelError(
                    f"operator '{op.name}' reads tensor '{name}' before anything has written it: "
                    "the operators must be in execution order and without cycles"
                )
        for name in op.outputs:
            if name not in graph.tensors:
                raise ModelError(
                    f"operator '{op.name}' writes tensor '{name}', which does not exist"
                )
            if name in known:
                raise ModelError(
                    f"tensor '{name}' is written twice, the second time by '{op.name}'"
                )
            known.add(name)
    for name in graph.outputs:
        if name not in known:
            raise ModelError(f"nothing writes the graph's output '{name}'")


def verify_size(tensor: Tensor) -> None:
    """Refuse what no device holds, before anything of its size is made here."""
    if tensor.nbytes > LARGEST_TENSOR:
        raise ModelError(
            f"tensor '{tensor.name}' {tensor.shape} takes {tensor.nbytes:,} bytes, "
            f"expected at most {LARGEST_TENSOR:,}"
        )


def _verify_states(graph: Graph) -> None:
    """Hold each state to its tensor, which nothing outside of the operators may touch."""
    if len(graph.state_names) < len(graph.states):
        raise ModelError("two states share one tensor")
    for state in graph.states:
        tensor = graph.tensors.get(state.tensor)
        if tensor is None or tensor.is_constant:
            raise ModelError(f"the state '{state.tensor}' is no tensor that can change")
        if state.tensor in (*graph.inputs, *graph.outputs):
            raise ModelError(f"the state '{state.tensor}' is an input or output of the model too")
        got = (state.initial.shape, state.initial.dtype)
        if got != (tensor.shape, tensor.dtype.numpy):
            raise ModelError(
                f"the state '{state.tensor}' is {tensor.dtype.value} {tensor.shape}, "
                f"but starts as {got[1]} {got[0]}"
            )


def _verify_outputs(graph: Graph, op: Op) -> None:
    for name, spec in zip(op.outputs, op.infer(graph), strict=True):
        tensor = graph.tensor(name)
        if (tensor.shape, tensor.dtype) != (spec.shape, spec.dtype):
            raise ModelError(
                f"operator '{op.name}' gives tensor '{name}' {spec.dtype.value} {spec.shape}, "
                f"but the model declares {tensor.dtype.value} {tensor.shape}"
            )


def verify_quant(tensor: Tensor) -> None:
    """Check a tensor's scales and zero points: that they are numbers and fit its dtype and shape.

    Raises ModelError where they do not, and where an int8 or int16 activation has none.
    """
    quant = tensor.quant
    if quant is None:
        if tensor.dtype in {DType.INT8, DType.INT16} and not tensor.is_constant:
            raise ModelError(
                f"tensor '{tensor.name}' is {tensor.dtype.value} but has no scale: "
                "the model is not fully quantized"
            )
        return
    if tensor.dtype not in ZERO_POINT_LIMITS:
        raise ModelError(
            f"tensor '{tensor.name}' is {tensor.dtype.value} but has a scale, expected integers"
        )
    if len(quant.scale) != len(quant.zero_point):
        raise ModelError(
            f"tensor '{tensor.name}' has {len(quant.scale)} scales "
            f"but {len(quant.zero_point)} zero points"
        )
    if not all(math.isfinite(scale) and scale > 0 for scale in quant.scale):
        raise ModelError(f"tensor '{tensor.name}' has a scale that is not a positive number")
    if not tensor.is_constant and min(quant.scale) < SMALLEST_SCALE:
        raise ModelError(
            f"tensor '{tensor.name}' has the scale {min(quant.scale):.9g}, expected at least "
            f"{SMALLEST_SCALE:.9g}: float32 cannot hold its reciprocal"
        )
    low, high = ZERO_POINT_LIMITS[tensor.dtype]
    if not all(low <= zero_point <= high for zero_point in quant.zero_point):
        raise ModelError(
            f"tensor '{tensor.name}' has a zero point outside [{low}, {high}] of "
            f"{tensor.dtype.value}"
        )
    _verify_channels(tensor, len(quant.scale), quant.quantized_dimension)


def _verify_channels(tensor: Tensor, scales: int, axis: int | None) -> None:
    if axis is None:
        expected = 1
    elif not 0 <= axis < len(tensor.shape):
        raise ModelError(
            f"tensor '{tensor.name}' is quantized along dimension {axis}, which it lacks"
        )
    else:
        expected = tensor.shape[axis]
    if scales != expected:
        raise ModelError(f"tensor '{tensor.name}' has {scales} scales where {expected} are needed")
