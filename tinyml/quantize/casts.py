"""CASTs between real numbers and integers, once the real ones are quantized.

A CAST of a quantized tensor would give its codes. Brought to scale 1 first, codes and numbers
differ by the zero point alone: what is whole comes back exactly.
"""

from __future__ import annotations

import numpy as np

from tinyml.ir.graph import DType, Graph, Op, QuantParams, Tensor
from tinyml.numerics.affine import LIMITS, quantize
from tinyml.ops.cast import Cast
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.maximum import Maximum
from tinyml.ops.minimum import Minimum
from tinyml.ops.select import Select
from tinyml.ops.sub import Sub
from tinyml.quantize.activations import whole_params
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.lowering import Lowering, requantized

# Integers between this and its negative become int16 on their way to real numbers.
LARGEST = LIMITS[DType.INT16][1]
UNIT = QuantParams.per_tensor(1.0, 0)


def lower_cast(
    graph: Graph, op: Cast, table: CalibrationTable, tensors: dict[str, Tensor]
) -> list[Op]:
    """Give what stands for a CAST of the float ``graph`` among the quantized ``tensors``.

    New tensors are added to those. Raises ModelError where integers would not come out as they
    were: the tensor holds numbers that are not whole, or more of them than its dtype.
    """
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    lowering = Lowering(op, output.shape)
    from_real, to_real = (tensor.dtype is DType.FLOAT32 for tensor in (source, output))
    if from_real and to_real:
        lowering.ops.append(requantized(op.inputs[0], tensors[op.outputs[0]]))
    elif from_real and op.dtype is DType.BOOL:
        _lower_to_bool(lowering, tensors[op.inputs[0]])
    elif from_real:
        _require_whole(op, tensors[op.inputs[0]], table)
        _lower_to_integer(lowering, tensors[op.inputs[0]], op.dtype)
    elif to_real and source.dtype is DType.BOOL:
        _lower_from_bool(lowering, tensors[op.outputs[0]])
    elif to_real:
        _require_range(op, table)
        _lower_from_integer(lowering, source, tensors[op.outputs[0]])
    else:
        lowering.ops.append(op)
    tensors.update({tensor.name: tensor for tensor in lowering.tensors})
    return lowering.ops


def _require_whole(op: Cast, source: Tensor, table: CalibrationTable) -> None:
    advice = "give the integers as an input of their own, which is cast at once"
    if source.name in table.fractions:
        raise op.error(
            f"casts '{source.name}' to {op.dtype.value}, which holds {table.fractions[source.name]}"
            f" in the calibration data, expected whole numbers: quantized, others would be off by "
            f"one here and there; {advice}"
        )
    if source.scale > 1:
        low, high = _whole_limits(source)
        raise op.error(
            f"casts '{source.name}' to {op.dtype.value}, which reaches from {low} to {high}: "
            f"{source.dtype.value} does not tell so many whole numbers apart; {advice}"
        )


def _require_range(op: Cast, table: CalibrationTable) -> None:
    low, high = table.ranges.get(op.outputs[0], (0.0, 0.0))
    if max(-low, high) > LARGEST:
        raise op.error(
            f"casts integers from {low:g} to {high:g} to float32 inside the model, expected at "
            f"most {LARGEST:,}; give them as a float32 input of their own"
        )


def _lower_to_bool(lowering: Lowering, source: Tensor) -> None:
    """Say whether codes differ from that of zero."""
    op = lowering.op
    codes = lowering.cast(source.name, lowering.tensor("codes", DType.INT32), DType.INT32)
    zero = lowering.integer("zero", source.zero_point)
    unequal = Comparison(
        name=op.name, inputs=(codes, zero), outputs=op.outputs, relation=Relation.NOT_EQUAL
    )
    lowering.ops.append(unequal)


def _lower_to_integer(lowering: Lowering, source: Tensor, dtype: DType) -> None:
    """Round to scale 1, and take the zero point off the codes."""
    whole, name = source.per_tensor, source.name
    if source.scale != 1:
        whole = whole_params(*_whole_limits(source), source.dtype) or UNIT
        name = lowering.tensor("whole", source.dtype, whole)
        lowering.ops.append(requantized(source.name, lowering.tensors[-1]))
    (zero_point,) = whole.zero_point
    if zero_point:
        codes = lowering.cast(name, lowering.tensor("codes", DType.INT32), DType.INT32)
        name = lowering.tensor("integers", DType.INT32)
        offset = lowering.integer("offset", zero_point)
        lowering.ops.append(
            Sub(name=name, inputs=(codes, offset), outputs=(name,), activation=Activation.NONE)
        )
    lowering.cast(name, lowering.op.outputs[0], dtype)


def _lower_from_bool(lowering: Lowering, output: Tensor) -> None:
    """Choose between the codes of 1 and 0."""
    op, quant = lowering.op, output.per_tensor
    choices = (
        lowering.constant(name, quantize(np.array(value, np.float32), quant, output.dtype), quant)
        for name, value in (("one", 1), ("zero", 0))
    )
    inputs = (op.inputs[0], *choices)
    lowering.ops.append(Select(name=op.name, inputs=inputs, outputs=op.outputs, by_row=False))


def _lower_from_integer(lowering: Lowering, source: Tensor, output: Tensor) -> None:
    """Clamp to int16, of scale 1, and rescale that."""
    name = source.name
    if source.dtype is DType.INT32:
        for kind, key, limit in ((Maximum, "above", -LARGEST), (Minimum, "inside", LARGEST)):
            clamped = lowering.tensor(key, DType.INT32)
            bound = lowering.integer(f"{key}/limit", limit)
            lowering.ops.append(kind(name=clamped, inputs=(name, bound), outputs=(clamped,)))
            name = clamped
    narrow = lowering.cast(name, lowering.tensor("int16", DType.INT16, UNIT), DType.INT16)
    lowering.ops.append(requantized(narrow, output))


def _whole_limits(tensor: Tensor) -> tuple[int, int]:
    """Smallest and largest whole number of a quantized tensor."""
    low, high = (round(tensor.scale * (q - tensor.zero_point)) for q in LIMITS[tensor.dtype])
    return low, high
